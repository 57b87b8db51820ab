"""One cluster for all tests with the same chart and mode; each leaves three ready replicas."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.packaging.chart.charts import Chart, Object, Values
from tests.packaging.chart.pods import external
from tests.packaging.cluster.cluster import Cluster, missing
from tests.packaging.cluster.documented import documented
from tests.packaging.cluster.layout import REPLICAS, Layout

TOKEN = "0123456789abcdef" * 4
#: There is no Kubernetes here that could start servers; a client with a token reads and sends.
HERE: Values = {
    "hub": {
        "config": {
            "JupyterHub": {"spawner_class": "simple"},
            "Authenticator": {"allow_all": True},
        },
        "services": {"tester": {"apiToken": TOKEN}},
        "loadRoles": {
            "tester": {
                "scopes": ["access:services!service=tornado-service"],
                "services": ["tester"],
            }
        },
    },
    "cull": {"enabled": False},
}
OWN: Values = {
    "replicas": len(REPLICAS),
    "cookieSecret": {"generate": True},
    "config": {
        "TornadoService": {"apps": ["activity", "tests.support.replicated.board_app:Board"]}
    },
    **documented("own chart", "database"),
}

RenderHub = Callable[..., list[Object]]
RenderOwn = Callable[[Values], list[Object]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker("cluster")


@pytest.fixture(scope="package", params=["ingress", "allowed-ingress-ports"])
def mode(request: pytest.FixtureRequest) -> str:
    """The mode of the network policy."""
    name: str = request.param
    return name


@pytest.fixture(scope="package")
def render_hub(mode: str, chart: Chart, tmp_path_factory: pytest.TempPathFactory) -> RenderHub:
    """Render the hub's chart with a site's values; ``ours`` replaces what the command writes."""
    workdir = tmp_path_factory.mktemp("values")

    def render_hub(*site: Values, ours: Values | None = None) -> list[Object]:
        return chart.render(ours or external(mode), HERE, *site, workdir=workdir)

    return render_hub


@pytest.fixture(scope="package")
def render_own(own_chart: Chart, tmp_path_factory: pytest.TempPathFactory) -> RenderOwn:
    """Render the service's chart."""
    workdir = tmp_path_factory.mktemp("values")
    return lambda values: own_chart.render(OWN, values, workdir=workdir)


@pytest.fixture(scope="package")
def running(
    render_hub: RenderHub, render_own: RenderOwn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    for name in ("kubespawner", "pycurl"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"no {name}: `make test-cluster` installs it")
    if reason := missing():
        pytest.skip(reason)
    at: Path = tmp_path_factory.mktemp("cluster")
    cluster = Cluster(Layout.of(render_hub(), render_own({})), at)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def cluster(running: Cluster) -> Cluster:
    """A cluster with three ready replicas."""
    ended = [name for name in REPLICAS if running.state[name]["ended"] is not None]
    running.start_containers(*ended)
    running.wait_until(lambda: len(running.ready) == len(REPLICAS), REPLICAS[0])
    return running
