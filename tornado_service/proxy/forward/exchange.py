"""One request to an app, and its response, which may begin before the request has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import h11

from .connection import Connection, Pool
from .target import Target

#: https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2
IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"})

#: Responses 1xx of one request.
MAX_INFORMATIONAL = 32

#: Pieces of a body before other tasks run: an app can send chunks of a byte.
EVENTS_PER_TURN = 500

Headers: TypeAlias = list[tuple[bytes, bytes]]


class BadResponse(Exception):
    """The app's response is no HTTP, or ends too early; the text is for the log."""


class Exchange:
    """Sends a request to an app and reads its response.

    Attributes:
        is_complete: whether all of the response has come.
        trailers: the fields after its body.

    Args:
        pool: the app's idle connections.
        target: where it listens.
        request: its line and headers.
        has_body: whether a body follows; else the request ends with its headers.
    """

    def __init__(self, pool: Pool, target: Target, request: h11.Request, *, has_body: bool) -> None:
        self._pool = pool
        self._target = target
        self._request = request
        self._has_body = has_body
        #: If an idle connection has just been closed by the app, such a request is sent again.
        #: Others get a connection of their own, as they might be carried out twice.
        self._may_repeat = request.method in IDEMPOTENT and not has_body
        self._connection: Connection | None = None
        self._can_send = has_body
        self._is_closed = False
        self._has_received = False
        self._is_at_end = False
        self._has_more = False
        self.is_complete = False
        self.trailers: Headers = []

    @property
    def _open_connection(self) -> Connection:
        if self._connection is None:
            raise ConnectionAbortedError("closed")
        return self._connection

    async def open(self) -> None:
        """Connect, and send the request without its body.

        Raises:
            OSError: the app cannot be reached.
        """
        self._connection = self._pool.take(self._target) if self._may_repeat else None
        if self._connection is not None:
            try:
                await self._send_head()
            except OSError:
                self._drop()
            else:
                return
        await self._open_new()

    async def _open_new(self) -> None:
        self._connection = await Connection.open(self._target)
        if self._is_closed:
            self._drop()
            raise ConnectionAbortedError("closed")
        await self._send_head()

    async def _send_head(self) -> None:
        connection = self._open_connection
        data = connection.protocol.send(self._request)
        if not self._has_body:
            data += connection.protocol.send(h11.EndOfMessage())
        await connection.wire.send(data)

    async def send_body(self, chunk: bytes) -> None:
        """Send a piece of the body; waits while the app does not read.

        Does nothing once the app has stopped to read: it may have responded, or the connection has
        failed, which reading the response shows.
        """
        if self._can_send:
            await self._send_event(h11.Data(data=chunk))

    async def end_body(self) -> None:
        """End the body."""
        if self._can_send:
            await self._send_event(h11.EndOfMessage())

    async def _send_event(self, event: h11.Data | h11.EndOfMessage) -> None:
        try:
            connection = self._open_connection
            await connection.wire.send(connection.protocol.send(event))
        except (OSError, h11.LocalProtocolError):
            self._can_send = False

    async def response(
        self, on_informational: Callable[[h11.InformationalResponse], Awaitable[None]]
    ) -> h11.Response | h11.InformationalResponse:
        """The status and headers of the response; 101 if the protocol is switched.

        Args:
            on_informational: called with each response 1xx before it.

        Raises:
            BadResponse: the app has closed the connection, or its response is no HTTP/1.
            OSError: the app cannot be reached again.
        """
        informational = 0
        await self._receive_head()
        while True:
            event = self._next_event()
            if event is h11.NEED_DATA:
                await self._receive_head()
            elif isinstance(event, h11.InformationalResponse):
                if event.status_code == 101:
                    return event
                informational += 1
                if informational > MAX_INFORMATIONAL:
                    raise BadResponse("too many responses 1xx")
                await on_informational(event)
            elif isinstance(event, h11.Response):
                _check_framing(event)
                return event
            else:
                raise BadResponse("it has no status line")

    async def _receive_head(self) -> None:
        may_repeat = self._may_repeat and self._open_connection.is_reused and not self._has_received
        try:
            await self.receive()
        except BadResponse:
            if not may_repeat or self._is_closed:
                raise
        else:
            if not (may_repeat and self._is_at_end):
                return
        self._drop()
        self._is_at_end = False
        await self._open_new()

    async def receive(self) -> None:
        """Wait for more of the response.

        Raises:
            BadResponse: the connection has failed.
        """
        if self._has_more:
            self._has_more = False
            await asyncio.sleep(0)
            return
        try:
            connection = self._open_connection
            data = await connection.wire.receive()
        except OSError as error:
            raise BadResponse(f"the connection failed: {error.strerror or error}") from error
        self._is_at_end = not data
        self._has_received = self._has_received or bool(data)
        connection.protocol.receive_data(data)

    def take(self) -> bytes:
        """The part of the body that has come since the last call.

        Raises:
            BadResponse: the body is malformed, or has ended too early.
        """
        pieces: list[bytes] = []
        while not self.is_complete:
            if len(pieces) == EVENTS_PER_TURN:
                self._has_more = True
                break
            event = self._next_event()
            if isinstance(event, h11.Data):
                pieces.append(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self.is_complete = True
                self.trailers = event.headers.raw_items()
            elif event is h11.NEED_DATA:
                break
            else:
                raise BadResponse("the connection was closed")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            return self._open_connection.protocol.next_event()
        except h11.RemoteProtocolError as error:
            raise BadResponse(str(error)[:200]) from error

    async def detach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
        """Hand over the connection after 101, with the bytes that have come after that."""
        connection = self._open_connection
        self._connection = None
        reader, writer, received = await connection.wire.as_streams()
        return reader, writer, connection.protocol.trailing_data[0] + received

    def finish(self) -> None:
        """Keep the connection for another request, if possible."""
        if self._connection is not None:
            self._pool.give(self._connection)
            self._connection = None

    def close(self) -> None:
        """Close the connection: the app sees that nobody waits any more. Pending calls raise."""
        self._is_closed = True
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _check_framing(response: h11.Response) -> None:
    """Refuse a response whose length is not clear (RFC 9112, section 6.3)."""
    names = {name.lower() for name, _ in response.headers.raw_items()}
    if b"transfer-encoding" in names:
        if b"content-length" in names:
            raise BadResponse("it has both Content-Length and Transfer-Encoding")
        if response.http_version < b"1.1":
            raise BadResponse("it has a Transfer-Encoding in HTTP/1.0")
