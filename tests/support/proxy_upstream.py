"""A scripted app that sends and receives bytes as they are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tornado_service.proxy.forward.target import Target

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

#: Seconds after which a test fails instead of waiting longer.
PATIENCE = 30

Lines = list[tuple[str, str]]


def chunked(*chunks: bytes, trailers: bytes = b"") -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return body + b"0\r\n" + trailers + b"\r\n"


def head(status: str = "200 OK", *lines: str) -> bytes:
    rows = "".join(f"{line}\r\n" for line in lines)
    return f"HTTP/1.1 {status}\r\n{rows}\r\n".encode("latin-1")


@dataclass
class Received:
    """A request as the app got it."""

    line: str
    headers: Lines
    body: bytes = b""

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    def get(self, name: str) -> str | None:
        values = self.get_list(name)
        assert len(values) < 2, values
        return values[0] if values else None

    def get_list(self, name: str) -> list[str]:
        return [value for given, value in self.headers if given.lower() == name.lower()]


#: Responds to a request; returns when the connection may have another one, or closes it.
Script = Callable[["Call"], Awaitable[None]]


@dataclass
class Call:
    """A request at the app, and its connection."""

    request: Received
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int  # of the request on its connection

    async def read_body(self) -> bytes:
        self.request.body = await read_body(self.reader, self.request.headers, b"")
        return self.request.body

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def wait_closed(self) -> None:
        """Wait until the service has closed the connection."""
        with suppress(ConnectionError):
            while await asyncio.wait_for(self.reader.read(65536), PATIENCE):
                pass


def respond(raw: bytes, *, close: bool = False) -> Script:
    async def script(call: Call) -> None:
        await call.read_body()
        await call.send(raw)
        if close:
            call.writer.close()

    return script


@dataclass
class Upstream:
    """An app that does what a script says."""

    script: Script = field(default_factory=lambda: respond(OK))
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    target: Target = field(default_factory=Target)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, socket_path: Path | None = None, port: int = 0, tls: Any = None) -> None:
        if socket_path:
            self._server = await asyncio.start_unix_server(self._accept, socket_path)
            self.target = Target(unix_socket=str(socket_path))
        else:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, ssl=tls)
            port = self._server.sockets[0].getsockname()[1]
            self.target = Target(port=port, host="localhost" if tls else "127.0.0.1", tls=bool(tls))

    async def stop(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def wait_until_closed(self) -> asyncio.Event:
        """Respond nothing until the connection is closed, which sets the event."""
        closed = asyncio.Event()

        async def script(call: Call) -> None:
            await call.wait_closed()
            closed.set()

        self.script = script
        return closed

    @property
    def request(self) -> Received:
        (request,) = self.requests
        return request

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                number = 0
                while not writer.is_closing():
                    line, headers = await read_head(reader)
                    number += 1
                    request = Received(line, headers)
                    self.requests.append(request)
                    await self.script(Call(request, reader, writer, number))
        finally:
            self._tasks.discard(task)
            writer.close()


async def read_head(reader: asyncio.StreamReader) -> tuple[str, Lines]:
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)).decode("latin-1")
    line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    return line, [(name, value) for name, _, value in (row.partition(": ") for row in lines)]


async def read_body(reader: asyncio.StreamReader, headers: Lines, otherwise: bytes | None) -> bytes:
    """A body of known length or in chunks; else ``otherwise``, or all up to the end."""
    given = {name.lower(): value for name, value in headers}
    if given.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        trailers = []
        while (row := await reader.readline()) not in (b"\r\n", b""):
            trailers.append(row)
        return body + (b"|" + b"".join(trailers) if trailers else b"")
    if "content-length" in given:
        return await reader.readexactly(int(given["content-length"]))
    return await reader.read() if otherwise is None else otherwise
