import itertools
from pathlib import Path

import pytest
import yaml
from traitlets.config import Config

from tests.packaging.chart.charts import HARDENED, OWN_ALIASES, HelmError, Values, one, secret_texts
from tests.packaging.chart.conftest import Render
from tests.support.values import documented_web_apps
from tornado_service.app import TornadoService
from tornado_service.values.deployment import HUB_DIRECTORY, Deployment
from tornado_service.values.merge import hub_service
from tornado_service.values.overlays import PYZ_PATH, overlay_values

kubernetes_validate = pytest.importorskip(
    "kubernetes_validate", reason="no kubernetes-validate: `make test-chart` installs it"
)

ACTIVITY = "--TornadoService.apps=activity"
MODES = ("allowed-ingress-ports", "ingress")
DELIVERIES = ("image", "extra-files")
OPTIONS = [(), ("jupyterhub-6",), ("groups",), ("jupyterhub-6", "groups")]
COMBINATIONS = [
    ("service", mode, delivery, *options)
    for mode, delivery, options in itertools.product(MODES, DELIVERIES, OPTIONS)
]
SITES: dict[str, Values] = {
    "as it comes": {},
    "hardened": HARDENED,
    "own aliases": OWN_ALIASES,
    "base URL": {"hub": {"baseUrl": "/lab/"}},
}


@pytest.mark.parametrize("names", COMBINATIONS, ids="+".join)
def test_the_api_server_takes_what_helm_renders(render: Render, names: tuple[str, ...]) -> None:
    for objects in (render(*names), render(*reversed(names))):
        for kubernetes_object in objects:
            kubernetes_validate.validate(kubernetes_object, "1.32", strict=True)


@pytest.mark.parametrize("site", SITES)
def test_with_the_values_of_a_site(render: Render, site: str) -> None:
    for kubernetes_object in render("service", "ingress", "image", SITES[site]):
        kubernetes_validate.validate(kubernetes_object, "1.32", strict=True)


def test_no_list_of_ports_has_one_twice(render: Render) -> None:
    """The API server rejects duplicates, but no schema does."""
    ports = one(render("service", "ingress", "image"), "Service", "hub")["spec"]["ports"]
    assert len({port["name"] for port in ports}) == len({port["port"] for port in ports}) == 2


def test_the_image_and_its_command(render: Render) -> None:
    objects = render("service", "ingress", "image")
    container = one(objects, "Deployment", "hub")["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "ghcr.io/tornado-service/k8s-hub-tornado-service:4.4.0-0.1.0"
    values = yaml.safe_load(secret_texts(objects, "hub")["values.yaml"])
    command = values["hub"]["services"]["tornado-service"]["command"]
    assert command == ["python3", "-m", "tornado_service", ACTIVITY]


def test_the_file_is_mounted_where_the_command_looks(render: Render) -> None:
    objects = render("service", "ingress", "extra-files")
    spec = one(objects, "Deployment", "hub")["spec"]["template"]["spec"]
    (mount,) = [m for m in spec["containers"][0]["volumeMounts"] if m["mountPath"] == PYZ_PATH]
    (volume,) = [v for v in spec["volumes"] if v["name"] == mount["name"]]
    assert {"key": mount["subPath"], "path": mount["subPath"]} in volume["secret"]["items"]
    assert secret_texts(objects, volume["secret"]["secretName"])[mount["subPath"]] == "PK"
    values = yaml.safe_load(secret_texts(objects, "hub")["values.yaml"])
    assert values["hub"]["services"]["tornado-service"]["command"] == [
        "python3",
        PYZ_PATH,
        ACTIVITY,
    ]


def test_web_apps_of_the_guide_are_settings_of_the_service(render: Render, tmp_path: Path) -> None:
    objects = render("service", "ingress", "image", documented_web_apps())
    spec = one(objects, "Deployment", "hub")["spec"]["template"]["spec"]
    values = yaml.safe_load(secret_texts(objects, "hub")["values.yaml"])
    command = values["hub"]["services"]["tornado-service"]["command"]
    path = command[-1].removeprefix("--config=")
    (mount,) = [m for m in spec["containers"][0]["volumeMounts"] if m["mountPath"] == path]
    file = tmp_path / "config.json"
    file.write_text(secret_texts(objects, "hub")[mount["subPath"]])

    service = TornadoService(config=Config())
    service.read_config_file(str(file))

    assert service.web_apps["wiki"]["url"] == "http://wiki.tools.svc:8080"
    assert service.web_apps["sales"]["command"][-1] == "--server.baseUrlPath={prefix}"


@pytest.mark.parametrize(
    ("database", "places"), [({}, 1), ({"type": "postgres", "url": "postgresql://h/d"}, 0)]
)
def test_the_history_is_on_the_volume_of_the_hubs_database(
    render: Render, database: Values, places: int
) -> None:
    objects = render("service", "ingress", "image", {"hub": {"db": database}})
    spec = one(objects, "Deployment", "hub")["spec"]["template"]["spec"]
    mounts = [
        m["name"] for m in spec["containers"][0]["volumeMounts"] if m["mountPath"] == HUB_DIRECTORY
    ]
    claims = [v["name"] for v in spec["volumes"] if "persistentVolumeClaim" in v]
    assert mounts == claims
    assert len(mounts) == places


def test_without_the_file_helm_fails(render: Render) -> None:
    with pytest.raises(HelmError, match="binaryData"):
        render("service", "ingress", {"hub": {"extraFiles": {"x": {"mountPath": PYZ_PATH}}}})


def test_the_key_that_never_was(render: Render) -> None:
    ports: Values = {"hub": {"service": {"ports": {"extraPorts": []}}}}
    with pytest.raises(HelmError, match="extraPorts"):
        render("service", ports)


@pytest.mark.parametrize(
    ("overrides", "release"),
    [
        ({}, "r"),
        ({"fullnameOverride": "lab"}, "r"),
        ({"fullnameOverride": None}, "r"),
        ({"fullnameOverride": None}, "my-jupyterhub"),
        ({"fullnameOverride": None, "nameOverride": "lab"}, "r"),
        ({"nameOverride": "lab"}, "r"),
    ],
)
def test_the_hubs_service_is_called_as_we_say(
    render: Render, overrides: Values, release: str
) -> None:
    full_name, chart_name = overrides.get("fullnameOverride", ""), overrides.get("nameOverride")
    name = hub_service(full_name, chart_name, release)
    values = overlay_values(Deployment(hub=name, release=release), "service.yaml")
    objects = render(values, "image", overrides, release=release)
    assert [port["port"] for port in one(objects, "Service", name)["spec"]["ports"]] == [8081, 8181]
