"""A web app behind the service: scripted byte by byte, and visitors that see every byte."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.support.proxy_upstream import (
    OK,
    PATIENCE,
    Call,
    Lines,
    Received,
    Script,
    Upstream,
    chunked,
    head,
    read_body,
    read_head,
    respond,
)
from tornado_service.app import TornadoService
from tornado_service.proxy.forward.target import Target
from tornado_service.proxy.web_app import WebApp
from tornado_service.testing import PREFIX

__all__ = [
    "APP",
    "OK",
    "PATH",
    "Call",
    "Proxied",
    "Received",
    "Reply",
    "Sales",
    "Script",
    "StandInSupervisor",
    "Upstream",
    "VisitorConnection",
    "chunked",
    "head",
    "is_complete",
    "respond",
]

APP = "tests.support.proxy:Sales"
PATH = f"{PREFIX}sales/"


class Sales(WebApp):
    """An app at the target of the test."""

    name = "sales"
    title = "Sales"
    url = "http://127.0.0.1:1"
    target: ClassVar[Target]
    supervisor: Any = None

    def _connect(self) -> None:
        super()._connect()
        self.url_target = self.target


@dataclass
class Reply:
    """A response as the visitor got it."""

    status: int
    reason: str
    headers: Lines
    body: bytes = b""
    informational: list[tuple[int, Lines]] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        values = self.get_list(name)
        assert len(values) < 2, values
        return values[0] if values else None

    def get_list(self, name: str) -> list[str]:
        return [value for given, value in self.headers if given.lower() == name.lower()]


@dataclass
class Proxied:
    """The service in front of the app, with the token of a visitor."""

    service: TornadoService
    upstream: Upstream
    token: str
    app: Sales

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[VisitorConnection]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.service.port)
        try:
            yield VisitorConnection(self, reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def call(self, method: str = "GET", path: str = "", *args: Any, **more: Any) -> Reply:
        """Make one request on a connection of its own."""
        async with self.connect() as visitor:
            return await visitor.call(method, path, *args, **more)


@dataclass
class VisitorConnection:
    """A connection of a visitor to the service."""

    proxied: Proxied
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def call(
        self,
        method: str = "GET",
        path: str = "",
        headers: Lines | dict[str, str] | None = None,
        body: bytes = b"",
        **more: Any,
    ) -> Reply:
        lines = list(headers.items() if isinstance(headers, dict) else headers or [])
        if body and "transfer-encoding" not in {name.lower() for name, _ in lines}:
            lines.append(("Content-Length", str(len(body))))
        await self.send_head(method, path, lines, **more)
        await self.send(body)
        return await self.read(method)

    async def send_head(
        self,
        method: str = "GET",
        path: str = "",
        headers: Lines | dict[str, str] | None = None,
        *,
        version: str = "1.1",
        signed_in: bool = True,
    ) -> None:
        lines = list(headers.items() if isinstance(headers, dict) else headers or [])
        names = {name.lower() for name, _ in lines}
        if "host" not in names:
            lines.insert(0, ("Host", "hub.example.org"))
        if signed_in and "authorization" not in names:
            lines.append(("Authorization", f"token {self.proxied.token}"))
        target = path if path.startswith("/") else PATH + path
        head = f"{method} {target} HTTP/{version}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in lines) + "\r\n"
        await self.send(head.encode("latin-1"))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read_head(self) -> Reply:
        informational = []
        while True:
            line, headers = await read_head(self.reader)
            _, status, reason = line.split(" ", 2)
            if not status.startswith("1") or status == "101":
                return Reply(int(status), reason, headers, informational=informational)
            informational.append((int(status), headers))

    async def read(self, method: str = "GET") -> Reply:
        reply = await self.read_head()
        if method != "HEAD" and reply.status not in (204, 304):
            reply.body = await asyncio.wait_for(
                read_body(self.reader, reply.headers, None), PATIENCE
            )
        return reply

    async def read_to_end(self) -> bytes:
        """All bytes up to the end of the connection, or its reset."""
        data = b""
        with suppress(ConnectionError):
            while piece := await asyncio.wait_for(self.reader.read(65536), PATIENCE):
                data += piece
        return data


class StandInSupervisor:
    """A supervisor whose process is ready when the test says so."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.is_ready = True
        self.starts = 0
        self.unreachable = 0
        self.users = 0
        self.most_users = 0
        self.ready = asyncio.Event()
        self.problem = ""
        self.is_failing = False
        self.details: dict[str, str] = {}
        self.reports: list[tuple[int, bytes, bool]] = []

    def request_start(self) -> None:
        self.starts += 1

    async def wait_ready(self) -> None:
        await self.ready.wait()
        self.is_ready = True

    def report_unreachable(self) -> None:
        self.unreachable += 1

    def report_response(self, status: int, headers: Any, body: bytes, is_websocket: bool) -> None:
        self.reports.append((status, bytes(body), is_websocket))

    def begin_use(self) -> None:
        self.users += 1
        self.most_users = max(self.most_users, self.users)

    def end_use(self) -> None:
        self.users -= 1


def is_complete(raw: bytes) -> bool:
    """Whether a response on a connection that has ended looks complete to a visitor."""
    start, _, body = raw.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", start, re.IGNORECASE)
    if length:
        return len(body) >= int(length[1])
    return body.endswith(b"0\r\n\r\n") if b"chunked" in start.lower() else True
