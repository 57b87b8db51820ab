"""WebSockets of web apps: the app's handshake first, then the visitor's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.proxy import PATH, Call, Proxied, Sales, VisitorConnection, head, respond
from tests.support.proxy_fixtures import StartProxy
from tests.support.streaming import UPGRADE, until
from tornado_service.proxy.forward.target import Target
from tornado_service.testing import StandInHub, Visitor

SWITCH = head(
    "101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
)


async def opened(visitor: VisitorConnection, **headers: str) -> Any:
    await visitor.send_head("GET", "ws?a=%2F", {**UPGRADE, **headers})
    return await visitor.read_head()


async def test_the_app_answers_the_handshake(proxied: Proxied) -> None:
    async def script(call: Call) -> None:
        await call.send(
            SWITCH.removesuffix(b"\r\n")
            + b"Sec-WebSocket-Protocol: bokeh\r\nX-A: 1\r\n"
            + b"Set-Cookie: _xsrf=1\r\nSet-Cookie: a=1; Path=/\r\n\r\n"
            + b"\x81\x02hi"
        )
        data = await call.reader.readexactly(8)
        await call.send(
            b"\x81\x02" + bytes(x ^ y for x, y in zip(data[6:], data[2:6], strict=False))
        )
        await call.wait_closed()

    proxied.upstream.script = script
    async with proxied.connect() as visitor:
        reply = await opened(visitor, **{"Sec-WebSocket-Protocol": "bokeh, token"})
        assert reply.status == 101
        assert reply.get("Upgrade") == "websocket"
        assert reply.get("Connection") == "Upgrade"
        assert reply.get_list("Sec-WebSocket-Protocol") == ["bokeh"]
        assert reply.get("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert reply.get("X-A") == "1"
        assert reply.get("Set-Cookie") == f"a=1; Path={PATH}"
        assert await visitor.reader.readexactly(4) == b"\x81\x02hi"
        await visitor.send(b"\x81\x82\x01\x02\x03\x04" + bytes([ord("y") ^ 1, ord("o") ^ 2]))
        assert await visitor.reader.readexactly(4) == b"\x81\x02yo"
        assert len(proxied.service.streams) == 1
    await until(lambda: len(proxied.service.streams) == 0)

    request = proxied.upstream.request
    assert request.target == f"{PATH}ws?a=%2F"
    assert request.get("Connection") == "Upgrade"
    assert request.get("Upgrade") == "websocket"
    assert request.get("Sec-WebSocket-Protocol") == "bokeh, token"
    assert request.get("Sec-WebSocket-Key") == UPGRADE["Sec-WebSocket-Key"]
    assert request.get("X-Forwarded-User") == "ada"


@pytest.mark.parametrize(
    ("forwarded", "told"),
    [("wss", "https"), ("wss, ws", "https"), ("ws", "http"), ("ws,wss", "http")],
)
async def test_the_app_is_told_the_protocol_of_the_page(
    proxied: Proxied, forwarded: str, told: str
) -> None:
    """The hub's proxy and Traefik have another name for it where they forward a WebSocket."""
    proxied.upstream.script = respond(SWITCH)

    async with proxied.connect() as visitor:
        await opened(visitor, **{"X-Forwarded-Proto": forwarded})
    assert proxied.upstream.request.get("X-Forwarded-Proto") == told


async def test_no_subprotocol_is_made_up(proxied: Proxied) -> None:
    proxied.upstream.script = respond(SWITCH)

    async with proxied.connect() as visitor:
        reply = await opened(visitor)
        assert reply.get("Sec-WebSocket-Protocol") is None
    assert proxied.upstream.request.get("Sec-WebSocket-Protocol") is None


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "200 OK", "426 Upgrade"])
async def test_another_response_is_passed_as_it_is(proxied: Proxied, status: str) -> None:
    proxied.upstream.script = respond(head(status, "X-A: 1", "Content-Length: 3") + b"no!")

    async with proxied.connect() as visitor:
        await visitor.send_head("GET", "ws", UPGRADE)
        reply = await visitor.read()
        assert (reply.status, reply.body) == (int(status[:3]), b"no!")
        assert reply.get("X-A") == "1"
        assert (await visitor.call()).status == reply.status
    assert len(proxied.service.streams) == 0


@pytest.mark.parametrize("signed_in", [True, False])
async def test_an_upgrade_with_a_body_closes_the_connection(
    proxied: Proxied, signed_in: bool
) -> None:
    async with proxied.connect() as visitor:
        lines = {**UPGRADE, "Content-Length": "300"}
        await visitor.send_head("GET", "ws", lines, signed_in=signed_in)
        reply = await visitor.read()

    assert reply.status == (400 if signed_in else 401)
    assert reply.get("Connection") == "close"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense",
        head("101 Switching Protocols"),
        head("101 Switching Protocols", "Upgrade: h2c", "Connection: Upgrade"),
    ],
)
async def test_an_invalid_handshake_is_an_error(proxied: Proxied, raw: bytes) -> None:
    proxied.upstream.script = respond(raw, close=True)

    assert (await proxied.call("GET", "ws", UPGRADE)).status == 502


async def test_an_app_that_is_away(proxied: Proxied) -> None:
    proxied.app.url_target = Target(port=1)  # type: ignore[misc]

    assert (await proxied.call("GET", "ws", UPGRADE)).status == 503


async def test_it_is_for_get_without_a_body(proxied: Proxied) -> None:
    assert (await proxied.call("POST", "ws", UPGRADE, b"a")).status == 400
    assert (await proxied.call("GET", "ws", UPGRADE, b"a")).status == 400
    assert (await proxied.call("GET", "ws", UPGRADE, version="1.0")).status == 400
    assert proxied.upstream.requests == []


async def test_upgrade_without_connection_asks_for_nothing(proxied: Proxied) -> None:
    """Such a field is for the connection of another proxy, which did not remove it."""
    reply = await proxied.call("GET", "ws", {**UPGRADE, "Connection": "keep-alive"})

    assert reply.status == 200
    assert proxied.upstream.request.get("Upgrade") is None
    assert len(proxied.service.streams) == 0


async def test_other_sites_and_strangers_open_none(proxied: Proxied, browser: Visitor) -> None:
    stranger = await proxied.call("GET", "ws", UPGRADE, signed_in=False)
    await browser.open(PATH)
    sent = {**UPGRADE, "Sec-Fetch-Mode": "websocket", "Sec-Fetch-Dest": "websocket"}
    del proxied.upstream.requests[:]
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        assert (await browser.get(f"{PATH}ws", headers={**sent, **headers})).code == 403

    assert stranger.status == 401
    assert proxied.upstream.requests == []


async def test_their_number_is_limited(start_proxy: StartProxy) -> None:
    proxied = await start_proxy({"Streams": {"per_user": 1}})
    proxied.upstream.script = respond(SWITCH)

    async with proxied.connect() as visitor:
        assert (await opened(visitor)).status == 101
        refused = await proxied.call("GET", "ws", UPGRADE)
        assert refused.status == 429
        assert "Retry-After" in dict(refused.headers)
        assert (await proxied.call("GET", "")).status != 429


async def test_it_ends_with_the_session(
    proxied: Proxied, hub: StandInHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxied.upstream.script = respond(SWITCH)
    async with proxied.connect() as visitor:
        assert (await opened(visitor)).status == 101
        monkeypatch.setattr(Sales, "is_allowed", lambda self, user: False)
        auth = proxied.service.auth
        (key,) = auth.identities._identities._entries
        await auth.user_for_token(proxied.token, sync=False, revalidate=True)
        frame = await visitor.reader.readexactly(2)
        reason = await visitor.reader.readexactly(frame[1])

    assert key
    assert frame[0] == 0x88
    assert reason == b"\x03\xf0no-access"


async def test_it_ends_with_the_service(proxied: Proxied) -> None:
    proxied.upstream.script = respond(SWITCH)
    async with proxied.connect() as visitor:
        assert (await opened(visitor)).status == 101
        proxied.service.streams.close()
        frame = await visitor.reader.readexactly(2)
        assert (await visitor.reader.readexactly(frame[1]))[:2] == b"\x03\xe9"


async def test_one_that_waits_for_its_app_ends_with_the_service(
    proxied: Proxied, caplog: pytest.LogCaptureFixture
) -> None:
    async def script(call: Call) -> None:
        await call.wait_closed()

    proxied.upstream.script = script
    async with proxied.connect() as visitor:
        await visitor.send_head("GET", "ws", UPGRADE)
        await until(lambda: bool(proxied.upstream.requests))
        proxied.service.streams.close()
        assert (await visitor.read()).status == 503
    assert [record for record in caplog.records if record.exc_info] == []


async def test_a_visitor_who_leaves_before_it_opens(proxied: Proxied) -> None:
    closed = proxied.upstream.wait_until_closed()
    async with proxied.connect() as visitor:
        await visitor.send_head("GET", "ws", UPGRADE)
        await until(lambda: bool(proxied.upstream.requests))
    await asyncio.wait_for(closed.wait(), 30)
    await until(lambda: len(proxied.service.streams) == 0)


async def test_its_path_is_mapped_as_those_of_pages(start_proxy: StartProxy) -> None:
    proxied = await start_proxy(strip_prefix=True)
    proxied.upstream.script = respond(SWITCH)

    async with proxied.connect() as visitor:
        assert (await opened(visitor)).status == 101
    assert proxied.upstream.request.target == "/ws?a=%2F"
