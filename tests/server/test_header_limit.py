"""Incoming headers: bounded in size and time, each and in total."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from weakref import WeakSet

import pytest
from tornado.http1connection import HTTP1ServerConnection

from tests.support.streaming import until
from tornado_service.server import header_limit as incoming_headers
from tornado_service.server.header_limit import MAX_HEADER_BYTES
from tornado_service.testing import PREFIX, StartService

REQUEST = f"GET {PREFIX}health HTTP/1.1\r\nHost: x\r\n".encode()
HALF = REQUEST + b"X: " + b"x" * 4000

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[..., Awaitable[Connection]]


@pytest.fixture
async def connect(start_service: StartService) -> AsyncIterator[Connect]:
    """Connect to a service, and send something."""
    service = await start_service()
    writers = []

    async def connect(sent: bytes = b"") -> Connection:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writers.append(writer)
        writer.write(sent)
        return reader, writer

    yield connect
    for writer in writers:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def end_of(connection: Connection) -> bytes:
    """The bytes that the service sends until it closes the connection."""
    try:
        return await asyncio.wait_for(connection[0].read(), 30)
    except ConnectionResetError:
        return b""


async def response(connection: Connection) -> bytes:
    """One response that is no error, on a connection that stays open."""
    reader, writer = connection
    writer.write(REQUEST + b"\r\n")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    (size,) = (int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    await asyncio.wait_for(reader.readexactly(size), 30)
    return head.split(b"\r\n")[0]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming_headers, "CHECK_INTERVAL", 0.02)


@pytest.fixture
def impatient(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming_headers, "HEADER_TIMEOUT", 0.1)


@pytest.mark.usefixtures("impatient")
class TestTooSlow:
    @pytest.mark.parametrize("sent", [b"", b"G", REQUEST, HALF])
    async def test_on_a_new_connection(self, connect, sent: bytes) -> None:

        assert await end_of(await connect(sent)) == b""

    async def test_a_later_request(self, connect) -> None:
        connection = await connect()
        await response(connection)
        connection[1].write(HALF)

        assert await end_of(connection) == b""

    async def test_what_comes_together_with_another_request(self, connect) -> None:
        connection = await connect(REQUEST + b"\r\n" + HALF)

        assert (await end_of(connection)).startswith(b"HTTP/1.1 200")

    async def test_a_trickle_of_bytes(self, connect) -> None:
        reader, writer = await connect(REQUEST)
        closed = asyncio.ensure_future(end_of((reader, writer)))
        while not closed.done():
            writer.write(b"X: y\r\n")
            await asyncio.wait([closed], timeout=0.05)

        assert closed.result() == b""

    async def test_a_connection_that_waits_for_its_next_request_stays(self, connect) -> None:
        idle = await connect()
        await response(idle)
        for _ in range(2):  # each begins after the response, and is closed before the next request
            assert await end_of(await connect(HALF)) == b""

        assert await response(idle) == b"HTTP/1.1 200 OK"


@pytest.mark.usefixtures("quick")
async def test_all_together_are_bounded_and_the_oldest_go(
    connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming_headers, "MAX_PENDING_HEADER_BYTES", 3 * len(HALF))
    idle = await connect()
    await response(idle)
    connections = [await connect(HALF) for _ in range(8)]

    for connection in connections[:5]:
        assert await end_of(connection) == b""
    for reader, writer in connections[5:]:
        writer.write(b"\r\n\r\n")
        assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
        writer.close()
    assert await response(idle) == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    "size", [MAX_HEADER_BYTES - 200, MAX_HEADER_BYTES + 1, 4 * MAX_HEADER_BYTES]
)
async def test_headers_of_one_request_are_bounded(connect, size: int) -> None:
    """Node, on which the hub's proxy runs, lets 16 KiB through and adds some of its own."""
    begin, end = REQUEST + b"Connection: close\r\nX: ", b"\r\n\r\n"
    reported = await end_of(await connect(begin + b"x" * (size - len(begin + end)) + end))

    assert reported.startswith(b"HTTP/1.1 200") == (size < MAX_HEADER_BYTES)


def server_connections() -> list[HTTP1ServerConnection]:
    gc.collect()
    return [kept for kept in gc.get_objects() if type(kept) is HTTP1ServerConnection]


async def test_nothing_is_kept_of_closed_connections(connect) -> None:
    before = WeakSet(server_connections())  # of earlier tests
    for _ in range(5):
        await end_of(await connect(REQUEST + b"Connection: close\r\n\r\n"))

    await until(lambda: all(kept in before for kept in server_connections()))
