from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from traitlets.config import Config

from tests.visitor import Visitor
from tornado_service.app import TornadoService
from tornado_service.server import Server, bind
from tornado_service.testing.stand_in_hub import StandInHub

PREFIX = "/services/tornado-service/"
SERVICE_TOKEN = "0123456789abcdef0123456789abcdef"

Fetch = Callable[..., Awaitable[HTTPResponse]]


@pytest.fixture
async def hub() -> AsyncIterator[StandInHub]:
    stand_in = StandInHub()
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


def make_config(hub: StandInHub, **settings: Any) -> Config:
    """What the hub's environment and an admin's file would give."""
    config = Config(
        TornadoService={
            "service_name": hub.service_name,
            "service_url": "http://127.0.0.1:10101",
        },
        ServiceAuth={
            "api_url": hub.api_url,
            "api_token": SERVICE_TOKEN,
            "base_url": PREFIX,
            "oauth_client_id": f"service-{hub.service_name}",
            "access_scopes": {"access:services", f"access:services!service={hub.service_name}"},
        },
    )
    config.merge(Config(settings))
    return config


@pytest.fixture
async def start_service(
    hub: StandInHub,
) -> AsyncIterator[Callable[..., Awaitable[TornadoService]]]:
    """Start the real service, in this process, on a free port; stop it at the end."""
    running: list[tuple[TornadoService, Server]] = []

    async def start(**settings: Any) -> TornadoService:
        service = TornadoService(config=make_config(hub, **settings))
        service.initialize([])
        sockets = bind(0, "127.0.0.1")
        service.port = sockets[0].getsockname()[1]
        server = Server(service, sockets, None)
        server.start()
        running.append((service, server))
        return service

    yield start
    for service, server in running:
        server.stop_now()
        await server.until_stopped()
        await service.mounts.stop()
        service.auth.identities.close()
        service.hub.close()
        service.log.handlers.clear()  # bound to the stderr of this test


@pytest.fixture
async def service(start_service: Callable[..., Awaitable[TornadoService]]) -> TornadoService:
    return await start_service()


@pytest.fixture
async def client() -> AsyncIterator[AsyncHTTPClient]:
    http = AsyncHTTPClient(force_instance=True, max_clients=200)
    yield http
    http.close()


@pytest.fixture
def fetch(service: TornadoService, client: AsyncHTTPClient) -> Fetch:
    """One request to the service; no redirect is followed, no status raises."""

    async def fetch(path: str = "", *, token: str | None = None, **options: Any) -> HTTPResponse:
        headers = dict(options.pop("headers", {}))
        if token:
            headers["Authorization"] = f"token {token}"
        if not path.startswith("/"):
            path = service.prefix + path
        return await client.fetch(
            f"http://127.0.0.1:{service.port}{path}",
            headers=headers,
            follow_redirects=False,
            raise_error=False,
            allow_nonstandard_methods=True,
            **options,
        )

    return fetch


@pytest.fixture
def visitor(service: TornadoService, hub: StandInHub, client: AsyncHTTPClient) -> Visitor:
    """A browser that has not signed in yet; the stand-in hub takes it for ada."""
    return Visitor(client, f"http://127.0.0.1:{hub.port}", f"http://127.0.0.1:{service.port}")
