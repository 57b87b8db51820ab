"""One deployment for all tests here; each leaves three replicas behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.prepare import find_nginx, find_postgresql
from tests.support.replicated.deployment import Deployment
from tests.support.replicated.load import fetch_for
from tornado_service.demo.proxy import installed_proxy
from tornado_service.testing import Fetch

HOW = "needs nginx, PostgreSQL and the hub's proxy; `make test-replicas` installs them"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "replicas" in item.path.parts:
            item.add_marker("replicas")


@pytest.fixture(scope="session")
def running() -> Iterator[Deployment]:
    if not (find_nginx() and find_postgresql() and installed_proxy()):
        pytest.skip(HOW)
    with Deployment() as deployment:
        yield deployment


@pytest.fixture
def deployment(running: Deployment, request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """Three replicas that serve, with one leader."""
    logged = {replica.name: len(replica.log) for replica in running.launched}
    running.leader()
    yield running
    # pytest shows it with a failure
    print(f"--- proxy\n{(running.directory / 'proxy.log').read_text()}")
    for replica in running.launched:
        print(f"--- {replica.name}\n{replica.log[logged.get(replica.name, 0) :]}")
    running.restore()


@pytest.fixture
def fetch(deployment: Deployment, client: AsyncHTTPClient) -> Fetch:
    """Requests through the proxy and the balancer, to any replica."""
    return fetch_for(client, deployment.hub.port, deployment.hub.service_prefix)
