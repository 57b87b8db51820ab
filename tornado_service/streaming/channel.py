"""Channels: an app's events for many listeners, kept for reconnecting clients."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

#: Names with another meaning for clients: those of a browser's EventSource, and ours.
RESERVED_EVENT_NAMES = frozenset({"open", "error", "end", "reset"})

#: The largest event, in bytes.
MAX_EVENT_SIZE = 64 * 1024

#: Bytes of the events that a channel keeps.
MAX_BUFFER_SIZE = 4 * 1024 * 1024

#: Number of listeners to notify before other tasks run.
LISTENERS_PER_TURN = 10


class Lagged(Exception):
    """The channel has dropped the event that a listener needs next."""


class Listener(Protocol):
    """The receiver of notifications from a channel."""

    def on_new_events(self) -> None:
        """Read the new events. It must not raise."""


@dataclass(frozen=True)
class ChannelEvent:
    """One event.

    Attributes:
        id: its id in its channel.
        name: its type.
        data: any JSON value.
    """

    id: str
    name: str
    data: Any
    encoded: bytes = field(repr=False)

    def with_data(self, data: Any) -> ChannelEvent:
        """The same event with other data, for one listener."""
        return make_event(self.id, self.name, data)


def make_event(id_: str, name: str, data: Any) -> ChannelEvent:
    """An encoded event.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

    Raises:
        TypeError: the data cannot be written as JSON.
        ValueError: the same, or the data is too large, or the name is invalid.
    """
    return ChannelEvent(id_, name, data, encode_event(id_, name, encode_data(data)))


def encode_data(data: Any) -> str:
    """The data as JSON, which has no line breaks: it always is one line of an event."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def encode_event(id_: str, name: str, data: str) -> bytes:
    """An event as clients receive it.

    Raises:
        ValueError: the data is too large, or the name is invalid.
    """
    if not name or not name.isprintable() or name in RESERVED_EVENT_NAMES:
        raise ValueError(f"An event cannot have the name {name!r}.")
    kind = "" if name == "message" else f"event: {name}\n"
    encoded = f"id: {id_}\n{kind}data: {data}\n\n".encode()
    if len(encoded) > MAX_EVENT_SIZE:
        raise ValueError(
            f"The event {name!r} has {len(encoded)} bytes, more than the limit of {MAX_EVENT_SIZE}:"
            " send a reference, and let the page request the rest."
        )
    return encoded


class Channel:
    """Events for any number of listeners, who all read one log at their own pace.

    Create it in ``start`` or ``handlers`` of an app: as an attribute of the class, it would be
    shared by all instances of the app.

    Args:
        history: the number of events that a disconnected or slow listener may miss and still get.
            There may be fewer, as a channel keeps 4 MiB at most.
    """

    def __init__(self, history: int = 1000) -> None:
        if history < 1:
            raise ValueError(f"A channel has to keep one event at least, and not {history}.")
        self._history = history
        #: Distinguishes ids of this channel from those of an earlier process.
        self._epoch = secrets.token_hex(4)
        self._events: deque[ChannelEvent] = deque()
        self._size = 0  # bytes
        self._end_offset = 1  # the number of the next event
        self._lock = threading.Lock()
        self._listeners: dict[Listener, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._notify_task: asyncio.Task[None] | None = None
        self._is_notifying = False

    def send(self, data: Any, event: str = "message") -> None:
        """Send an event to all listeners, from any coroutine or thread, without waiting.

        Args:
            data: any JSON value. It is encoded once, at once.
            event: the name of the event, which determines its handler in the page.

        Raises:
            TypeError: the data cannot be written as JSON.
            ValueError: the same, or the data has more than 64 KiB, or the name is reserved.
        """
        with self._lock:
            self._append(make_event(self._id(self._end_offset), event, data))
        self._notify()

    def _append(self, event: ChannelEvent) -> None:
        """Add an event, and drop the first ones if there are too many. The caller has the lock."""
        self._end_offset += 1
        self._events.append(event)
        self._size += len(event.encoded)
        while len(self._events) > self._history or self._size > MAX_BUFFER_SIZE:
            self._drop_first()

    def _drop_first(self) -> ChannelEvent:
        dropped = self._events.popleft()
        self._size -= len(dropped.encoded)
        return dropped

    def _notify(self) -> None:
        """Notify all listeners of new events, from any thread, without waiting."""
        with self._lock:
            if self._is_notifying or not self._listeners or self._loop is None:
                return
            self._is_notifying = True
        with suppress(RuntimeError):  # the loop is closed: there are no listeners
            self._loop.call_soon_threadsafe(self._start_notifying)

    def _id(self, number: int) -> str:
        return f"{self._epoch}-{number}"

    @property
    def end_offset(self) -> int:
        return self._end_offset

    def last_event_id(self, offset: int) -> str:
        """The id of the event before an offset, whether the channel still has it or not."""
        return self._id(offset - 1)

    async def ready(self, event_id: str) -> None:
        """Wait until the channel can tell what follows an event; an empty id stands for none.

        Raises:
            ServiceUnavailable: it cannot, as the database that replicas share is not available.
        """

    def offset_after(self, event_id: str) -> int | None:
        """The offset after an event; ``None`` if the channel has dropped the following events."""
        epoch, _, number = event_id.rpartition("-")
        if epoch != self._epoch or not (number.isascii() and number.isdecimal()):
            return None
        offset = int(number[:20]) + 1
        with self._lock:
            return offset if self._start_offset <= offset <= self._end_offset else None

    def read(self, offset: int, size: int) -> list[ChannelEvent]:
        """The events at an offset: at least one if available, else as many as fit.

        Args:
            offset: the listener's position.
            size: about how many bytes to return.

        Raises:
            Lagged: the channel has dropped the event at the offset.
        """
        taken: list[ChannelEvent] = []
        with self._lock:
            if offset < self._start_offset:
                raise Lagged
            for index in range(offset - self._start_offset, len(self._events)):
                event = self._events[index]
                size -= len(event.encoded)
                if taken and size < 0:
                    break
                taken.append(event)
        return taken

    @property
    def _start_offset(self) -> int:
        return self._end_offset - len(self._events)

    def subscribe(self, listener: Listener) -> None:
        """Call ``listener.on_new_events`` on new events. Must be called on the event loop."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
            self._listeners[listener] = None

    def unsubscribe(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.pop(listener, None)

    def close(self) -> None:
        """Receive no more events of other replicas. The service calls this when the app ends."""

    def _start_notifying(self) -> None:
        self._notify_task = asyncio.get_running_loop().create_task(self._notify_listeners())

    async def _notify_listeners(self) -> None:
        """Notify all listeners, some at a time, until there are no new events."""
        notified = 0
        try:
            while True:
                with self._lock:
                    if notified == self._end_offset:
                        self._is_notifying = False
                        return
                    notified = self._end_offset
                    listeners = list(self._listeners)
                for number, listener in enumerate(listeners, 1):
                    listener.on_new_events()
                    if number % LISTENERS_PER_TURN == 0:
                        await asyncio.sleep(0)
        except BaseException:
            self._is_notifying = False  # the next event starts another task
            raise
