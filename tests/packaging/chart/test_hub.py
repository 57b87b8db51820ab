"""The chart's own configuration starts a real hub, which launches the service."""

import base64
import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jupyterhub
import pytest
import yaml

from tests.packaging.chart import hub_pod
from tests.packaging.chart.charts import Values
from tests.packaging.chart.conftest import Render
from tests.support.documentation import marked_block
from tests.support.values import documented_web_apps
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

IS_6 = jupyterhub.version_info[0] >= 6
SCOPE = "access:services!service=tornado-service"
PATH = "/services/tornado-service/"

#: There is no Kubernetes here, and no user starts a server.
HERE: Values = {
    "hub": {"config": {"JupyterHub": {"spawner_class": "simple"}}},
    "cull": {"enabled": False},
}
ALL_USERS: Values = {"hub": {"config": {"Authenticator": {"allow_all": True}}}}

Run = Callable[..., Any]
Calls = Sequence[list[str]]


@pytest.fixture
def run(render: Render, tmp_path: Path) -> Run:
    def run(*names: str | Values, visits: Calls = (), calls: Calls = (), ipv6: bool = True) -> Any:
        pod = tmp_path / "pod"
        pod.mkdir()
        plan = {"visits": visits, "calls": calls, "proxy": find_proxy(), "ipv6": ipv6}
        return hub_pod.run(render(*names, HERE, ALL_USERS), plan, pod)

    return run


def site(roles: Values, code: str) -> Values:
    """A site with its own roles and code, which runs before and after ours, by its name."""
    return {"hub": {"loadRoles": roles, "extraConfig": {"00-mine": code, "zz-mine": code}}}


def test_sign_in_and_roles_of_a_plain_site(run: Run) -> None:
    versions = ("jupyterhub-6",) if IS_6 else ()
    pod = run("service", "ingress", "image", *versions, visits=[["ada", PATH]])
    (visit,) = pod["visits"]
    address = visit["address"].removeprefix(hub_pod.PUBLIC)
    assert (visit["status"], address) == (200, f"{PATH}activity/")
    assert sorted(pod["roles"]["user"]) == [SCOPE, "self"]
    assert set(pod["roles"]["tornado-service"]) == Activity.service_scopes
    assert pod["stopped_after"] < 8


def test_a_site_keeps_every_scope_that_it_had_and_its_base_url(run: Run) -> None:
    roles = {"user": {"scopes": ["self", "list:groups"]}}
    code = """
for role in c.JupyterHub.load_roles:
    if role["name"] == "user":
        role["scopes"] = sorted({*role["scopes"], "read:hub"})
"""
    pod = run(
        "service", "allowed-ingress-ports", "image", site(roles, code), visits=[["ada", PATH]]
    )
    assert pod["visits"][0]["status"] == 200
    assert sorted(pod["roles"]["user"]) == [SCOPE, "list:groups", "read:hub", "self"]


@pytest.mark.parametrize("address", ["0.0.0.0", "[::]"])
def test_sign_in_where_the_hub_listens_on_one_family_alone(run: Run, address: str) -> None:
    """As on an IPv6-only cluster."""
    bind = {"hub": {"config": {"JupyterHub": {"hub_bind_url": f"http://{address}:8081"}}}}
    pod = run("service", "ingress", "image", bind, visits=[["ada", PATH]])
    assert pod["visits"][0]["status"] == 200


def test_sign_in_where_ipv6_is_switched_off(run: Run) -> None:
    pod = run("service", "ingress", "image", visits=[["ada", PATH]], ipv6=False)
    assert pod["visits"][0]["status"] == 200


def test_only_the_groups_get_in(run: Run) -> None:
    versions = ("jupyterhub-6",) if IS_6 else ()
    code = 'c.JupyterHub.load_groups = {"staff": {"users": ["ada"]}}'
    visits = [["ada", PATH], ["guest", PATH]]
    pod = run("service", "ingress", "image", *versions, "groups", site({}, code), visits=visits)
    assert [visit["status"] for visit in pod["visits"]] == [200, 403]
    assert pod["roles"]["user"] == ["self"]
    assert pod["roles"]["tornado-service-access"] == [SCOPE]


def test_the_file_in_place_of_an_image(run: Run) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("__main__.py", "from tornado_service.app import main\nmain()\n")
    encoded = base64.encodebytes(content.getvalue()).decode()
    handed_over = {"hub": {"extraFiles": {"tornado_service": {"binaryData": encoded}}}}
    pod = run("service", "ingress", "extra-files", handed_over, visits=[["ada", PATH]])
    assert pod["visits"][0]["status"] == 200


def test_a_web_app_is_set_as_documented(run: Run) -> None:
    values = documented_web_apps()
    settings = values["hub"]["extraFiles"]["tornado_service_config"]["data"]["TornadoService"]
    # what already responds in this pod, at a path without the app's prefix
    settings["web_apps"]["wiki"]["url"] = "http://127.0.0.1:8081/hub/api"
    visits = [["ada", f"{PATH}wiki/"], ["ada", f"{PATH}sales/"], ["ada", f"{PATH}home"]]
    pod = run("service", "ingress", "image", values, visits=visits)
    assert [visit["status"] for visit in pod["visits"]] == [200, 403, 200]
    assert jupyterhub.__version__ in pod["visits"][0]["page"]
    assert ">Wiki</a>" in pod["visits"][2]["page"]
    assert ">Sales</a>" not in pod["visits"][2]["page"]


def test_prometheus_reads_the_metrics_as_documented(run: Run) -> None:
    values = yaml.safe_load(marked_block("how-to/prometheus.md", "monitoring"))
    token = "0123456789abcdef" * 4
    values["hub"]["services"]["prometheus"]["apiToken"] = token
    path = f"{PATH}metrics"
    pod = run("service", "ingress", "image", values, calls=[[path, token], [path, ""]])
    assert [call["status"] for call in pod["calls"]] == [200, 401]
    assert "tornado_service_requests_total" in pod["calls"][0]["page"]
