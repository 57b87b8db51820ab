"""Taking over an app's connection from asyncio's streams, whatever state it is in."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from tests.support.streaming import until
from tornado_service.proxy.websocket.app_connection import AppConnection


class Taken:
    """An app's connection, and the other end of it."""

    def __init__(self, peer: socket.socket) -> None:
        self.peer = peer
        self.received = b""
        self.ends: list[tuple[bool, bool]] = []

    async def open(self, ours: socket.socket) -> None:
        self.reader, self.writer = await asyncio.open_connection(sock=ours)
        self.connection = AppConnection(self.reader, self.writer, self.on_data, self.on_end)

    def on_data(self, data: bytes) -> None:
        self.received += data

    def on_end(self) -> None:
        self.ends.append((self.connection.has_ended, self.connection.is_closed))

    async def arrived(self, size: int) -> None:
        await until(lambda: len(self.reader._buffer) == size)  # type: ignore[attr-defined]


@pytest.fixture
async def app() -> AsyncIterator[Taken]:
    ours, peer = socket.socketpair()
    peer.setblocking(False)
    taken = Taken(peer)
    await taken.open(ours)
    yield taken
    taken.writer.transport.abort()
    peer.close()
    await asyncio.sleep(0)


async def test_bytes_arrive_in_order_whoever_holds_them(app: Taken) -> None:
    app.peer.send(b"held by the streams, ")
    await app.arrived(21)
    app.peer.send(b"in the kernel")

    await app.connection.take_over(b"in the response, ")
    await until(lambda: app.received.endswith(b"kernel"))

    assert app.received == b"in the response, held by the streams, in the kernel"
    assert not app.connection.has_ended


async def test_more_than_the_streams_take_arrives(app: Taken) -> None:
    sent = 0
    with suppress(BlockingIOError):  # the kernel's buffers are full, too
        while True:
            sent += app.peer.send(bytes(65536))
            await asyncio.sleep(0)

    await app.connection.take_over(b"")

    await until(lambda: len(app.received) == sent)


async def test_an_end_that_the_streams_have_seen_is_reported(app: Taken) -> None:
    app.peer.send(b"last")
    app.peer.shutdown(socket.SHUT_WR)
    await until(lambda: app.reader._eof)  # type: ignore[attr-defined]

    await app.connection.take_over(b"")
    await until(lambda: app.connection.has_ended)

    assert app.received == b"last"
    assert app.ends == [(True, False)], "it can still be written"
    app.connection.write(b"answer")
    assert app.peer.recv(100) == b"answer"


async def test_a_connection_that_is_lost_already_is_reported(app: Taken) -> None:
    app.writer.transport.abort()
    await app.connection.take_over(b"first")

    assert app.received == b"first"
    assert app.ends == [(True, True)]
    app.connection.write(b"into the void")
    app.connection.close()
    app.connection.abort()


async def test_the_streams_learn_of_the_end(app: Taken) -> None:
    await app.connection.take_over(b"")
    app.connection.close()

    await asyncio.wait_for(app.writer.wait_closed(), 10)

    assert app.ends == [(True, True)]


async def test_writers_wait_while_the_app_does_not_read(app: Taken) -> None:
    await app.connection.take_over(b"")
    await app.connection.wait_for_room()  # there is some
    while not app.connection.is_full:
        app.connection.write(bytes(65536))
    waiting = asyncio.ensure_future(app.connection.wait_for_room())

    def has_room() -> bool:
        app.peer.recv(65536)
        return not app.connection.is_full

    await until(has_room)
    await waiting


async def test_a_lost_connection_ends_the_wait_for_room(app: Taken) -> None:
    await app.connection.take_over(b"")
    while not app.connection.is_full:
        app.connection.write(bytes(65536))
    waiting = asyncio.ensure_future(app.connection.wait_for_room())

    app.connection.abort()

    await waiting


async def test_a_paused_connection_is_hung_up_once_the_peer_has_gone(app: Taken) -> None:
    await app.connection.take_over(b"")
    app.connection.pause()
    app.peer.send(b"unread")
    assert not app.connection.is_hung_up()

    app.peer.close()

    assert app.connection.is_hung_up()
    assert not app.connection.has_ended
    app.connection.resume()
    await until(lambda: app.connection.has_ended)
    assert app.received == b"unread"
