"""A relay in front of the Hub API: counts calls and injects faults."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

from benchmarks.wire import HOST
from tornado_service.demo.processes import free_ports

FAULTS = ("refuse", "silent", "unknown")
#: The hub's response to an unknown token.
REFUSAL = b'{"status": 403, "message": "Forbidden"}'
UNKNOWN = (
    b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(REFUSAL), REFUSAL)
)


class Relay:
    """Forwards calls to the hub in a thread of its own, one call per connection."""

    def __init__(self) -> None:
        self.port = free_ports(1)[0]
        self.hub_port = 0
        self.lookups = 0  # calls that look up a token
        self._delay = 0.0
        self._fault = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.AbstractServer | None = None
        self._calls: set[asyncio.Task[Any]] = set()

    def __enter__(self) -> Relay:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextlib.contextmanager
    def delayed(self, seconds: float) -> Iterator[None]:
        """A hub that takes this long for every call."""
        self._delay = seconds
        try:
            yield
        finally:
            self._delay = 0.0

    @contextlib.contextmanager
    def faulty(self, fault: str) -> Iterator[None]:
        """A hub that refuses connections, accepts them without a response, or knows no token."""
        if fault not in FAULTS:
            raise ValueError(fault)
        self._fault = fault
        if fault == "refuse":
            self._run(self._stop())
        try:
            yield
        finally:
            self._fault = ""
            self._run(self._stop())  # waiting clients are disconnected
            self._run(self._listen())

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, self.port, backlog=1024)

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._response(reader, writer))
        self._calls.add(task)
        try:
            with contextlib.suppress(asyncio.CancelledError, OSError, EOFError):
                await task
        finally:
            self._calls.discard(task)
            writer.close()

    async def _response(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        self.lookups += b"/api/user HTTP/" in head
        if self._fault == "silent":
            await asyncio.sleep(3600)
        if self._delay:
            await asyncio.sleep(self._delay)
        if self._fault == "unknown":
            writer.write(UNKNOWN)
        else:
            await self._forward(head, body, writer)
        await writer.drain()

    async def _forward(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        head = re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head)
        head = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        reader, hub = await asyncio.open_connection(HOST, self.hub_port)
        try:
            hub.write(head + body)
            while piece := await reader.read(65536):
                writer.write(piece)
        finally:
            hub.close()
