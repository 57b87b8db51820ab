"""A minimal HTTP client, so that its own time does not count."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

HOST = "127.0.0.1"
Headers = Mapping[str, str]


@dataclass(frozen=True)
class Response:
    """A response. Status 0: none arrived in time."""

    status: int
    seconds: float
    headers: Headers = field(default_factory=dict)
    body: bytes = b""


class Connection:
    """A connection to a local port, for one request after the other."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(HOST, self.port)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def fetch(
        self,
        path: str,
        headers: Headers,
        *,
        method: str = "GET",
        body: bytes = b"",
        limit: float = 30,
    ) -> Response:
        """Send a request, and wait so many seconds for its response."""
        started = time.perf_counter()
        try:
            response = await asyncio.wait_for(self._fetch(path, headers, method, body), limit)
        except (asyncio.TimeoutError, OSError, EOFError):
            self.close()
            return Response(0, time.perf_counter() - started)
        return Response(response[0], time.perf_counter() - started, response[1], response[2])

    async def _fetch(
        self, path: str, headers: Headers, method: str, body: bytes
    ) -> tuple[int, Headers, bytes]:
        await self.open()
        assert self._writer is not None
        fields = {"Host": f"{HOST}:{self.port}", **headers}
        if body:
            fields["Content-Length"] = str(len(body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._writer.write(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
        return await read_response(self._reader)


async def read_response(reader: asyncio.StreamReader) -> tuple[int, Headers, bytes]:
    """Status, headers with lower-case names, and body; needs Content-Length."""
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.split(":", 1) for line in lines if line)
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(start.split()[1]), headers, body


async def fetch(port: int, path: str, headers: Headers | None = None, **more: object) -> Response:
    """One request on a connection of its own."""
    connection = Connection(port)
    try:
        return await connection.fetch(path, headers or {}, **more)  # type: ignore[arg-type]
    finally:
        connection.close()


async def first_response(port: int, path: str, limit: float = 30) -> Response:
    """Send requests until there is a response."""
    deadline = time.perf_counter() + limit
    while time.perf_counter() < deadline:
        response = await fetch(port, path)
        if response.status:
            return response
        await asyncio.sleep(0.002)
    raise RuntimeError(f"Nothing responds on port {port} within {limit:g} s.")
