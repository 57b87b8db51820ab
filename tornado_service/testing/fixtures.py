"""The fixtures: the service with a fake hub, and in a real hub."""

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from tornado.httpclient import AsyncHTTPClient

from ..app import TornadoService
from ..apps.isolation.containment import AppError
from ..config.checks import ConfigError
from ..demo.hub import ThrowAwayHub
from ..demo.proxy import PROXY_PACKAGE, installed_proxy
from .api_client import Fetch
from .fake_hub import StandInHub
from .http_browser import Browse, NewVisitor, Visitor
from .real_hub import RealHub, SharedHub, StartHub
from .service import ServiceConfig, StartService, service_starter


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[StandInHub]:
    """A fake hub, which the service of this test uses."""
    stand_in = StandInHub()
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
def service_config() -> ServiceConfig:
    """The settings of ``service`` and ``real_hub``; a test module has its own, with its apps.

    ::

        @pytest.fixture
        def service_config():
            return {"TornadoService": {"apps": ["reports:Reports"]}, "Reports": {"limit": 5}}
    """
    return {}


@pytest_asyncio.fixture
async def start_service(
    hub: StandInHub, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[StartService]:
    """Start the service in this process, on a free port, with other settings or once more.

    ::

        async def test_a_wrong_limit_is_told(start_service):
            with pytest.raises(AppError, match="limit"):
                await start_service(
                    TornadoService={"apps": ["reports:Reports"]}, Reports={"limit": "many"}
                )
    """
    # the hub's variables of the user who runs the tests are not for this service
    for name in list(os.environ):
        if name.startswith(("JUPYTERHUB_", "TORNADO_SERVICE_")):
            monkeypatch.delenv(name)
    async with service_starter(hub) as start:
        yield start


@pytest_asyncio.fixture
async def service(start_service: StartService, service_config: ServiceConfig) -> TornadoService:
    """The service with the settings of ``service_config``, listening, with all its apps ready."""
    settings: dict[str, Any] = dict(service_config)
    try:
        return await start_service(**settings)
    except (AppError, ConfigError) as error:
        reason = str(error)
    pytest.fail(reason, pytrace=False)


@pytest_asyncio.fixture
async def client() -> AsyncIterator[AsyncHTTPClient]:
    """Tornado's HTTP client."""
    http = AsyncHTTPClient(force_instance=True, max_clients=200)
    yield http
    http.close()


@pytest.fixture
def fetch(service: TornadoService, client: AsyncHTTPClient) -> Fetch:
    """An API client of the service; signed in with a token of ``hub.token_for``."""
    return Fetch(client, f"http://127.0.0.1:{service.port}", service.prefix)


@pytest.fixture
def new_visitor(service: TornadoService, hub: StandInHub, client: AsyncHTTPClient) -> NewVisitor:
    """Another user's browser, by the user's name at the hub."""

    def new_visitor(name: str) -> Visitor:
        return Visitor(
            client,
            f"http://127.0.0.1:{hub.port}",
            f"http://127.0.0.1:{service.port}",
            home=service.prefix,
            name=name,
        )

    return new_visitor


@pytest.fixture
def visitor(new_visitor: NewVisitor) -> Visitor:
    """The browser of ada; the first page that it opens signs in."""
    return new_visitor("ada")


@pytest.fixture(scope="session")
def shared_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedHub]:
    """Keeps the hub of ``real_hub`` from one test to the next."""
    _skip_without_proxy()
    shared = SharedHub(tmp_path_factory.mktemp("service"))
    yield shared
    shared.stop()


@pytest.fixture
def real_hub(shared_hub: SharedHub, service_config: ServiceConfig) -> RealHub:
    """A hub that launched the service, shared by the tests that do not change it."""
    try:
        return shared_hub.get(service_config)
    except AppError as error:
        reason = str(error)
    pytest.fail(reason, pytrace=False)


@pytest.fixture
def start_hub() -> Iterator[StartHub]:
    """A separate hub for the test, with the arguments of ``ThrowAwayHub``."""
    _skip_without_proxy()
    started: list[RealHub] = []

    def start(**options: Any) -> RealHub:
        hub = RealHub(**options)
        started.append(hub)
        hub.start()
        return hub

    yield start
    for hub in started:
        hub.stop()
        print(hub.log)  # pytest shows it with a failure


@pytest.fixture
def browse(client: AsyncHTTPClient) -> Browse:
    """A user's browser for a real hub."""

    def browse(hub: ThrowAwayHub, host: str = "") -> Visitor:
        origin = f"http://127.0.0.1:{hub.port}"
        at = host or f"127.0.0.1:{hub.port}"
        return Visitor(client, origin, host=at, home=hub.service_prefix)

    return browse


def _skip_without_proxy() -> None:
    if not installed_proxy():
        pytest.skip(f"a hub needs its proxy: npm install --global {PROXY_PACKAGE}")
