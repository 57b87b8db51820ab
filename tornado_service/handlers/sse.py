"""EventStream: server-sent events, from a channel to those who may listen."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import ClassVar

from ..streaming.channel import Channel, Event, Overtaken
from ..streaming.registry import End
from .streaming import LastingHandler

#: How much is written at a time, in bytes; what a slow reader costs.
PORTION = 16 * 1024

#: Milliseconds after which a browser comes back to a stream that broke off.
RETRY = 3000


class EventStream(LastingHandler):
    """An address that tells of what happens, while it happens.

    https://html.spec.whatwg.org/multipage/server-sent-events.html

    ::

        class Live(EventStream):
            async def get(self):
                await self.stream(self.app.news)

    In pages, ``serviceEvents`` of our script reads it. Beside the channel's own events there are

    - ``reset``: the reader has been away too long, or the service has been restarted since. The
      page has to load anew what it shows.
    - ``end``: this was the last one. The data say why (``reason``), and whether there is any use
      in coming back (``retry``).
    """

    stream_kind: ClassVar[str] = "events"

    _over: asyncio.Future[None] | None = None

    def view(self, event: Event) -> Event | None:
        """What of an event this caller gets.

        Called for each event and caller, on the event loop, so it must be quick.

        Returns:
            The event, or ``event.with_data(…)``, or None: nothing of it.
        """
        return event

    async def stream(self, channel: Channel) -> None:
        """Write a channel's events until somebody ends it.

        With ``Last-Event-ID``, begin with what has happened since.

        Raises:
            HTTPError: 401, 429 or 503: see ``Streams.keep``.
        """
        self._head()
        if self.request.method == "HEAD":
            await self.flush()
            return
        with self.context.streams.keep(self):
            if not self.take_wire():
                return
            self._over = asyncio.get_running_loop().create_future()
            self._channel = channel
            self._is_writing = False
            self._writes = 0
            self._begin()
            channel.add(self)
            self._wait_for_beat(random.uniform(0.5, 1))  # noqa: S311 - not all at once
            try:
                await self._over
            finally:
                self._over.cancel()
                self._timer.cancel()
                channel.remove(self)

    def _head(self) -> None:
        self._transforms = []  # compression would hold events back, and costs 256 KiB a stream
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        self.set_header("X-Accel-Buffering", "no")  # nginx holds answers back, else

    def _begin(self) -> None:
        last_id = self.request.headers.get("Last-Event-ID", "")
        place = self._channel.place_after(last_id) if last_id else self._channel.now
        hello = f"retry: {RETRY}\n"
        if place is None:
            place = self._channel.now
            hello += "event: reset\ndata: {}\n"
        # the id, so that somebody who is cut off before the first event misses none, either
        self._place = self._marked = place
        self._write(f"{hello}id: {self._channel.last_id(place)}\n\n".encode())

    @property
    def _is_over(self) -> bool:
        return self._over is None or self._over.done()

    def pump(self) -> None:
        """Write what is due, unless the reader has not taken what came before."""
        if self._is_over:
            return
        try:
            portion = self._next_portion()
        except Overtaken:
            self.drop()
        except Exception:  # of the author's view
            self.log_exception(*sys.exc_info())
            self.end(End.FAILED)
        else:
            if portion:
                self._write(portion)

    def _next_portion(self) -> bytes:
        while True:
            events = self._channel.take(self._place, PORTION)
            if self._is_writing or not events:
                return b""
            self._place += len(events)
            seen = [event for event in map(self.view, events) if event is not None]
            if seen:
                self._marked = self._place
                self.context.metrics.events_sent.inc(len(seen))
                return b"".join([event.encoded for event in seen])

    def _write(self, portion: bytes) -> None:
        self._is_writing = True
        self._writes += 1
        self.write(portion)
        self.flush().add_done_callback(self._written)

    def _written(self, future: asyncio.Future[None]) -> None:
        self._is_writing = False
        if not future.cancelled() and future.exception() is None:
            self.pump()

    def _wait_for_beat(self, part: float = 1) -> None:
        self._timer = asyncio.get_running_loop().call_later(
            self.context.streams.heartbeat * part, self._beat, self._writes
        )

    def _beat(self, writes: int) -> None:
        """Show that we are there, and see that the reader is."""
        if self._is_over:
            return
        if self._is_writing and writes == self._writes:
            self.drop()
            return
        if not self._is_writing:
            # what was not for this reader need not be looked at again when they come back
            is_marked = self._marked == self._place
            self._marked = self._place
            sign = ":" if is_marked else f"id: {self._channel.last_id(self._place)}"
            self._write(f"{sign}\n\n".encode())
        self._wait_for_beat()

    def end(self, why: End) -> None:
        """End it at once, and say why if the reader takes it."""
        if self._is_over:
            return
        if self._wire.writing():
            self.cut()
            return
        self._let_go()
        data = json.dumps({"reason": why.reason, "retry": why.may_return})
        self.finish(f"event: end\ndata: {data}\n\n")

    def cut(self) -> None:
        """Close the connection."""
        self._let_go()
        super().cut()

    def on_connection_close(self) -> None:
        """Notice that the reader is gone."""
        self._let_go()
        super().on_connection_close()

    def _let_go(self) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(None)
