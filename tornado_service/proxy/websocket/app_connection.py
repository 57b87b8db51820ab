"""The app's connection of a WebSocket, by callbacks.

An ``asyncio.StreamReader`` drops what it holds when the connection is reset. An app that sends a
close frame and ends is reset whenever the visitor has just sent something: the close code would be
lost. Callbacks get each byte before the reset, and copy nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from ..stall_watch import is_hung_up

#: Bytes that may wait for the app.
WRITE_LIMIT = 64 * 1024


class AppConnection(asyncio.Protocol):
    """Takes over a connection from asyncio's streams, which must not be used any more.

    Args:
        on_data: is called with the bytes that the app sends.
        on_end: is called when nothing more comes, and when the connection is closed.

    Attributes:
        has_ended: nothing more comes from the app.
        is_closed: nor can anything be sent to it.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on_data: Callable[[bytes], None],
        on_end: Callable[[], None],
    ) -> None:
        self.has_ended = False
        self.is_closed = False
        self._reader = reader
        self._writer = writer  # closes the connection when it is deleted
        self._transport = cast("asyncio.Transport", writer.transport)
        self._previous: asyncio.BaseProtocol | None = None
        self._on_data = on_data
        self._on_end = on_end
        self._room: asyncio.Future[None] | None = None

    async def take_over(self, first: bytes) -> None:
        """Begin to call back.

        Args:
            first: bytes that came before those that the streams hold.
        """
        transport = self._transport
        if transport.is_closing():
            self.has_ended = self.is_closed = True
        else:
            transport.pause_reading()
            self._previous = transport.get_protocol()
            transport.set_protocol(self)
            transport.set_write_buffer_limits(high=WRITE_LIMIT)
        self._reader.feed_eof()  # read() returns what it holds, without waiting
        with suppress(OSError):  # the connection was lost
            first += await self._reader.read()
        if first:
            self._on_data(first)
        if self.is_closed:
            self._on_end()
        else:
            transport.pause_reading()  # read() may have resumed it
            transport.resume_reading()  # also repeats an end that the streams have seen

    def write(self, data: bytes) -> None:
        """Send bytes; they are dropped if the connection is lost."""
        if not self._transport.is_closing():
            self._transport.write(data)

    @property
    def is_full(self) -> bool:
        """Whether the app has to read before more should be written."""
        return self._room is not None

    async def wait_for_room(self) -> None:
        if self._room is not None:
            await self._room

    def pause(self) -> None:
        """Read nothing from the app."""
        self._transport.pause_reading()

    def resume(self) -> None:
        self._transport.resume_reading()

    def close(self) -> None:
        """Close it once everything is sent."""
        self._transport.close()

    def abort(self) -> None:
        """Close it at once."""
        self._transport.abort()

    def is_hung_up(self) -> bool:
        """Whether the app has closed its end; also true while it is not read."""
        return is_hung_up(self._transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        self._on_data(data)

    def eof_received(self) -> bool:
        """Nothing more comes; what waits for the app may still be sent, except by TLS."""
        self.has_ended = True
        self._on_end()
        return self._transport.get_extra_info("sslcontext") is None

    def connection_lost(self, exc: Exception | None) -> None:
        self.has_ended = self.is_closed = True
        self.resume_writing()
        if self._previous is not None:
            self._previous.connection_lost(exc)  # for StreamWriter.wait_closed
        self._on_end()

    def pause_writing(self) -> None:
        if self._room is None:
            self._room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)
