"""Limits for incomplete request headers: time and size."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from tornado.http1connection import HTTP1ServerConnection
from tornado.ioloop import PeriodicCallback

#: Bytes of a request's line and headers: the limit of Node, on which the hub's proxy runs
#: (https://nodejs.org/api/cli.html#--max-http-header-sizesize), and the headers that it adds.
MAX_HEADER_BYTES = 16 * 1024 + 1024

#: Seconds for the headers of a request to arrive, from their first byte; on a new connection, from
#: its beginning.
HEADER_TIMEOUT = 20.0

#: Bytes of incomplete headers, of all connections.
MAX_PENDING_HEADER_BYTES = 8 * 1024 * 1024

#: Seconds between two checks of the connections.
CHECK_INTERVAL = 1.0


@dataclass
class _PendingHeaders:
    """The state of the next request of a connection.

    Attributes:
        since: when its headers began to arrive; ``None`` before that.
        are_pending: whether they are incomplete.
    """

    since: float | None
    are_pending: bool = True


class HeaderLimiter:
    """Closes connections that do not complete a request's headers in time.

    Idle connections stay open: the hub's proxy may use one at any moment.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._connections: dict[HTTP1ServerConnection, _PendingHeaders] = {}
        self._timer = PeriodicCallback(self._close_overdue, CHECK_INTERVAL * 1000)

    def start(self) -> None:
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    @property
    def has_connections(self) -> bool:
        """Whether a connection is open, with or without a request on it."""
        return any(not connection.stream.closed() for connection in self._connections)

    def expect(self, connection: HTTP1ServerConnection) -> None:
        pending = self._connections.get(connection)
        if pending is None:
            self._connections[connection] = _PendingHeaders(asyncio.get_running_loop().time())
        else:
            pending.since, pending.are_pending = None, True

    def mark_received(self, connection: HTTP1ServerConnection) -> None:
        self._connections[connection].are_pending = False

    def forget(self, connection: HTTP1ServerConnection) -> None:
        self._connections.pop(connection, None)

    def _close_overdue(self) -> None:
        now = asyncio.get_running_loop().time()
        pending_bytes = 0
        begun: list[tuple[float, int, HTTP1ServerConnection]] = []
        for connection, headers in self._connections.items():
            if not headers.are_pending or connection.stream.closed():
                continue
            size = connection.stream._read_buffer_size
            if headers.since is None and size:
                headers.since = now
            if headers.since is not None:
                begun.append((headers.since, size, connection))
                pending_bytes += size
        begun.sort(key=lambda row: row[0])
        closed = 0
        for since, size, connection in begun:  # the oldest first
            if pending_bytes <= MAX_PENDING_HEADER_BYTES and now - since < HEADER_TIMEOUT:
                break
            pending_bytes -= size
            closed += 1
            connection.stream.close()
        if closed:
            self._log.warning("%d connections closed: their request headers did not arrive", closed)
