"""A relay in front of a real hub's API that injects faults."""

from __future__ import annotations

import asyncio
from contextlib import suppress

FAULTS = ("refuse", "hang", "cut", "error", "garbage", "half", "huge", "redirect")

#: A user who may use the service, if only this were shorter: 9 MiB.
HUGE = (
    b'{"name": "sam", "kind": "user", "admin": false, "groups": [],'
    b' "scopes": ["access:services!service=tornado-service"]}'
).ljust(9 * 1024 * 1024)
HUGE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"

RESPONSES = {
    "error": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops",
    "garbage": b"\x16\x03\x01 this is no HTTP\r\n\r\n",
    "half": b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"na',
    "huge": HUGE_HEAD % len(HUGE) + HUGE,
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    "cut": b"",
}


class Relay:
    """Forwards connections to the hub, unless ``fault`` is set.

    Args:
        port: the hub's own port on 127.0.0.1.
    """

    def __init__(self, port: int, at: int) -> None:
        self.fault: str | None = None
        self.delay = 0.0
        self.calls = 0
        self._hub_port = port
        self._at = at
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._at)

    async def stop(self) -> None:
        """Refuse new connections, and close open ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def misbehave(self, fault: str | None) -> None:
        """Begin a fault, or end it with ``None``."""
        self.fault = fault
        if fault == "refuse":
            await self.stop()
        elif self._server is None:
            await self.start()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        self.calls += 1
        if self.fault == "hang":
            await asyncio.sleep(60)
        if self.fault in RESPONSES:
            writer.write(RESPONSES[self.fault])
            await writer.drain()
            return
        await asyncio.sleep(self.delay)
        to_hub_reader, to_hub = await asyncio.open_connection("127.0.0.1", self._hub_port)
        try:
            to_hub.write(request)
            await asyncio.gather(self._copy(reader, to_hub), self._copy(to_hub_reader, writer))
        finally:
            to_hub.close()

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
        with suppress(OSError):
            target.write_eof()
