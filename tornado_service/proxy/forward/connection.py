"""Connections to apps: HTTP/1.1 by h11, kept alive in a pool."""

from __future__ import annotations

import asyncio
from collections import deque

import h11

from .target import Target
from .wire import Wire, open_wire

#: Bytes of the headers of a response, or of a line in a body in chunks.
MAX_HEAD = 64 * 1024

#: Seconds for which an idle connection is kept.
IDLE_TIMEOUT = 30.0

#: Idle connections of one app.
MAX_IDLE = 32


class Connection:
    """One connection to an app, and the state of HTTP on it.

    Attributes:
        is_reused: whether it has had a request before, so that the app may have just closed it.
    """

    def __init__(self, target: Target, wire: Wire) -> None:
        self.target = target
        self.wire = wire
        self.protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self.is_reused = False
        self.idle_since = 0.0

    @classmethod
    async def open(cls, target: Target) -> Connection:
        """Connect to an app.

        Raises:
            OSError: it does not accept a connection in time.
        """
        return cls(target, await open_wire(target))

    def make_reusable(self) -> bool:
        """Prepare it for another request, if both sides have ended this one in order."""
        protocol = self.protocol
        if (protocol.our_state, protocol.their_state) != (h11.DONE, h11.DONE):
            return False
        if protocol.trailing_data[0]:
            return False
        protocol.start_next_cycle()
        self.is_reused = True
        return True

    def close(self) -> None:
        """Close it; pending calls raise `OSError`."""
        self.wire.close()


class Pool:
    """The idle connections of one app."""

    def __init__(self) -> None:
        self._idle: deque[Connection] = deque()  # the oldest first
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._idle)

    def take(self, target: Target) -> Connection | None:
        """An idle connection that is still usable; the newest, so that the others can expire."""
        while self._idle:
            connection = self._idle.pop()
            # a restarted app has other sockets, perhaps at the same place
            if connection.target == target and connection.wire.is_quiet():
                return connection
            connection.close()
        return None

    def give(self, connection: Connection) -> None:
        """Keep a connection for the next request, or close it."""
        if self._is_closed or not connection.make_reusable():
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if len(self._idle) > MAX_IDLE:
            self._close_oldest()
        if self._timer is None:
            self._timer = loop.call_later(IDLE_TIMEOUT, self._expire)

    def _close_oldest(self) -> None:
        self._idle.popleft().close()

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._idle:
            left = self._idle[0].idle_since + IDLE_TIMEOUT - loop.time()
            if left > 0:
                self._timer = loop.call_later(left, self._expire)
                return
            self._close_oldest()

    def close(self) -> None:
        """Close all connections, and keep none from now on."""
        self._is_closed = True
        if self._timer:
            self._timer.cancel()
        while self._idle:
            self._close_oldest()
