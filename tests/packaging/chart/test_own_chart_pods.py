"""The pods of our own chart: how they are hardened, started, probed and replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from tests.packaging.chart.charts import Object, Values, one, secret_texts
from tests.packaging.chart.conftest import Render
from tests.support import ROOT
from tornado_service.app import TornadoService
from tornado_service.values.deployment import HUB_ACCESS

NAME = "tornado-service"


def pod_of(objects: list[Object], name: str = NAME) -> Object:
    return one(objects, "Deployment", name)["spec"]["template"]["spec"]


def container_of(objects: list[Object], name: str = NAME) -> Object:
    (container,) = pod_of(objects, name)["containers"]
    return container


def environment_of(objects: list[Object], name: str = NAME) -> dict[str, Any]:
    """The variables of the container: their texts, or the Secret and its key."""
    entries = container_of(objects, name)["env"]
    return {
        entry["name"]: entry["value"]
        if "value" in entry
        else tuple(entry["valueFrom"]["secretKeyRef"][key] for key in ("name", "key"))
        for entry in entries
    }


def violations(pod: Object) -> list[str]:
    """What Pod Security of the level "restricted" refuses.

    https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    """
    allowed_volumes = {
        *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"),
        *("persistentVolumeClaim", "projected", "secret"),
    }
    context = pod.get("securityContext", {})
    found = [key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key)]
    for volume in pod.get("volumes", []):
        found += set(volume) - {"name"} - allowed_volumes
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        own = {**context, **container.get("securityContext", {})}
        found += [
            name
            for name, is_right in {
                "privileged": not own.get("privileged"),
                "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is False,
                "runAsNonRoot": own.get("runAsNonRoot") is True,
                "runAsUser": own.get("runAsUser", 1) != 0,
                "seccompProfile": own.get("seccompProfile", {}).get("type")
                in ("RuntimeDefault", "Localhost"),
                "capabilities": own.get("capabilities") == {"drop": ["ALL"]},
                "procMount": own.get("procMount", "Default") == "Default",
                "hostPort": not any("hostPort" in port for port in container.get("ports", [])),
                "seLinuxOptions": "seLinuxOptions" not in own,
                "appArmorProfile": "appArmorProfile" not in own,
            }.items()
            if not is_right
        ]
    return found


def test_pod_security_restricted(render_own: Render) -> None:
    pod = pod_of(render_own({}))

    assert violations(pod) == []
    assert container_of(render_own({}))["securityContext"]["readOnlyRootFilesystem"] is True
    for key in pod["securityContext"].keys() - {"fsGroup", "runAsGroup", "runAsUser"}:
        left = {name: value for name, value in pod["securityContext"].items() if name != key}
        container = {**pod["containers"][0]}
        container["securityContext"] = {
            name: value for name, value in container["securityContext"].items() if name != key
        }
        weaker = {**pod, "securityContext": left, "containers": [container]}
        assert violations(weaker) == [key]


def test_the_image_runs_as_the_user_of_the_chart(render_own: Render) -> None:
    dockerfile = (ROOT / "image/Dockerfile").read_text()

    context = pod_of(render_own({}))["securityContext"]

    assert f"\nUSER {context['runAsUser']}:{context['runAsGroup']}\n" in dockerfile


def test_nothing_of_kubernetes_is_in_the_pod(render_own: Render) -> None:
    objects = render_own({})

    assert one(objects, "ServiceAccount", NAME)["automountServiceAccountToken"] is False
    assert pod_of(objects)["automountServiceAccountToken"] is False
    assert pod_of(objects)["serviceAccountName"] == NAME
    # else a Service "tornado-service" would set TORNADO_SERVICE_PORT
    assert pod_of(objects)["enableServiceLinks"] is False


@pytest.mark.parametrize(
    ("hub", "url"),
    [
        ({}, "http://hub:8081/hub/api"),
        ({"baseUrl": "/lab/"}, "http://hub:8081/lab/hub/api"),
        ({"baseUrl": "/lab/a"}, "http://hub:8081/lab/a/hub/api"),
        ({"namespace": "jhub", "service": "r-hub"}, "http://r-hub.jhub:8081/hub/api"),
    ],
)
def test_the_environment(render_own: Render, hub: Values, url: str) -> None:
    assert environment_of(render_own({"hub": hub})) == {
        "JUPYTERHUB_SERVICE_NAME": NAME,
        "JUPYTERHUB_API_URL": url,
        "TORNADO_SERVICE_REPLICAS": "2",
        "TORNADO_SERVICE_DATABASE_URL": ("tornado-service-database", "url"),
    }


@pytest.mark.parametrize(
    ("values", "secret"),
    [
        ({}, None),
        ({"generate": True}, ("tornado-service-cookie-secret", "cookie-secret")),
        ({"existingSecret": {"name": "mine", "key": "k"}}, ("mine", "k")),
        ({"existingSecret": {"name": "mine"}, "generate": True}, ("mine", "cookie-secret")),
    ],
)
def test_every_pod_has_the_same_cookie_secret(
    render_own: Render, values: Values, secret: tuple[str, str] | None
) -> None:
    environment = environment_of(render_own({"cookieSecret": values}))

    assert environment.get("TORNADO_SERVICE_COOKIE_SECRET") == secret


@pytest.mark.parametrize(
    ("values", "number", "in_deployment"),
    [
        ({}, "2", 2),
        ({"replicas": 5}, "5", 5),
        ({"autoscaling": {"enabled": True, "maxReplicas": 9}}, "9", None),
    ],
)
def test_the_service_knows_how_many_pods_there_may_be(
    render_own: Render,
    monkeypatch: pytest.MonkeyPatch,
    values: Values,
    number: str,
    in_deployment: int | None,
) -> None:
    objects = render_own(values)
    replicas = environment_of(objects)["TORNADO_SERVICE_REPLICAS"]
    monkeypatch.setenv("TORNADO_SERVICE_REPLICAS", replicas)

    assert replicas == number
    assert TornadoService(config=Config()).replica_count == int(number)
    assert one(objects, "Deployment", NAME)["spec"].get("replicas") == in_deployment


def test_the_arguments_are_settings_of_the_service(render_own: Render, tmp_path: Path) -> None:
    objects = render_own({"config": {"TornadoService": {"max_body_size": 2**25}}})
    settings, port, token = (
        word.partition("=")[2] for word in sorted(container_of(objects)["args"], key=ORDER.index)
    )
    container = container_of(objects)
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    file = tmp_path / "config.json"
    file.write_text(one(objects, "ConfigMap", NAME)["data"]["config.json"])

    service = TornadoService(config=Config())
    service.parse_command_line([word for word in container["args"] if "--config" not in word])
    service.read_config_file(str(file))

    assert service.port == int(port) == container["ports"][0]["containerPort"]
    assert service.api_token_file == token == f"{mounts['token']}/token"
    assert settings == f"{mounts['config']}/config.json"
    assert (service.max_body_size, service.apps) == (2**25, ["activity"])


ORDER = [
    "--config=/etc/tornado-service/config.json",
    "--port=8181",
    "--TornadoService.api_token_file=/run/secrets/tornado-service/token",
]


def test_the_token_is_the_one_of_the_hubs_chart(render: Render, render_own: Render) -> None:
    token = {"hub": {"services": {NAME: {"apiToken": "0123456789abcdef"}}}}
    (volume,) = [v for v in pod_of(render_own({}))["volumes"] if v["name"] == "token"]
    (item,) = volume["secret"]["items"]
    mounts = container_of(render_own({}))["volumeMounts"]

    theirs = secret_texts(render("external", token), volume["secret"]["secretName"])
    assert theirs[item["key"]] == "0123456789abcdef"
    # a file of a subPath does not change with the Secret; the hub's other secrets stay out
    assert not any("subPath" in mount for mount in mounts)
    assert volume["secret"]["defaultMode"] == 0o440


def test_a_change_of_the_settings_replaces_the_pods(render_own: Render) -> None:
    def checksum(values: Values) -> str:
        template = one(render_own(values), "Deployment", NAME)["spec"]["template"]
        return template["metadata"]["annotations"]["checksum/config"]

    assert checksum({}) == checksum({"resources": {"limits": {"memory": "2Gi"}}})
    assert checksum({}) != checksum({"config": {"TornadoService": {"title": "Usage"}}})


def test_an_update_has_no_gap(render_own: Render) -> None:
    objects = render_own({})
    spec = one(objects, "Deployment", NAME)["spec"]
    pod, container = pod_of(objects), container_of(objects)
    (pause,) = [int(word) for word in container["lifecycle"]["preStop"]["exec"]["command"][1:]]
    grace = TornadoService(config=Config()).shutdown_grace

    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert pause > 0
    # to drain, to stop the apps, and to close
    assert pod["terminationGracePeriodSeconds"] >= pause + 2 * grace + 10
    assert one(objects, "PodDisruptionBudget", NAME)["spec"]["maxUnavailable"] == 1
    assert {each["topologyKey"] for each in pod["topologySpreadConstraints"]} == {
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    }


def test_probes_ask_nothing_of_the_hub(render_own: Render) -> None:
    container = container_of(render_own({}))
    paths = {
        name: container[name]["httpGet"]["path"]
        for name in ("startupProbe", "livenessProbe", "readinessProbe")
    }

    assert paths == {
        "startupProbe": "/health",
        "livenessProbe": "/health",
        "readinessProbe": "/health/serving",
    }


@pytest.mark.parametrize("name", [NAME, "usage"])
def test_all_selectors_take_the_pods(render_own: Render, name: str) -> None:
    objects = render_own({"name": name, "podMonitor": {"enabled": True}})
    labels = one(objects, "Deployment", name)["spec"]["template"]["metadata"]["labels"]
    selectors = [
        one(objects, "Service", name)["spec"]["selector"],
        one(objects, "Deployment", name)["spec"]["selector"]["matchLabels"],
        one(objects, "PodDisruptionBudget", name)["spec"]["selector"]["matchLabels"],
        one(objects, "PodMonitor", name)["spec"]["selector"]["matchLabels"],
        one(objects, "NetworkPolicy", name)["spec"]["podSelector"]["matchLabels"],
        *(
            each["labelSelector"]["matchLabels"]
            for each in pod_of(objects, name)["topologySpreadConstraints"]
        ),
    ]

    assert labels[HUB_ACCESS] == "true"
    assert all(selector == selectors[0] for selector in selectors)
    assert selectors[0].items() <= labels.items()
    assert json.dumps(objects).count(f"hub.services.{name}.apiToken") == 1
