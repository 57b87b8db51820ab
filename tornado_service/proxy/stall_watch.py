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
    """Notices that a sender is gone while nothing is read from it, its receiver being too slow.

    A receiver that never reads would otherwise hold both connections open.

    Args:
        is_sender_gone: is asked every 30 seconds.
        abort: is called when it is.
    """

    def __init__(self, is_sender_gone: Callable[[], bool], abort: Callable[[], None]) -> None:
        self._is_sender_gone = is_sender_gone
        self._abort = abort
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(STALL_CHECK, self._check)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        if self._is_sender_gone():
            self._abort()
        else:
            self.start()


def is_hung_up(connection: socket.socket | None) -> bool:
    """Whether the peer has closed its end of a connection, or the connection is lost."""
    if connection is None or connection.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), _HANGUP)
    return bool(poll.poll(0))
