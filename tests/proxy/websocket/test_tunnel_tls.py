"""A tunnel between a visitor with TLS, as by the hub's internal_ssl, and an app with TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.certificates import make_server_context
from tests.support.websocket_frames import (
    BINARY,
    CLOSE,
    KEY,
    TEXT,
    Frame,
    close_payload,
    read_frame,
)
from tests.support.websocket_relay import Meeting, meeting, read_to_the_end

MIB = 1024 * 1024


@pytest.fixture
async def tls_pair(tmp_path: Path) -> AsyncIterator[Meeting]:
    server, authority = make_server_context(tmp_path, "127.0.0.1")
    client = ssl.create_default_context(cafile=str(authority))
    client.check_hostname = False
    greeting = Frame(TEXT, b"greeting").encode()
    async with meeting(greeting, tls=(server, client)) as it:
        assert await read_frame(it.visitor_reader) == Frame(TEXT, b"greeting")
        yield it


async def test_large_messages_pass_both_ways_at_once(tls_pair: Meeting) -> None:
    to_app = Frame(BINARY, bytes(range(256)) * 20_000, key=KEY)
    to_visitor = Frame(BINARY, bytes(reversed(range(256))) * 20_000)
    tls_pair.visitor.write(to_app.encode())
    tls_pair.app.write(to_visitor.encode())

    received = await asyncio.gather(
        read_frame(tls_pair.app_reader), read_frame(tls_pair.visitor_reader)
    )

    assert received == [to_app, to_visitor]


async def test_a_slow_visitor_gets_all(tls_pair: Meeting) -> None:
    tls_pair.visitor_reader._transport.pause_reading()
    tls_pair.app.write(Frame(BINARY, bytes(16 * MIB)).encode())
    await asyncio.sleep(0.05)
    tls_pair.visitor_reader._transport.resume_reading()

    assert len((await read_frame(tls_pair.visitor_reader)).payload) == 16 * MIB


@pytest.mark.parametrize("leaver", ["app", "visitor"])
async def test_the_end_of_one_side_ends_the_other(tls_pair: Meeting, leaver: str) -> None:
    getattr(tls_pair, leaver).close()

    other = tls_pair.app_reader if leaver == "visitor" else tls_pair.visitor_reader
    assert await read_to_the_end(other) == b""
    await tls_pair.ended()


async def test_it_is_closed_by_us(tls_pair: Meeting) -> None:
    tls_pair.tunnel.close(1001, "stopping")

    close = Frame(CLOSE, close_payload(1001, "stopping"))
    assert await read_frame(tls_pair.visitor_reader) == close
    assert (await read_frame(tls_pair.app_reader)).payload == close.payload
    tls_pair.app.write(close.encode())
    tls_pair.visitor.write(close._replace(key=KEY).encode())
    assert await read_to_the_end(tls_pair.visitor_reader) == b""
    await tls_pair.ended()
