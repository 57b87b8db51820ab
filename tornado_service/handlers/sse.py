"""EventStream: server-sent events from a channel."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import ClassVar

from ..streaming.channel import Channel, ChannelEvent, Lagged
from ..streaming.registry import CloseReason
from .streaming import StreamingHandler

#: Bytes written at a time, and buffered for a slow client.
CHUNK_SIZE = 16 * 1024

#: Milliseconds after which a browser reconnects to a broken stream.
RECONNECT_DELAY = 3000


class EventStream(StreamingHandler):
    """A stream of server-sent events.

    https://html.spec.whatwg.org/multipage/server-sent-events.html

    ::

        class Live(EventStream):
            async def get(self):
                await self.stream(self.app.news)

    In pages, ``serviceEvents`` reads it. In addition to the channel's own events, clients receive

    - ``reset``: the client was disconnected for too long, or the service has restarted since. The
      page must reload its data.
    - ``end``: the last event. Its data has the cause (``reason``), and whether the page should
      reconnect (``retry``).
    """

    stream_kind: ClassVar[str] = "events"

    _closed: asyncio.Future[None] | None = None

    def view(self, event: ChannelEvent) -> ChannelEvent | None:
        """Decide what a client receives of an event.

        Called for each event and client, on the event loop, so it must be fast.

        Returns:
            The event, or ``event.with_data(…)``, or None to leave it out.
        """
        return event

    async def stream(self, channel: Channel) -> None:
        """Write a channel's events until the connection ends.

        With ``Last-Event-ID``, begin with the events after that one.

        Raises:
            HTTPError: 401, 429 or 503, see ``Streams.register``.
            ServiceUnavailable: see ``Channel.ready``.
        """
        self._prepare_response()
        if self.request.method == "HEAD":
            await self.flush()
            return
        await channel.ready(self._last_event_id)
        with self.context.streams.register(self):
            if not self.attach():
                return
            self._closed = asyncio.get_running_loop().create_future()
            self._channel = channel
            self._is_writing = False
            self._write_count = 0
            self._send_preamble()
            channel.subscribe(self)
            self._schedule_heartbeat(random.uniform(0.5, 1))  # noqa: S311 - spreads the heartbeats
            try:
                await self._closed
            finally:
                self._closed.cancel()
                self._timer.cancel()
                channel.unsubscribe(self)

    def _prepare_response(self) -> None:
        self._transforms = []  # compression would delay events, and costs 256 KiB a stream
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        self.set_header("X-Accel-Buffering", "no")  # else nginx buffers responses

    @property
    def _last_event_id(self) -> str:
        return str(self.request.headers.get("Last-Event-ID", ""))

    def _send_preamble(self) -> None:
        last_id = self._last_event_id
        offset = self._channel.offset_after(last_id) if last_id else self._channel.end_offset
        hello = f"retry: {RECONNECT_DELAY}\n"
        if offset is None:
            offset = self._channel.end_offset
            hello += "event: reset\ndata: {}\n"
        # the id, so that a client that is disconnected before the first event misses none either
        self._offset = self._sent_offset = offset
        self._write(f"{hello}id: {self._channel.last_event_id(offset)}\n\n".encode())

    @property
    def _is_closed(self) -> bool:
        return self._closed is None or self._closed.done()

    def on_new_events(self) -> None:
        """Write the next events, unless the client has not received the previous ones."""
        if self._is_closed:
            return
        try:
            chunk = self._next_chunk()
        except Lagged:
            self.drop_slow_reader()
        except Exception:  # from the app's view
            self.log_exception(*sys.exc_info())
            self.close_with_reason(CloseReason.FAILED)
        else:
            if chunk:
                self._write(chunk)

    def _next_chunk(self) -> bytes:
        while True:
            events = self._channel.read(self._offset, CHUNK_SIZE)
            if self._is_writing or not events:
                return b""
            self._offset += len(events)
            seen = [event for event in map(self.view, events) if event is not None]
            if seen:
                self._sent_offset = self._offset
                self.context.metrics.events_sent.inc(len(seen))
                return b"".join([event.encoded for event in seen])

    def _write(self, chunk: bytes) -> None:
        self._is_writing = True
        self._write_count += 1
        self.write(chunk)
        self.flush().add_done_callback(self._on_written)

    def _on_written(self, future: asyncio.Future[None]) -> None:
        self._is_writing = False
        if not future.cancelled() and future.exception() is None:
            self.on_new_events()

    def _schedule_heartbeat(self, part: float = 1) -> None:
        self._timer = asyncio.get_running_loop().call_later(
            self.context.streams.heartbeat * part, self._send_heartbeat, self._write_count
        )

    def _send_heartbeat(self, writes: int) -> None:
        """Send a heartbeat, and check that the client reads."""
        if self._is_closed:
            return
        if self._is_writing and writes == self._write_count:
            self.drop_slow_reader()
            return
        if not self._is_writing:
            # on reconnection, skip events that were filtered out for this client
            is_marked = self._sent_offset == self._offset
            self._sent_offset = self._offset
            sign = ":" if is_marked else f"id: {self._channel.last_event_id(self._offset)}"
            self._write(f"{sign}\n\n".encode())
        self._schedule_heartbeat()

    def close_with_reason(self, reason: CloseReason) -> None:
        """End it at once, and send the reason if the client reads."""
        if self._is_closed:
            return
        if self._iostream.writing():
            self.abort()
            return
        self._mark_closed()
        data = json.dumps({"reason": reason.label, "retry": reason.may_reconnect})
        self.finish(f"event: end\ndata: {data}\n\n")

    def abort(self) -> None:
        self._mark_closed()
        super().abort()

    def on_connection_close(self) -> None:
        self._mark_closed()
        super().on_connection_close()

    def _mark_closed(self) -> None:
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)
