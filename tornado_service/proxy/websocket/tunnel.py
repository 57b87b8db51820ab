"""The bytes of an open WebSocket, between a visitor and a web app.

Everything passes unchanged: text, binary, fragments, pings, close codes, extensions. Frame headers
are read to limit messages, and to find the place for a close frame of our own.

An app that ends its connection without a close frame ends the visitor's in the same way, which
browsers report as 1006, as they do without a proxy. Scripts that reconnect do so after 1006; some
of them take 1011 for an error that will not pass, and give up.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tornado.iostream import IOStream, StreamClosedError

from ..stall_watch import StallWatch, is_hung_up
from .app_connection import AppConnection
from .frames import FrameTracker, close_frame

#: Bytes read from a visitor at once.
CHUNK = 64 * 1024

#: Seconds for everything that is left once one side has ended: the other's close frame, and the
#: bytes that have not been taken.
LINGER = 10.0

#: The same, in seconds, once ``close`` has been called.
CLOSE_TIMEOUT = 2.0


class Tunnel:
    """Passes bytes in both directions until both connections are closed.

    A side that reads slowly stops the other side's sender; about 0.5 MiB may wait in each
    direction. ``reader`` and ``writer`` must not be used any more.

    Args:
        visitor: the visitor's connection, detached, after the response to its handshake.
        reader: the app's connection, after its response to the handshake.
        writer: the same.
        first: bytes that came with the app's response.
        max_message_size: the largest message in either direction, in bytes as they are sent; a
            larger one closes both sides with 1009. ``None``: no limit.
    """

    def __init__(
        self,
        visitor: IOStream,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        first: bytes = b"",
        max_message_size: int | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._visitor = visitor
        self._app = AppConnection(reader, writer, self._on_app_data, self._advance)
        self._first = first
        self._to_app = FrameTracker(max_message_size)
        self._to_visitor = FrameTracker(max_message_size)
        self._code, self._reason = 1000, ""
        self._is_closing = False  # by us
        self._app_got_close = self._visitor_got_close = False
        self._is_visitor_read = False  # to its close frame, or to its end
        self._is_finishing = False
        self._abort_timer: asyncio.TimerHandle | None = None
        self._stalls = StallWatch()
        self._written: asyncio.Future[None] | None = None  # the last bytes to the visitor
        self._ended = self._loop.create_future()

    async def run(self) -> None:
        """Pass bytes until both connections are closed. Lost connections raise nothing."""
        try:
            if not self._visitor.closed():
                self._visitor.set_nodelay(True)
            self._visitor.set_close_callback(self._on_visitor_closed)
            await self._app.take_over(self._first)
            await self._read_visitor()
            await self._ended
        finally:
            self.abort()
            self._stalls.close()
            if self._abort_timer:
                self._abort_timer.cancel()
            self._visitor.set_close_callback(None)
            self._ended.cancel()

    def close(self, code: int, reason: str) -> None:
        """Send each side a close frame once its present frame has ended, then close both.

        What does not end within 2 seconds is aborted.

        Args:
            code: such as 1001, https://www.iana.org/assignments/websocket/websocket.xhtml .
            reason: at most 123 bytes of UTF-8; the rest is cut.
        """
        if self._is_closing:
            return
        self._is_closing = True
        self._code, self._reason = code, reason
        self._abort_within(CLOSE_TIMEOUT)
        self._to_app.stop()
        self._to_visitor.stop()
        self._advance()

    def abort(self) -> None:
        """Close both connections at once."""
        self._is_finishing = True
        self._visitor.close()
        self._app.abort()

    def _check_app(self) -> None:
        if self._app.is_hung_up():
            self.abort()

    def _check_visitor(self) -> None:
        if is_hung_up(self._visitor.socket):
            self.abort()

    # The visitor

    async def _read_visitor(self) -> None:
        """Pass on what the visitor sends, up to its close frame, or its end."""
        with suppress(StreamClosedError):
            while not self._to_app.has_closed:
                reading = asyncio.ensure_future(self._visitor.read_bytes(CHUNK, partial=True))
                if reading.done():  # both sides may be so fast that nothing ever waits
                    await asyncio.sleep(0)
                data = await reading
                if passed := self._to_app.feed(data):
                    self._app.write(passed)
                if not self._to_app.is_open:
                    self._advance()
                if self._app.is_full:
                    self._stalls.add(self._check_visitor)
                    await self._app.wait_for_room()
                    self._stalls.discard(self._check_visitor)
        self._is_visitor_read = True
        self._advance()

    def _on_visitor_closed(self) -> None:
        self._abort_within(LINGER)  # its last bytes may be waiting for the app
        self._advance()

    def _write_visitor(self, data: bytes) -> None:
        if self._visitor.closed():
            return
        self._written = self._visitor.write(data)
        if self._visitor.writing():  # not all of it is sent
            self._app.pause()
            self._stalls.add(self._check_app)  # the visitor is too slow
            self._written.add_done_callback(self._on_visitor_written)

    def _on_visitor_written(self, written: asyncio.Future[None]) -> None:
        if written is self._written:
            self._stalls.discard(self._check_app)
            self._app.resume()

    def _on_app_data(self, data: bytes) -> None:
        if passed := self._to_visitor.feed(data):
            self._write_visitor(passed)
        if not self._to_visitor.is_open:
            self._advance()

    # The end

    def _advance(self) -> None:
        """Send the close frames that are due, and end what has ended."""
        problem = self._to_app.problem or self._to_visitor.problem
        if problem and not self._is_closing:
            self.close(problem.code, problem.reason)
            return
        if not (self._to_app.is_open or self._app_got_close):
            self._app_got_close = True
            if not self._to_app.has_passed_close:
                self._app.write(close_frame(self._code, self._reason, is_masked=True))
        if not (self._to_visitor.is_open or self._visitor_got_close):
            self._visitor_got_close = True
            if not self._to_visitor.has_passed_close:
                self._write_visitor(close_frame(self._code, self._reason, is_masked=False))
        if self._visitor.closed():
            is_over = self._is_visitor_read
        elif self._app.has_ended and not self._visitor_got_close:
            is_over = True
        else:
            is_app_read = self._to_visitor.has_closed or self._app.has_ended
            is_over = is_app_read and self._is_visitor_read
            if is_app_read or self._is_visitor_read:
                self._abort_within(LINGER)
        if is_over:
            self._finish()
        if self._visitor.closed() and self._app.is_closed and not self._ended.done():
            self._ended.set_result(None)

    def _finish(self) -> None:
        """Close both connections, once they have taken what was written."""
        if self._is_finishing:
            return
        self._is_finishing = True
        self._abort_within(LINGER)
        self._app.close()
        if self._written and self._visitor.writing():
            self._written.add_done_callback(lambda _: self._visitor.close())
        else:
            self._visitor.close()

    def _abort_within(self, seconds: float) -> None:
        if self._ended.done():
            return
        when = self._loop.time() + seconds
        if self._abort_timer is None or when < self._abort_timer.when():
            if self._abort_timer:
                self._abort_timer.cancel()
            self._abort_timer = self._loop.call_at(when, self.abort)
