"""Fixtures of tests with `tests.support.proxy`; conftest files import them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.proxy import APP, Proxied, Sales, Upstream
from tornado_service.testing import StandInHub, StartService, Visitor

StartProxy = Callable[..., Awaitable[Proxied]]


@pytest.fixture(params=["unix", "tcp"])
async def upstream(request: pytest.FixtureRequest) -> AsyncIterator[Upstream]:
    """A scripted app, on both transports."""
    app = Upstream()
    with TemporaryDirectory() as directory:  # its path is short enough for a socket
        await app.start(Path(directory) / "app.sock" if request.param == "unix" else None)
        yield app
        await app.stop()


@pytest.fixture
def start_proxy(
    upstream: Upstream,
    start_service: StartService,
    hub: StandInHub,
    monkeypatch: pytest.MonkeyPatch,
) -> StartProxy:
    """Start the service with the app; options are those of an entry of ``web_apps``."""

    async def start(settings: Any = None, **options: Any) -> Proxied:
        monkeypatch.setattr(Sales, "target", upstream.target, raising=False)
        for name, value in options.items():
            monkeypatch.setattr(Sales, name, value)
        given = {**(settings or {})}
        given["TornadoService"] = {"apps": [APP], **given.get("TornadoService", {})}
        service = await start_service(**given)
        app: Any = service.get_app("sales")
        return Proxied(service, upstream, hub.token_for("ada"), app)

    return start


@pytest.fixture
async def proxied(start_proxy: StartProxy) -> Proxied:
    return await start_proxy()


@pytest.fixture
def browser(proxied: Proxied, hub: StandInHub, client: AsyncHTTPClient) -> Visitor:
    """The browser of ada."""
    origin = f"http://127.0.0.1:{proxied.service.port}"
    return Visitor(
        client, f"http://127.0.0.1:{hub.port}", origin, home=proxied.service.prefix, name="ada"
    )
