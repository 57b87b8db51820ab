"""A real hub with the configuration of zero-to-jupyterhub's chart, and a pod of our own chart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.packaging.chart import hub_pod
from tests.packaging.chart.charts import Values
from tests.packaging.chart.conftest import Render
from tests.packaging.chart.pods import external
from tests.support.documentation import marked_block
from tornado_service.activity import Activity
from tornado_service.demo.proxy import find_proxy

for name in ("kubespawner", "pycurl"):
    pytest.importorskip(name, reason=f"no {name}: `make test-chart` installs it")

pytestmark = [
    pytest.mark.hub,
    pytest.mark.skipif(
        not hub_pod.can_run(),
        reason="no namespaces. On Debian, as root: apt-get install util-linux iproute2"
        " && make test-chart",
    ),
]

PATH = "/services/tornado-service/"
SCOPE = "access:services!service=tornado-service"

#: There is no Kubernetes here, and no user starts a server.
HERE: Values = {
    "hub": {
        "config": {
            "JupyterHub": {"spawner_class": "simple"},
            "Authenticator": {"allow_all": True},
        }
    },
    "cull": {"enabled": False},
}
ONE_POD: Values = {"replicas": 1, "database": {"existingSecret": {"name": ""}}}

Run = Callable[..., Any]


@pytest.fixture
def run(render: Render, render_own: Render, tmp_path: Path) -> Run:
    def run(hub: list[Values], own: Values, **plan: Any) -> Any:
        pod = tmp_path / "pod"
        pod.mkdir()
        objects = [*render(*hub, HERE), *render_own(ONE_POD, own)]
        every = {"visits": [], "calls": [], "proxy": find_proxy(), "ipv6": True}
        return hub_pod.run(objects, {**every, **plan}, pod)

    return run


@pytest.mark.parametrize(
    ("mode", "base_url"), [("ingress", "/"), ("allowed-ingress-ports", "/lab/")]
)
def test_sign_in(run: Run, mode: str, base_url: str) -> None:
    path = f"{base_url.rstrip('/')}{PATH}"
    pod = run(
        [external(mode), {"hub": {"baseUrl": base_url}}],
        {"hub": {"baseUrl": base_url}, "cookieSecret": {"generate": True}},
        visits=[["ada", path]],
    )
    (visit,) = pod["visits"]

    assert visit["status"] == 200, pod["service_log"]
    assert visit["address"].removeprefix(hub_pod.PUBLIC) == f"{path}activity/"
    assert sorted(pod["roles"]["user"]) == [SCOPE, "self"]
    assert set(pod["roles"]["tornado-service"]) == Activity.service_scopes
    assert "Cannot connect to" not in pod["log"]


def test_only_the_groups_get_in(run: Run) -> None:
    groups = {"loadRoles": {"tornado-service-access": {"scopes": [SCOPE], "groups": ["staff"]}}}
    code = 'c.JupyterHub.load_groups = {"staff": {"users": ["ada"]}}'
    site = {"hub": {**groups, "extraConfig": {"mine": code}}}
    pod = run([external("ingress"), site], {}, visits=[["ada", PATH], ["guest", PATH]])

    assert [visit["status"] for visit in pod["visits"]] == [200, 403]


def test_prometheus_reads_the_metrics_of_a_pod(run: Run) -> None:
    token = "0123456789abcdef" * 4
    values = yaml.safe_load(marked_block("how-to/prometheus.md", "monitoring"))
    values["hub"]["services"]["prometheus"]["apiToken"] = token
    path = f"{PATH}metrics"
    pod = run([external("ingress"), values], {}, calls=[[path, token], [path, ""]])

    assert [call["status"] for call in pod["calls"]] == [200, 401]
