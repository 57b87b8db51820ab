"""Bytes to and from an app: a socket, or TLS."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Any, Protocol

from .target import Target

#: Seconds for a connection to be established.
CONNECT_TIMEOUT = 10.0

#: Seconds until another attempt, if the queue of a unix socket is full.
QUEUE_PAUSE = 0.02

#: Bytes to receive at once.
CHUNK = 64 * 1024

#: Acknowledge at once, until further notice (https://man7.org/linux/man-pages/man7/tcp.7.html). An
#: app that sends head and body one by one, with Nagle's algorithm, else waits 40 ms in between.
QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class Wire(Protocol):
    """A connection to an app."""

    async def receive(self) -> bytes:
        """The next bytes; none at the end.

        Raises:
            OSError: the connection has failed, or was closed here.
        """

    async def send(self, data: bytes) -> None:
        """Send all of it; waits while the app does not read.

        Raises:
            OSError: the connection has failed, or was closed here. What the app has sent before can
                still be received.
        """

    def is_quiet(self) -> bool:
        """Whether it is open, and nothing has come that nobody asked for."""

    def close(self) -> None:
        """Close it. Pending calls raise `OSError`."""

    async def as_streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
        """Hand the connection over, with what has been received of it.

        This object must not be used any more.
        """


class SocketWire:
    """A connected socket.

    Not asyncio's streams: those close at the first byte that cannot be sent, and lose the response
    of an app that has refused a body early.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._loop = asyncio.get_running_loop()
        self._received = b""  # at most two chunks
        self._has_ended = False
        self._error: OSError | None = None
        self._waits: set[asyncio.Future[None]] = set()
        self._readable: asyncio.Future[None] | None = None
        self._is_reading = False
        self._is_tcp = sock.family != socket.AF_UNIX
        self._resume_reading()

    def _resume_reading(self) -> None:
        if not (self._is_reading or self._has_ended or self._error):
            self._is_reading = True
            self._loop.add_reader(self._socket.fileno(), self._on_readable)

    def _pause_reading(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._socket.fileno())

    def _on_readable(self) -> None:
        try:
            data = self._socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._error = error
        else:
            self._received += data
            self._has_ended = not data
            if self._is_tcp and QUICK_ACK is not None:
                self._socket.setsockopt(socket.IPPROTO_TCP, QUICK_ACK, 1)
        if self._has_ended or self._error or len(self._received) >= CHUNK:
            self._pause_reading()
        if self._readable is not None:
            _set_ready(self._readable)

    async def receive(self) -> bytes:
        if not self._received:
            await self._wait_readable()
        else:  # both sides may be so fast that nothing would ever wait
            await asyncio.sleep(0)
        data, self._received = self._received, b""
        if not data and self._error:
            raise self._error
        self._resume_reading()
        return data

    async def _wait_readable(self) -> None:
        while not (self._received or self._has_ended or self._error):
            self._readable = self._loop.create_future()
            try:
                await self._readable
            finally:
                self._readable = None

    async def send(self, data: bytes) -> None:
        left: bytes | memoryview = data
        while left:
            try:
                sent = self._socket.send(left)
            except BlockingIOError:
                await self._wait_writable()
            else:
                left = memoryview(left)[sent:] if sent < len(left) else b""

    async def _wait_writable(self) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()
        number = self._socket.fileno()
        self._loop.add_writer(number, _set_ready, ready)
        self._waits.add(ready)
        try:
            await ready
        finally:
            self._waits.discard(ready)
            if self._socket.fileno() == number:  # else the number may be another connection's
                self._loop.remove_writer(number)

    def is_quiet(self) -> bool:
        if self._received or self._has_ended or self._error:
            return False
        try:  # the loop may not have seen it yet
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def close(self) -> None:
        number = self._socket.fileno()
        if number >= 0:
            self._pause_reading()
            self._loop.remove_writer(number)
            self._socket.close()
        self._received = b""
        self._error = ConnectionAbortedError("closed")
        for ready in (*self._waits, self._readable):
            if ready is not None and not ready.done():
                ready.set_exception(self._error)

    async def as_streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
        self._pause_reading()
        is_unix = self._socket.family == socket.AF_UNIX
        connect = asyncio.open_unix_connection if is_unix else asyncio.open_connection
        return (*await connect(sock=self._socket), self._received)


def _set_ready(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


class TLSWire:
    """A connection with TLS, by asyncio's streams."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def receive(self) -> bytes:
        data = await self._reader.read(CHUNK)
        await asyncio.sleep(0)
        return data

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def is_quiet(self) -> bool:
        waiting = self._reader._buffer  # type: ignore[attr-defined] # no public way to look
        return not (waiting or self._reader.at_eof() or self._writer.is_closing())

    def close(self) -> None:
        self._writer.transport.abort()

    async def as_streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
        return self._reader, self._writer, b""


async def open_wire(target: Target) -> Wire:
    """Connect to an app.

    Raises:
        OSError: it does not accept a connection in time.
    """
    try:
        return await asyncio.wait_for(_open_wire(target), CONNECT_TIMEOUT)
    except asyncio.TimeoutError:
        raise TimeoutError(f"no connection in {CONNECT_TIMEOUT:g} s") from None


async def _open_wire(target: Target) -> Wire:
    if target.tls:
        return TLSWire(*await target.connect())
    if target.unix_socket:
        return SocketWire(await _connect_unix(target.unix_socket))
    return SocketWire(await _connect_tcp(target.host, target.port))


async def _connect_unix(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        while True:
            # not loop.sock_connect: with a full queue the kernel refuses, and does not connect
            # later (https://man7.org/linux/man-pages/man2/connect.2.html, EAGAIN)
            with suppress(BlockingIOError):
                sock.connect(path)
                return sock
            await asyncio.sleep(QUEUE_PAUSE)
    except BaseException:
        sock.close()
        raise


async def _connect_tcp(host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    error: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in await _addresses(host, port):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as failure:
            sock.close()
            error = failure
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise error


async def _addresses(host: str, port: int) -> list[Any]:
    try:  # without a thread
        return socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        )
    except socket.gaierror:
        loop = asyncio.get_running_loop()
        return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
