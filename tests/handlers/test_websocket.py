"""Web sockets: permissions, messages, and when they are closed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from tests.support.live_app import Live
from tests.support.logs import Listener
from tests.support.streaming import APP, ECHO, UPGRADE, holding, metric, page_headers, until
from tornado_service.app import TornadoService
from tornado_service.handlers import websocket as sockets
from tornado_service.testing import Fetch, StandInHub, Visitor

SOCKET = {"Sec-Fetch-Mode": "websocket", "Sec-Fetch-Dest": "websocket"}

Connect = Callable[..., Awaitable[WebSocketClientConnection]]


@pytest.fixture
async def connect(service: TornadoService) -> AsyncIterator[Connect]:
    """Open a socket, as a program or (with its cookies) as a page does."""
    opened: list[WebSocketClientConnection] = []

    async def connect(
        path: str = ECHO, token: str = "", **headers: str
    ) -> WebSocketClientConnection:
        if token:
            headers["Authorization"] = f"token {token}"
        url = f"ws://127.0.0.1:{service.port}{service.prefix}{path}"
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        opened.append(await websocket_connect(HTTPRequest(url, headers=names)))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()
    await until(lambda: len(service.streams) == 0)


async def status(opening: Awaitable[WebSocketClientConnection]) -> int:
    """The status of the refusal."""
    with pytest.raises(HTTPClientError) as refused:
        await opening
    response = refused.value.response
    if response is not None and response.body:
        assert json.loads(response.body)["status"] == refused.value.code
    return refused.value.code


async def closed(connection: WebSocketClientConnection) -> tuple[int | None, str | None]:
    """Wait until it is closed."""
    assert await asyncio.wait_for(connection.read_message(), 30) is None
    return connection.close_code, connection.close_reason


@pytest.fixture
async def page(visitor: Visitor, service: TornadoService) -> Visitor:
    """A page of ours, open in a browser."""
    await visitor.open("home", headers={"User-Agent": "Tornado/6"})
    await visitor.open("home", headers={"User-Agent": "Tornado/6"})
    return visitor


async def test_messages_pass_in_both_directions(connect: Connect, token: str) -> None:
    connection = await connect(token=token)

    for message in ("text", b"\x00bytes", "ü" * 1000):
        await connection.write_message(message, binary=isinstance(message, bytes))
        assert await connection.read_message() == message


class TestPermissions:
    async def test_visitors_are_refused_in_json_and_never_redirected(
        self, connect: Connect, fetch: Fetch
    ) -> None:
        assert await status(connect()) == 401
        assert await status(connect(token="nonsense")) == 401
        assert await status(connect(Accept="text/html")) == 401

        response = await fetch(ECHO, headers=UPGRADE)
        assert response.code == 401
        assert json.loads(response.body)["status"] == 401

    async def test_without_access_or_a_scope_it_is_refused(
        self, connect: Connect, hub: StandInHub, token: str
    ) -> None:
        reader = hub.token_for("bob", ("custom:live:read",))

        assert await status(connect(token=hub.token_with("bob", ("self",)))) == 403
        assert await status(connect("live/api/scoped-echo", token=token)) == 403
        await connect("live/api/scoped-echo", token=reader)

    @pytest.mark.parametrize("modern", [{}, {**SOCKET, "Sec-Fetch-Site": "same-origin"}])
    async def test_a_page_needs_its_xsrf_token(
        self, connect: Connect, page: Visitor, modern: dict[str, str]
    ) -> None:
        headers = page_headers(page, **modern)

        for query in ("", "?_xsrf=", "?_xsrf=nonsense", "?_xsrf=%ff"):
            assert await status(connect(ECHO + query, **headers)) in (400, 403)
        await connect(f"{ECHO}?_xsrf={page.xsrf_token}", **headers)

    @pytest.mark.parametrize(
        "origin", ["http://evil.test", "null", "http://visitor.test:81", "", "http://["]
    )
    async def test_a_page_of_another_origin_is_refused(
        self, connect: Connect, page: Visitor, token: str, origin: str
    ) -> None:
        headers = page_headers(page, Origin=origin)

        assert await status(connect(f"{ECHO}?_xsrf={page.xsrf_token}", **headers)) == 403
        assert await status(connect(token=token, Origin=origin)) == 403

    async def test_behind_a_proxy_with_another_host_the_log_names_the_setting(
        self, connect: Connect, service: TornadoService, page: Visitor
    ) -> None:
        """As behind nginx, which sends its own name for the hub as ``Host`` by default."""
        origin = {"Origin": "https://hub.example.org", "Sec-Fetch-Site": "same-origin"}
        headers = page_headers(page, **origin)
        with Listener(service) as log:
            for _ in range(2):
                assert await status(connect(f"{ECHO}?_xsrf={page.xsrf_token}", **headers)) == 403

        (line,) = [line for line in log if "JUPYTERHUB_PUBLIC_URL" in line]
        assert f"JUPYTERHUB_PUBLIC_URL to https://hub.example.org{service.prefix}," in line

    async def test_a_proxy_may_use_another_host_name(
        self, connect: Connect, service: TornadoService, token: str
    ) -> None:
        await connect(token=token, Origin="https://hub.test", X_Forwarded_Host="a, Hub.test")
        service.context.public_host = "public.test"
        await connect(token=token, Origin="https://public.test")

    async def test_a_plain_request_gets_an_error_that_says_so(
        self, fetch: Fetch, token: str
    ) -> None:
        plain = await fetch(ECHO, token=token)
        head = await fetch(ECHO, token=token, method="HEAD")
        options = await fetch(ECHO, method="OPTIONS")

        assert (plain.code, head.code, options.code) == (400, 400, 204)
        assert "WebSockets" in json.loads(plain.body)["message"]

    async def test_no_secret_of_the_url_is_logged(
        self, connect: Connect, page: Visitor, caplog: pytest.LogCaptureFixture
    ) -> None:
        await connect(f"{ECHO}?_xsrf={page.xsrf_token}", **page_headers(page))

        assert "_xsrf=[secret]" in caplog.text
        assert page.xsrf_token not in caplog.text


class TestBounds:
    @pytest.fixture
    def service_config(self) -> dict[str, Any]:
        return {"TornadoService": APP, "Streams": {"per_user": 2}}

    async def test_sockets_and_streams_are_counted_together(
        self, connect: Connect, fetch: Fetch, service: TornadoService, token: str
    ) -> None:
        async with fetch.listen("live/api/news", token=token):
            await connect(token=token)

            assert await status(connect(token=token)) == 429
            assert metric(service, "streams", kind="sockets") == 1

    async def test_a_message_that_is_too_large_closes_it(
        self, connect: Connect, token: str
    ) -> None:
        connection = await connect(token=token)

        await connection.write_message("x" * (sockets.MAX_MESSAGE + 1))

        assert await asyncio.wait_for(connection.read_message(), 30) is None

    async def test_a_message_that_is_too_large_is_the_senders_error(
        self, connect: Connect, app: Live, token: str
    ) -> None:
        connection = await connect(token=token)

        with pytest.raises(ValueError, match="split it"):
            app.sockets[0].write_message("x" * (sockets.MAX_MESSAGE + 1))
        app.sockets[0].write_message({"still": "open"})
        assert await connection.read_message() == '{"still": "open"}'

    async def test_a_client_that_does_not_read_is_dropped(
        self, service: TornadoService, app: Live, token: str
    ) -> None:
        async with holding(service, ECHO, token, UPGRADE):
            await until(lambda: bool(app.sockets))
            (open_one,) = app.sockets
            for _ in range(1000):
                try:
                    open_one.write_message("x" * 60_000)
                except WebSocketClosedError:
                    break
                assert len(open_one._iostream._write_buffer) < 2 * sockets.MAX_MESSAGE
                await asyncio.sleep(0)
            await until(lambda: len(service.streams) == 0)

        assert app.sockets == []
        assert metric(service, "streams_dropped_total", kind="sockets") == 1

    async def test_a_client_that_does_not_answer_pings_is_dropped(
        self, service: TornadoService, app: Live, token: str
    ) -> None:
        service.streams.heartbeat = 0.1
        async with holding(service, ECHO, token, UPGRADE):
            await until(lambda: bool(app.sockets))

            await until(lambda: not app.sockets)


class TestEnd:
    async def test_at_sign_out(
        self, connect: Connect, page: Visitor, service: TornadoService
    ) -> None:
        connection = await connect(f"{ECHO}?_xsrf={page.xsrf_token}", **page_headers(page))

        await page.open("home")
        await page.post("logout")

        assert await closed(connection) == (1008, "signed-out")

    async def test_when_the_token_is_revoked(
        self, connect: Connect, hub: StandInHub, token: str, soon: None
    ) -> None:
        connection = await connect(token=token)
        del hub.users[token]

        assert await closed(connection) == (1008, "signed-out")

    async def test_when_a_scope_is_lost(
        self, connect: Connect, hub: StandInHub, soon: None
    ) -> None:
        token = hub.token_for("bob", ("custom:live:read",))
        connection = await connect("live/api/scoped-echo", token=token)
        hub.users[token]["scopes"] = ["access:services"]

        assert await closed(connection) == (1008, "no-access")

    async def test_when_the_hub_is_unavailable_for_too_long(
        self, connect: Connect, hub: StandInHub, service: TornadoService, token: str, soon: None
    ) -> None:
        service.auth.stale_grace = service.auth.identities._grace = 0
        connection = await connect(token=token)
        hub.fault = "error"

        assert await closed(connection) == (1013, "hub-away")

    async def test_when_the_service_is_stopped(
        self, connect: Connect, service: TornadoService, token: str
    ) -> None:
        connection = await connect(token=token)

        service.streams.close()

        assert await closed(connection) == (1001, "stopping")

    async def test_an_error_closes_it_and_no_other(
        self, connect: Connect, token: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        first, second = await connect(token=token), await connect(token=token)

        await first.write_message("break")
        assert await asyncio.wait_for(first.read_message(), 30) is None
        await second.write_message("x")
        assert await second.read_message() == "x"
        assert "the socket is broken" in caplog.text
