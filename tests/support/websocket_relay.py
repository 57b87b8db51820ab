"""A minimal server around tunnels, and apps and visitors of raw bytes."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from tests.support.streaming import UPGRADE, until
from tornado_service.proxy.websocket.tunnel import Tunnel

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Tls = tuple[ssl.SSLContext, ssl.SSLContext]
App = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


class Relay:
    """Passes the handshake on as it is, then runs a tunnel.

    Args:
        connect: connects to the app.
        tls: contexts of a server and of its clients, for visitors.
        options: arguments of ``Tunnel``.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Connection]], tls: Tls | None = None, **options: Any
    ) -> None:
        self._client_tls = tls[1] if tls else None
        self.connect = connect
        self.options = options
        self.tunnels: list[Tunnel] = []
        self.running = 0
        application = Application(
            [(".*", RelayHandler, {"relay": self})], log_function=lambda handler: None
        )
        self._server = HTTPServer(application, ssl_options=tls[0] if tls else None)
        sockets = bind_sockets(0, "127.0.0.1")
        self._server.add_sockets(sockets)
        self.port: int = sockets[0].getsockname()[1]

    async def open(self) -> Connection:
        """A visitor, after the handshake."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self._client_tls)
        lines = "".join(f"{name}: {value}\r\n" for name, value in UPGRADE.items())
        writer.write(f"GET / HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
        assert await reader.readuntil(b"\r\n\r\n") == SWITCHING
        return reader, writer

    async def stop(self) -> None:
        self._server.stop()
        for tunnel in self.tunnels:
            tunnel.abort()
        await self._server.close_all_connections()


class RelayHandler(RequestHandler):
    def initialize(self, relay: Relay) -> None:
        self.relay = relay

    async def get(self) -> None:
        reader, writer = await self.relay.connect()
        head = f"GET {self.request.uri} HTTP/1.1\r\n"
        for name, value in self.request.headers.get_all():
            head += f"{name}: {value}\r\n"
        writer.write(f"{head}\r\n".encode())
        response = b""
        while b"\r\n\r\n" not in response:
            response += await reader.read(4096)
        head_, _, first = response.partition(b"\r\n\r\n")
        stream = self.detach()
        await stream.write(head_ + b"\r\n\r\n")
        tunnel = Tunnel(stream, reader, writer, first=first, **self.relay.options)
        self.relay.tunnels.append(tunnel)
        self.relay.running += 1
        try:
            await tunnel.run()
        finally:
            self.relay.running -= 1


@asynccontextmanager
async def raw_app(
    serve: App, greeting: bytes = b"", path: str = "", tls: Tls | None = None
) -> AsyncIterator[Callable[[], Awaitable[Connection]]]:
    """A server that accepts every handshake, sends a greeting with it, then calls ``serve``."""
    tasks = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(respond(reader, writer)))

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(SWITCHING + greeting)
            await serve(reader, writer)
        finally:
            writer.close()

    if path:
        server = await asyncio.start_unix_server(accept, path)
    else:
        server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls and tls[0])
        address = server.sockets[0].getsockname()
    try:
        if path:
            yield lambda: asyncio.open_unix_connection(path)
        else:
            yield lambda: asyncio.open_connection(*address, ssl=tls and tls[1])
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Meeting:
    """Both ends of one tunnel: the app's streams and the visitor's."""

    def __init__(self, relay: Relay, visitor: Connection, app: Connection) -> None:
        self.relay = relay
        self.visitor_reader, self.visitor = visitor
        self.app_reader, self.app = app
        self.tunnel = relay.tunnels[0]

    async def ended(self) -> None:
        """Wait for the end of the tunnel."""
        await until(lambda: not self.relay.running)


@asynccontextmanager
async def meeting(
    greeting: bytes = b"", path: str = "", tls: Tls | None = None, **options: Any
) -> AsyncIterator[Meeting]:
    """A visitor and an app, of raw bytes.

    Args:
        greeting: bytes that the app sends in one piece with its response to the handshake.
        path: of a unix socket, for the app.
        tls: contexts of a server and of its clients, for both.
        options: arguments of ``Tunnel``.
    """
    arrived: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set_result((reader, writer))
        await over.wait()

    async with raw_app(serve, greeting, path, tls) as connect:
        relay = Relay(connect, tls, **options)
        visitor = await relay.open()
        try:
            yield Meeting(relay, visitor, await arrived)
        finally:
            over.set()
            visitor[1].close()
            await relay.stop()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a process does that is killed: by a reset, where there are such."""
    connection = writer.get_extra_info("socket")
    if connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def read_to_the_end(reader: asyncio.StreamReader) -> bytes:
    """What is received up to the end of the connection, or its reset."""
    read = b""
    try:
        while piece := await reader.read(65536):
            read += piece
    except ConnectionResetError:
        pass
    return read
