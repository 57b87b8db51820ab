"""Log lines for calls of the hub without a usable response."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, ClassVar

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.support.logs import Listener
from tornado_service import (
    APIHandler,
    Channel,
    EventStream,
    ServiceApp,
    WebSocketHandler,
    allow_unauthenticated,
    periodic,
)
from tornado_service.app import TornadoService
from tornado_service.apps.isolation.containment import AppError
from tornado_service.apps.schedule import Schedule, periodic_jobs
from tornado_service.streaming import registry as streams
from tornado_service.testing import BROWSER, PREFIX, Fetch, StandInHub, Visitor
from tornado_service.testing import fake_hub as stand_in_hub

NO_RESPONSE = "No usable response from JupyterHub"


class NamesAPI(APIHandler):
    async def get(self) -> list[str]:
        return [user.name async for user in self.context.hub.users()]


class NamesStream(EventStream):
    async def get(self) -> None:
        [user async for user in self.context.hub.users()]
        await self.stream(Channel())


class News(EventStream):
    async def get(self) -> None:
        await self.stream(Channel())


class NamesSocket(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        [user async for user in self.context.hub.users()]


class OpenAPI(APIHandler):
    @allow_unauthenticated
    async def get(self) -> str:
        return await self.context.hub.version()


class Names(ServiceApp):
    name = "names"

    def handlers(self) -> list[Any]:
        return [
            ("api/names", NamesAPI),
            ("stream", NamesStream),
            ("news", News),
            ("socket", NamesSocket),
            ("api/version", OpenAPI),
        ]


class Reader(ServiceApp):
    name = "reader"
    has_run: ClassVar[asyncio.Event]

    @periodic(3600)
    async def read(self) -> None:
        try:
            [user async for user in self.hub.users()]
        finally:
            Reader.has_run.set()


class Impatient(ServiceApp):
    name = "impatient"

    async def start(self) -> None:
        [user async for user in self.hub.users()]


@pytest.fixture
def service_config() -> dict[str, Any]:
    return {"TornadoService": {"apps": [f"{__name__}:Names"]}}


@pytest.fixture
async def service(hub: StandInHub, service: TornadoService) -> TornadoService:
    hub.service_scopes = {"list:users"}
    hub.directory.add_user("ada")
    return service


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The log lines about the hub."""
    texts = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    return [text for text in texts if NO_RESPONSE in text or text.startswith("The hub")]


@pytest.fixture
def no_page(hub: StandInHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub returns no valid list of users."""
    monkeypatch.setattr(hub.directory, "page", lambda *_: {"items": [5]})


class TestAboveTheTransport:
    """The hub's response is unusable: each 503 has its reason in the log."""

    async def test_a_list_that_is_none(
        self, hub: StandInHub, fetch: Fetch, caplog: pytest.LogCaptureFixture, no_page: None
    ) -> None:
        token = hub.token_for("ada")

        responses = [await fetch("names/api/names", token=token) for _ in range(3)]

        ids = [json.loads(response.body)["request_id"] for response in responses]
        assert [response.code for response in responses] == [503] * 3
        pairs = zip(ids, lines(caplog), strict=True)
        assert all(f"request_id={each}" in line for each, line in pairs)
        assert all("its response is no valid Listing" in line for line in lines(caplog))

    async def test_an_event_stream(
        self, hub: StandInHub, fetch: Fetch, caplog: pytest.LogCaptureFixture, no_page: None
    ) -> None:
        response = await fetch("names/stream", token=hub.token_for("ada"))

        (line,) = lines(caplog)
        assert f"request_id={json.loads(response.body)['request_id']}" in line

    async def test_a_web_socket(
        self,
        hub: StandInHub,
        service: TornadoService,
        caplog: pytest.LogCaptureFixture,
        no_page: None,
    ) -> None:
        headers = {"Authorization": f"token {hub.token_for('ada')}"}
        url = f"ws://127.0.0.1:{service.port}{service.prefix}names/socket"
        socket = await websocket_connect(HTTPRequest(url, headers=headers))
        await socket.write_message("who")
        assert await socket.read_message() is None
        socket.close()

        (line,) = lines(caplog)
        assert "request_id=" in line

    async def test_the_users_model(
        self, hub: StandInHub, fetch: Fetch, caplog: pytest.LogCaptureFixture
    ) -> None:
        token = hub.token_for("ada")
        hub.users[token] = {"hello": "world"}

        response = await fetch("api/user", token=token)

        assert response.code == 503
        (line,) = lines(caplog)
        assert f"request_id={json.loads(response.body)['request_id']}" in line
        assert "/user returned 200, and no user" in line

    async def test_the_api_url_is_not_that_of_a_hub(
        self, service: TornadoService, fetch: Fetch, caplog: pytest.LogCaptureFixture
    ) -> None:
        service.hub.api_url = service.hub.api_url.removesuffix("/api")

        responses = [
            await fetch("", headers=BROWSER),
            await fetch("names/api/version"),
            *[await fetch("health/ready") for _ in range(3)],
        ]

        assert {response.code for response in responses} == {503}
        reported = lines(caplog)
        assert len(reported) == 3  # probes are repeated
        assert all("is not a Hub API" in line for line in reported)
        assert ["request_id=" in line for line in reported] == [True, True, False]

    async def test_a_code_without_a_token(
        self,
        visitor: Visitor,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        response = await visitor.get(PREFIX)
        response = await visitor.get(response.headers["Location"])
        monkeypatch.setattr(stand_in_hub._Token, "post", lambda self: self.write({"hello": "you"}))

        response = await visitor.get(response.headers["Location"])

        assert response.code == 503
        (line,) = lines(caplog)
        assert "request_id=" in line
        assert "it returned no token for a code" in line

    async def test_a_token_that_the_hub_has_just_issued_and_rejects(
        self,
        hub: StandInHub,
        visitor: Visitor,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        response = await visitor.get(PREFIX)
        response = await visitor.get(response.headers["Location"])
        monkeypatch.setattr(hub, "login_token_for", lambda name: "unknown")

        response = await visitor.get(response.headers["Location"])

        assert response.code == 503
        (line,) = lines(caplog)
        assert "request_id=" in line
        assert "it rejected the token that it has just issued" in line

    async def test_background_work_of_an_app(
        self, hub: StandInHub, start_service: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hub.service_scopes = {"list:users"}
        Reader.has_run = asyncio.Event()
        service = await start_service(TornadoService={"apps": [f"{__name__}:Reader"]})
        await asyncio.wait_for(Reader.has_run.wait(), 30)
        monkeypatch.setattr(hub.directory, "page", lambda *_: {"items": [5]})

        with Listener(service) as reported:
            app = next(iter(service.app_manager)).app
            schedule = Schedule(app, periodic_jobs(app), service.metrics, service.replicas)
            schedule.start()
            while not reported:
                await asyncio.sleep(0.01)
            await schedule.stop(30)

        (line,) = reported
        assert line.startswith(
            f"{NO_RESPONSE}, app reader, read(): its response is no valid Listing"
        )

    async def test_an_app_that_cannot_start(
        self, hub: StandInHub, start_service: Any, no_page: None
    ) -> None:
        hub.service_scopes = {"list:users"}

        with pytest.raises(AppError) as error:
            await start_service(TornadoService={"apps": [f"{__name__}:Impatient"]})

        assert "its response is no valid Listing" in str(error.value)

    async def test_live_connections_that_end(
        self,
        hub: StandInHub,
        service: TornadoService,
        fetch: Fetch,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(streams, "MIN_RECHECK_INTERVAL", 0.01)
        service.auth.cache_max_age = service.auth.identities._max_age = 0
        service.auth.stale_grace = service.auth.identities._grace = 0.5
        token = hub.token_for("ada")
        async with fetch.listen("names/news", token=token) as reader:
            hub.users[token] = {"hello": "world"}
            events = [event async for event in reader]

        assert json.loads(events[-1].data)["reason"] == "hub-away"
        (line,) = lines(caplog)
        assert "streams of ada end" in line
        assert "returned 200, and no user" in line


async def test_a_response_that_is_too_large_is_no_outage(
    hub: StandInHub,
    service: TornadoService,
    fetch: Fetch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    known = hub.token_for("ada")
    await fetch("api/user", token=known)
    caplog.clear()
    hub.fault = "huge"

    for number in range(7):
        response = await fetch("api/user", token=hub.token_for("ada"))
        reported = json.loads(response.body)
        assert response.code == 502
        assert "Retry-After" not in response.headers
        assert "sent more data than this service reads" in reported["message"]
        assert "127.0.0.1" not in reported["message"]
        line = lines(caplog)[number]
        assert f"request_id={reported['request_id']}" in line
        assert "GET /hub/api/user has 19.1 MiB; the limit is 8 MiB" in line
    assert service.hub.breaker.is_healthy
    assert (await fetch("api/user", token=known)).code == 200

    headers = {**BROWSER, "Authorization": f"token {hub.token_for('ada')}"}
    page = await fetch("", headers=headers)
    assert page.code == 502
    assert b'http-equiv="refresh"' not in page.body
    assert "Retry-After" not in page.headers
    assert len(lines(caplog)) == 8
