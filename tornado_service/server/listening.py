"""Listening sockets that pause while the process cannot open a file for another connection."""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import socket
import time
from typing import Any

from tornado.ioloop import IOLoop

#: The process or the system has no file or memory left for a connection.
SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

#: Seconds until connections are accepted again.
PAUSE = 1.0

#: Seconds between two lines in the log.
LOG_INTERVAL = 60.0


class ListeningSocket(socket.socket):
    """Accepts connections for Tornado; pauses when there is no file for one more.

    The connection stays in the queue: without a pause, the event loop would try again at once, and
    log each attempt.

    Args:
        bound: a bound socket, which must not be used any more.
        log: gets a line about a shortage.
    """

    def __init__(self, bound: socket.socket, log: logging.Logger) -> None:
        super().__init__(fileno=bound.detach())
        self._log = log
        self._logged_at = -LOG_INTERVAL

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection.

        Raises:
            BlockingIOError: there is none, or no file for it.
        """
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in SHORTAGES:
                raise
            self._report(error)
        IOLoop.current().update_handler(self, 0)
        asyncio.get_running_loop().call_later(PAUSE, self._resume)
        raise BlockingIOError

    def _resume(self) -> None:
        if self.fileno() >= 0:  # else the server has been stopped
            IOLoop.current().update_handler(self, IOLoop.READ)

    def _report(self, error: OSError) -> None:
        now = time.monotonic()
        if now >= self._logged_at + LOG_INTERVAL:
            self._logged_at = now
            limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            self._log.error(
                "Cannot accept connections (%s): close some, or raise the limit of open files,"
                " which is %d (ulimit -n; LimitNOFILE= in a unit of systemd)",
                error.strerror,
                limit,
            )
