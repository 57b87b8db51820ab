"""Channels whose events reach the listeners of all replicas of the service."""

from __future__ import annotations

import asyncio
import json
import logging
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from ..service_unavailable import ServiceUnavailable
from .channel import MAX_BUFFER_SIZE, Channel, ChannelEvent, encode_data, encode_event

if TYPE_CHECKING:
    from ..database.replicas.stores.events import EventStore, Outgoing, Row, Rows
    from ..database.replicas.worker import Chore

#: The number of events that wait for the database, at most; beside ``MAX_BUFFER_SIZE``.
MAX_WAITING = 10_000

#: Seconds that a new listener waits for the database.
READY_TIMEOUT = 5.0

#: An id as long as any, to check the size of an event before the database gives it an id.
_LONG_ID = "9" * 19

_log = logging.getLogger(__name__)


class ChannelUnavailable(ServiceUnavailable):
    """The channel cannot be read, as the database that replicas share is not available."""

    _message: ClassVar[str] = "Live updates are not available at the moment. Try again shortly."
    _logged_as: ClassVar[str] = "The database that replicas share is not available"


class SharedChannel(Channel):
    """A channel of all replicas.

    Events are in the shared database; each replica has the last ones in memory, in the same order,
    and listeners read them there. Ids of events are those of the database, so that a client may
    reconnect to another replica. Events that are sent while the database is not available are sent
    when it is; of very many, the last.

    Args:
        name: the channel's full name, the same on all replicas.
        history: as for ``Channel``.
        numbers: numbers of events, unique in this process and growing.
        flush: sends what waits.
        refresh: reads new events.
    """

    def __init__(
        self, name: str, history: int, numbers: Iterator[int], flush: Chore, refresh: Chore
    ) -> None:
        super().__init__(history)
        self.name = name
        self._numbers = numbers
        self._flush = flush
        self._refresh = refresh
        self._waiting: deque[Outgoing] = deque()
        self._waiting_size = 0  # bytes
        self._has_gap = False
        self._is_to_prune = True
        self.is_closed = False
        #: There are no events between the floor and the first one, and the last one and the end.
        self._floor_id = 0
        self._last_id: int | None = None  # unknown before the first reading
        self._requested = self._completed = 0  # readings
        self._readers: list[asyncio.Future[None]] = []
        self._reader_loop: asyncio.AbstractEventLoop | None = None

    def send(self, data: Any, event: str = "message") -> None:
        """Send an event to the listeners of all replicas, from any coroutine or thread.

        It does not wait. This replica's listeners, too, receive it when the database has it.

        Args:
            data: any JSON value. It is encoded once, at once.
            event: the name of the event, which determines its handler in the page.

        Raises:
            TypeError: the data cannot be written as JSON.
            ValueError: the same, or the data has more than 64 KiB, or the name is reserved.
        """
        from ..database.replicas.stores.events import Outgoing  # loaded if there is a database

        text = encode_data(data)
        encode_event(_LONG_ID, event, text)
        has_dropped = False
        with self._lock:
            number = next(self._numbers)
            self._waiting.append(Outgoing(self.name, number, event, text, self._has_gap))
            self._has_gap = False
            self._waiting_size += len(text)
            while len(self._waiting) > MAX_WAITING or self._waiting_size > MAX_BUFFER_SIZE:
                has_dropped = self._drop_waiting() or has_dropped
        if has_dropped:
            _log.warning("Channel %s: too many events wait for the database", self.name)
        self._flush.request()

    def _drop_waiting(self) -> bool:
        """Drop the first waiting event; the next one tells listeners to reload.

        Returns:
            Whether it is the first that is dropped.
        """
        dropped = self._waiting.popleft()
        self._waiting_size -= len(dropped.data)
        if self._waiting:
            self._waiting[0] = self._waiting[0]._replace(follows_gap=True)
        else:
            self._has_gap = True
        return not dropped.follows_gap

    @property
    def waiting_count(self) -> int:
        """The number of events that wait for the database."""
        return len(self._waiting)

    def first_waiting(self, number: int) -> list[Outgoing]:
        """The first events that wait for the database."""
        with self._lock:
            return [self._waiting[n] for n in range(min(number, len(self._waiting)))]

    def record_sent(self, last_number: int) -> None:
        """Record that the database has the events up to a number."""
        with self._lock:
            while self._waiting and self._waiting[0].number <= last_number:
                self._waiting_size -= len(self._waiting.popleft().data)

    def request_refresh(self) -> None:
        """Have new events read, from any thread."""
        with self._lock:
            self._requested += 1
        self._refresh.request()

    @property
    def is_stale(self) -> bool:
        """Whether events have to be read."""
        return self._completed < self._requested and not self.is_closed

    def refresh(self, store: EventStore) -> None:
        """Read new events. Blocks; called in one thread only.

        Raises:
            DatabaseUnavailable: the database is not available.
        """
        requested = self._requested
        if self._last_id is None:
            self._merge(store.load(self.name, self._history, MAX_BUFFER_SIZE))
        else:
            is_complete = False
            while not is_complete:
                rows = store.read(self.name, self._last_id)
                if rows.last_id < self._last_id:  # the database is a new one
                    self._reset(rows.floor_id)
                    continue
                self._merge(rows)
                is_complete = rows.is_complete
        self._completed = requested
        self._notify()
        if self._reader_loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._reader_loop.call_soon_threadsafe(self._wake_readers)

    def _merge(self, read: Rows) -> None:
        events = [_make_event(row) for row in read.rows]
        if self._last_id is None:
            self._floor_id = read.floor_id
        elif self._last_id < read.floor_id:
            self._reset(read.floor_id)
        self._is_to_prune |= bool(events)
        with self._lock:
            self._last_id = read.last_id
            for event in events:
                self._append(event)

    def _reset(self, id_: int) -> None:
        """Begin anew after an id, as events before it are lost: listeners have to reload."""
        with self._lock:
            self._events.clear()
            self._size = 0
            self._end_offset += 1
            self._floor_id = self._last_id = id_

    def _drop_first(self) -> ChannelEvent:
        dropped = super()._drop_first()
        self._floor_id = int(dropped.id)
        return dropped

    def last_event_id(self, offset: int) -> str:
        with self._lock:
            if offset == self._end_offset:
                return str(self._last_id or 0)
            if offset == self._start_offset:
                return str(self._floor_id)
            if offset < self._start_offset:
                return "0"  # before all: the client has to reload
            return self._events[offset - 1 - self._start_offset].id

    async def ready(self, event_id: str) -> None:
        """Wait until the channel can tell what follows an event; an empty id stands for none.

        Another replica may have sent it to the client before this one has read it.

        Raises:
            ServiceUnavailable: it cannot, as the database that replicas share is not available.
        """
        last_id = self._last_id
        if last_id is not None and (not _is_id(event_id) or int(event_id) <= last_id):
            return
        self.request_refresh()
        requested = self._requested
        deadline = asyncio.get_running_loop().time() + READY_TIMEOUT
        while self._completed < requested:
            rest = deadline - asyncio.get_running_loop().time()
            if rest <= 0 or not await self._is_refreshed(rest):
                raise ChannelUnavailable("it did not respond in time", is_logged=True)

    async def _is_refreshed(self, timeout: float) -> bool:
        """Wait for the end of a reading."""
        loop = self._reader_loop = asyncio.get_running_loop()
        reader: asyncio.Future[None] = loop.create_future()
        self._readers.append(reader)
        if self._completed >= self._requested:  # meanwhile
            self._wake_readers()
        try:
            done, _ = await asyncio.wait({reader}, timeout=timeout)
        finally:
            if reader in self._readers:
                self._readers.remove(reader)
        return bool(done)

    def _wake_readers(self) -> None:
        readers, self._readers = self._readers, []
        for reader in readers:
            if not reader.done():
                reader.set_result(None)

    def offset_after(self, event_id: str) -> int | None:
        """The offset after an event; ``None`` if following events are no longer available."""
        if not _is_id(event_id):
            return None
        id_ = int(event_id)
        with self._lock:
            if self._last_id is None or not self._floor_id <= id_ <= self._last_id:
                return None
            after = bisect_right(self._events, id_, key=lambda event: int(event.id))
            return self._start_offset + after

    def prune(self, store: EventStore) -> None:
        """Delete old events from the database. Blocks."""
        if self._is_to_prune:
            self._is_to_prune = False
            store.prune(self.name, self._history, MAX_BUFFER_SIZE)

    def close(self) -> None:
        self.is_closed = True

    def take_over(self, before: SharedChannel) -> None:
        """Send what an earlier instance of the app has not yet sent."""
        with self._lock:
            self._waiting.extend(before.first_waiting(MAX_WAITING))
            self._waiting_size = sum(len(event.data) for event in self._waiting)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < len(_LONG_ID)


def _make_event(row: Row) -> ChannelEvent:
    id_ = str(row.id)
    return ChannelEvent(id_, row.name, json.loads(row.data), encode_event(id_, row.name, row.data))
