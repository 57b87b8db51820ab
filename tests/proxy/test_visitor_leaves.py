"""Visitors who leave while the service does not read from their connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress

import pytest

from tests.support.proxy import Call, Proxied
from tests.support.streaming import until
from tornado_service.proxy import stall_watch


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stall_watch, "STALL_CHECK", 0.1)


async def test_a_part_of_another_request_is_not_read(proxied: Proxied) -> None:
    closed = proxied.upstream.wait_until_closed()
    async with proxied.connect() as visitor:
        await visitor.send_head()
        await visitor.send(b"GET")
        await until(lambda: bool(proxied.upstream.requests))
    await asyncio.wait_for(closed.wait(), 10)
    await until(lambda: proxied.service.context.open_requests == 0)


async def test_the_app_does_not_read_the_body(
    proxied: Proxied, caplog: pytest.LogCaptureFixture
) -> None:
    done = asyncio.Event()

    async def script(call: Call) -> None:
        call.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await done.wait()

    proxied.upstream.script = script
    async with proxied.connect() as visitor:
        await visitor.send_head("POST", "", {"Content-Length": "1000000000"})
        with suppress(asyncio.TimeoutError):  # until all buffers are full
            while True:
                await asyncio.wait_for(visitor.send(bytes(1_000_000)), 1)
        connection = visitor.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        visitor.writer.transport.abort()  # else the end would wait behind the unread bytes
    await until(lambda: proxied.service.context.open_requests == 0)
    done.set()

    assert "499 POST " in caplog.text
    assert "ERROR" not in caplog.text


async def test_a_visitor_who_waits_keeps_the_connection(proxied: Proxied) -> None:
    async def script(call: Call) -> None:
        await asyncio.sleep(0.5)
        await call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    proxied.upstream.script = script

    assert (await proxied.call()).body == b"ok"
