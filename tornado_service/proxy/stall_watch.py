"""Notices peers that are gone while nothing is read from their connections."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable

#: Seconds between checks whether a sender is still connected, while its receiver takes nothing.
STALL_CHECK = 30.0

_HANGUP = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


class StallWatch:
    """Checks connections from which nothing is read, as their receivers are too slow.

    A receiver that never reads would otherwise hold both connections open. One timer serves all
    checks, so that a request that ends soon needs none of its own.
    """

    def __init__(self) -> None:
        self._checks: set[Callable[[], object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, check: Callable[[], object]) -> None:
        """Call a function every 30 seconds. It closes a connection whose sender is gone."""
        self._checks.add(check)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(STALL_CHECK, self._run)

    def discard(self, check: Callable[[], object]) -> None:
        """Do not call it any more."""
        self._checks.discard(check)

    def _run(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        for check in self._checks:
            loop.call_soon(self._call, check)
        if self._checks:
            self._timer = loop.call_later(STALL_CHECK, self._run)

    def _call(self, check: Callable[[], object]) -> None:
        if check in self._checks:
            check()

    def close(self) -> None:
        """End all checks."""
        self._checks.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def is_hung_up(connection: socket.socket | None) -> bool:
    """Whether the peer has closed its end of a connection, or the connection is lost."""
    if connection is None or connection.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), _HANGUP)
    return bool(poll.poll(0))
