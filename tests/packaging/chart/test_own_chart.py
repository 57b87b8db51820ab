"""Our own chart: what it refuses, and that its documentation and its schema are of its values."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.packaging.chart.charts import OWN, Chart, HelmError, Values, one, secret_texts
from tests.packaging.chart.conftest import Render
from tests.packaging.chart.fetch import RELEASE
from tests.packaging.release.assets import package_chart
from tests.support.documentation import marked_blocks
from tests.support.values import stop
from tornado_service.values import ValuesApp, names

kubernetes_validate = pytest.importorskip(
    "kubernetes_validate", reason="no kubernetes-validate: `make test-chart` installs it"
)

PODS = [{"podSelector": {"matchLabels": {"app": "x"}}}]
#: Values with which every part of the chart is on, and others.
SITES: dict[str, Values] = {
    "as it comes": {},
    "one pod": {"replicas": 1, "database": {"existingSecret": {"name": ""}}},
    "autoscaling": {"autoscaling": {"enabled": True}},
    "everything": {
        "name": "usage",
        "replicas": 3,
        "port": 9000,
        "image": {"name": "example.org:5000/me/mine", "tag": "1.2", "pullSecrets": [{"name": "p"}]},
        "hub": {"namespace": "lab", "release": "one", "service": "one-hub", "baseUrl": "/lab/"},
        "token": {"existingSecret": {"name": "mine", "key": "token"}},
        "database": {"port": 6432, "peers": PODS},
        "cookieSecret": {"generate": True},
        "config": {"TornadoService": {"max_body_size": 2**25}, "Activity": {"timezone": "CET"}},
        "extraEnv": [{"name": "A", "value": "b"}],
        "networkPolicy": {"ingress": PODS, "egress": [{"to": PODS, "ports": [{"port": 25}]}]},
        "podMonitor": {"enabled": True, "labels": {"release": "p"}, "interval": "30s"},
        "nodeSelector": {"pool": "core"},
        "tolerations": [{"key": "core", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
    },
    "without policy": {"networkPolicy": {"enabled": False}},
    "words of YAML": {"name": "yes", "cookieSecret": {"existingSecret": {"name": "null"}}},
}


@pytest.mark.parametrize("site", SITES)
def test_helm_finds_nothing_to_improve(own_chart: Chart, tmp_path: Path, site: str) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(json.dumps(SITES[site]))
    lint = ["helm", "lint", "--strict", "--quiet", str(own_chart.path), f"--values={values}"]
    done = subprocess.run(lint, capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "")


def test_helm_installs_the_archive_of_a_release(own_chart: Chart, tmp_path: Path) -> None:
    package_chart(own_chart.path, tmp_path)
    (archive,) = tmp_path.iterdir()

    assert re.fullmatch(r"tornado-service-[\d.]+\.tgz", archive.name)
    values = SITES["everything"] | {"cookieSecret": {"existingSecret": {"name": "mine"}}}
    rendered = Chart(archive).template(values, workdir=tmp_path)
    assert rendered == own_chart.template(values, workdir=tmp_path)


@pytest.mark.parametrize("site", SITES)
def test_the_api_server_takes_what_helm_renders(render_own: Render, site: str) -> None:
    for release in ("r", "true"):
        objects = render_own(SITES[site], release=release)
        known = [item for item in objects if item["kind"] != "PodMonitor"]  # of an operator
        for item in known:
            kubernetes_validate.validate(item, "1.32", strict=True)
        assert len(known) == {"autoscaling": 7, "everything": 7, "without policy": 5}.get(site, 6)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            {"database": {"existingSecret": {"name": ""}}},
            "More than one replica needs a PostgreSQL: set database.existingSecret.name",
        ),
        (
            {
                "replicas": 1,
                "database": {"existingSecret": {"name": ""}},
                "autoscaling": {"enabled": True},
            },
            "More than one replica needs a PostgreSQL: set database.existingSecret.name",
        ),
        ({"preStopSeconds": 40}, "terminationGracePeriodSeconds must be more"),
        (
            {"config": {"TornadoService": {"shutdown_grace": 34.5}}},
            "terminationGracePeriodSeconds must be more than preStopSeconds and config.TornadoSer",
        ),
        ({"autoscaling": {"enabled": True, "minReplicas": 7}}, "must not be more"),
        ({"replica": 3}, "additional properties 'replica' not allowed"),
        ({"hub": {"nmespace": "x"}}, "additional properties 'nmespace' not allowed"),
        ({"replicas": 0}, "replicas"),
        ({"replicas": "3"}, "replicas"),
        ({"port": 80}, "port"),
        ({"port": 8081}, "port: 8081 is the port of the Hub API"),
        ({"name": "hub"}, "name: the hub or its chart has a role, service or port hub"),
        ({"name": "Usage"}, "name"),
        ({"token": {"existingSecret": {"name": ""}}}, "token"),
        ({"hub": {"baseUrl": "lab"}}, "baseUrl"),
        ({"config": {"TornadoService": "x"}}, "config"),
        ({"extraEnv": [{"name": "A", "value": 1}]}, "extraEnv"),
        ({"networkPolicy": {"ingress": [{}]}}, "networkPolicy"),
    ],
)
def test_values_that_are_refused(render_own: Render, values: Values, says: str) -> None:
    with pytest.raises(HelmError, match=re.escape(says)):
        render_own(values)


def nulls(values: Values) -> Iterator[Values]:
    """Values that remove one key of the chart each, as a key in YAML without a value does."""
    for key, value in values.items():
        yield {key: None}
        if isinstance(value, dict):
            yield from ({key: inner} for inner in nulls(value))


def test_a_key_without_a_value_is_refused_or_harmless(render_own: Render) -> None:
    """Of a port without a number, a policy would open all."""
    refused: dict[str, str] = {}
    for values in nulls(yaml.safe_load((OWN / "values.yaml").read_text())):
        (key,) = values
        try:
            objects = render_own({"podMonitor": {"enabled": True}}, values)
        except HelmError as error:
            refused[key] = str(error)
            continue
        for item in objects:
            if item["kind"] != "PodMonitor":
                kubernetes_validate.validate(item, "1.32", strict=True)
        assert "nil" not in json.dumps(objects)
    assert refused.keys() >= {"port", "database", "config", "podMonitor"}
    for message in refused.values():
        assert re.search("missing property|needs a PostgreSQL", message)


def test_helm_takes_the_values_in_the_documentation(render_own: Render) -> None:
    examples = map(yaml.safe_load, marked_blocks("how-to/kubernetes-external.md", "own chart"))

    keys = set()
    for values in examples:
        render_own(values)
        keys |= set(values)
    assert {"config", "database", "podMonitor"} <= keys


def test_one_pod_needs_no_database(render_own: Render) -> None:
    objects = render_own(SITES["one pod"])
    (container,) = one(objects, "Deployment", "tornado-service")["spec"]["template"]["spec"][
        "containers"
    ]

    assert "TORNADO_SERVICE_DATABASE_URL" not in {entry["name"] for entry in container["env"]}


def test_a_generated_cookie_secret_stays(render_own: Render) -> None:
    objects = render_own({"cookieSecret": {"generate": True}})
    name = "tornado-service-cookie-secret"
    secret = one(objects, "Secret", name)

    assert secret["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert len(secret_texts(objects, name)["cookie-secret"]) == 64
    assert not [item for item in render_own({}) if item["kind"] == "Secret"]


def test_metrics_of_each_pod(render_own: Render) -> None:
    monitor = one(render_own(SITES["everything"]), "PodMonitor", "usage")

    assert monitor["metadata"]["labels"]["release"] == "p"
    assert monitor["spec"]["podMetricsEndpoints"] == [
        {
            "port": "http",
            "path": "/lab/services/usage/metrics",
            "interval": "30s",
            "authorization": {
                "credentials": {"name": "hub", "key": "hub.services.prometheus.apiToken"}
            },
        }
    ]


@pytest.mark.parametrize("site", ["as it comes", "one pod", "everything"])
def test_the_notes_say_what_to_run(own_chart: Chart, tmp_path: Path, site: str) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(json.dumps(SITES[site]))
    install = ["helm", "install", "r", str(own_chart.path), "--dry-run=client", "--namespace=tools"]
    done = subprocess.run(
        [*install, f"--values={values}"], capture_output=True, text=True, check=True
    )
    notes = done.stdout.partition("\nNOTES:\n")[2]
    (options,) = re.findall(r"tornado-service values (.*) > external.yaml", notes)

    assert stop(ValuesApp, options.split()) == 0
    assert f"jupyterhub/jupyterhub --version {RELEASE} " in notes
    assert ("--name=usage --port=9000 --namespace=tools" in options) is (site == "everything")
    assert ("There is no database" in notes) is (site == "one pod")
    assert ("so copy it" in notes) is (site == "everything")


def leaves(values: Values, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """The keys of values that have no keys of their own, and their defaults."""
    for key, value in values.items():
        here = (*path, key)
        if value and isinstance(value, dict) and ".".join(here) not in MAPS:
            yield from leaves(value, here)
        else:
            yield ".".join(here), value


#: Keys of the chart that take any map.
MAPS = {"config", "resources.requests", "resources.limits"}


def test_the_readme_has_every_value_and_its_default() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", (OWN / "README.md").read_text(), re.M)
    values = yaml.safe_load((OWN / "values.yaml").read_text())

    documented = {key: yaml.safe_load(default) for key, default in rows}
    assert documented == dict(leaves(values))
    assert list(documented) == [key for key, _ in leaves(values)]


def test_the_schema_knows_every_value_and_no_other() -> None:
    schema = json.loads((OWN / "values.schema.json").read_text())
    values = yaml.safe_load((OWN / "values.yaml").read_text())

    def compare(schema: dict[str, Any], values: Values, path: str) -> None:
        for key, value in values.items():
            inner = schema["properties"][key]
            if isinstance(value, dict) and "properties" in inner:
                compare(inner, value, f"{path}.{key}")
        assert schema["additionalProperties"] is False
        assert set(schema["properties"]) - {"global"} == set(values), path

    compare(schema, values, "")


def test_names_are_those_that_the_command_takes() -> None:
    name = json.loads((OWN / "values.schema.json").read_text())["properties"]["name"]

    assert name["pattern"] == f"^{names.SERVICE.pattern}$"
    helpers = (OWN / "templates/_helpers.tpl").read_text()
    (reserved,) = re.findall(r"has \.Values\.name \(list ([^)]+)\)", helpers)
    assert set(json.loads(f"[{reserved.replace(' ', ',')}]")) == names.RESERVED_NAMES
