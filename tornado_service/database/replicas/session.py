"""The connection of a replica that listens for notifications and holds its locks."""

from __future__ import annotations

import logging
import random
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

from ..engine import make_engine, time_limit_of
from ..errors import driver_message
from . import locks
from .availability import Availability
from .leadership import SharedLeadership
from .notifications import (
    SETTING,
    Notifications,
    check_driver,
    notification_channel,
    notifications_of,
)

#: Seconds between two heartbeats of a replica whose locks are as they should be.
HEARTBEAT = 2.0

#: Seconds between two attempts to get a lock: random, so that replicas do not run in step.
ATTEMPT = (0.8, 1.2)

#: Seconds that a statement may take.
STATEMENT_TIMEOUT = 3.0

#: Seconds that connecting may take.
CONNECT_TIMEOUT = 10.0

#: Seconds without a statement after which PostgreSQL ends the session, and so frees its locks: of a
#: replica that is frozen, or no longer reachable. With an attempt, less than 10 seconds.
IDLE_TIMEOUT = 7.5

#: Seconds between two attempts to connect: they grow up to the second.
MIN_PAUSE, MAX_PAUSE = 0.1, 2.0

#: Seconds until another attempt if a pooler is in the way, which an administrator has to change.
POOLER_PAUSE = 60.0

#: The oldest version of PostgreSQL that ends idle sessions.
#: https://www.postgresql.org/docs/current/runtime-config-client.html
OLDEST_WITH_IDLE_TIMEOUT = 14

#: Names the session: behind a pooler that shares sessions, another one would respond.
_MARK = "tornado_service.instance"

#: What PostgreSQL does with sessions whose replica is gone, in milliseconds or seconds. Settings
#: that a version does not have are left out.
_SETTINGS = {
    "idle_session_timeout": int(IDLE_TIMEOUT * 1000),
    "tcp_keepalives_idle": 2,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": int(IDLE_TIMEOUT * 1000),
}

_log = logging.getLogger(__name__)


class PoolerInUse(Exception):
    """The statements of the connection do not reach the same session of PostgreSQL."""


class Session:
    """A connection in a thread of its own, which reconnects by itself.

    Args:
        url: the database.
        service: the service's name.
        instance: the name of this replica.
        availability: is told of outages.
        prepare: called before each connection is opened; it may raise.
        on_connect: called when the connection listens: what was missed has to be read.
        on_notification: called with the payload of each notification.

    All three are called in the session's thread.

    Attributes:
        confirmed_at: when a request began to which the database has responded, on the monotonic
            clock.
    """

    def __init__(
        self,
        url: str,
        service: str,
        instance: str,
        availability: Availability,
        *,
        prepare: Callable[[], object],
        on_connect: Callable[[], object],
        on_notification: Callable[[str], object],
    ) -> None:
        self.instance = instance
        self.confirmed_at = -float("inf")
        self._service = service
        self._availability = availability
        self._prepare = prepare
        self._on_connect = on_connect
        self._on_notification = on_notification
        self._engine = make_engine(url, SETTING, CONNECT_TIMEOUT)
        check_driver(self._engine.driver)
        self._limit = time_limit_of(self._engine)
        self._candidates: list[SharedLeadership] = []
        self._is_closing = False
        self._has_warned = False
        self._min_pause = 0.0
        self._lock = threading.Lock()
        self._is_due = False
        self._wake_socket, self._woken = socket.socketpair()
        self._wake_socket.setblocking(False)
        self._woken.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="replicas session", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add_candidate(self, candidate: SharedLeadership) -> None:
        """Try to get the lock of an app, and hold it, until it no longer wants to lead."""
        with self._lock:
            self._candidates.append(candidate)
        self.wake()

    def wake(self) -> None:
        """Look at the candidates now, from any thread."""
        self._is_due = True
        with suppress(OSError):  # it is being woken already, or has ended
            self._wake_socket.send(b"x")

    def close(self) -> None:
        """Free the locks and disconnect, without waiting."""
        self._is_closing = True
        if self._thread.ident is None:  # it has not been started
            self._close_sockets()
        self.wake()

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread, at most some seconds."""
        self._thread.join(timeout)

    def _run(self) -> None:
        attempts = count()
        while not self._is_closing:
            try:
                self._prepare()
                with self._connection() as (connection, notifications):
                    self._set_up(connection)
                    pause = self._beat(connection)
                    attempts = count()
                    self._on_connect()
                    self._availability.report("session", "")
                    self._serve(connection, notifications, pause)
            except Exception as error:
                _log.debug("The session of this replica ended", exc_info=error)
                self._availability.report("session", _describe(error))
                if isinstance(error, PoolerInUse):
                    self._min_pause = POOLER_PAUSE
            finally:
                self._lose_locks()
            pause = min(MIN_PAUSE * 2 ** min(next(attempts), 10), MAX_PAUSE)
            self._wait(max(pause, self._min_pause) * random.uniform(0.75, 1))  # noqa: S311
            self._min_pause = 0.0
        self._engine.dispose()
        self._close_sockets()

    def _close_sockets(self) -> None:
        for end in (self._wake_socket, self._woken):
            end.close()

    @contextmanager
    def _connection(self) -> Iterator[tuple[Any, Notifications]]:
        # of this thread
        self._limit.seconds = CONNECT_TIMEOUT
        self._limit.begin()
        pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()  # it stays open, and is of no use for others
        try:
            connection.autocommit = True
            self._limit.seconds = STATEMENT_TIMEOUT
            yield connection, notifications_of(self._engine.driver, connection)
        finally:
            with suppress(Exception):  # it is broken
                connection.close()

    def _set_up(self, connection: Any) -> None:
        with connection.cursor() as cursor:
            for name, value in _SETTINGS.items():
                cursor.execute(
                    "SELECT set_config(name, %s, false) FROM pg_settings WHERE name = %s",
                    (str(value), name),
                )
            cursor.execute("SELECT set_config(%s, %s, false)", (_MARK, self.instance))
            cursor.execute(f"LISTEN {notification_channel(self._service)}")
            cursor.execute("SHOW server_version_num")
            version = int(cursor.fetchone()[0]) // 10000
        if version < OLDEST_WITH_IDLE_TIMEOUT and not self._has_warned:
            self._has_warned = True
            _log.warning(
                "PostgreSQL %d does not end the session of a replica that is frozen or no longer"
                " reachable: no other can lead meanwhile. Use PostgreSQL %d or newer.",
                version,
                OLDEST_WITH_IDLE_TIMEOUT,
            )

    def _serve(self, connection: Any, notifications: Notifications, pause: float) -> None:
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN)
        poller.register(self._woken, select.POLLIN)
        next_beat = time.monotonic() + pause
        while not self._is_closing:
            if self._is_due or time.monotonic() >= next_beat:
                self._is_due = False
                next_beat = time.monotonic() + self._beat(connection)
            # also without new input: some arrive with the results of the statements above
            self._pass_on(notifications)
            if not self._is_due and poller.poll(max(0, next_beat - time.monotonic()) * 1000):
                self._drain()
                self._pass_on(notifications)
        self._resign(connection)

    def _pass_on(self, notifications: Notifications) -> None:
        for payload in notifications.read():
            if payload == locks.RESIGNED:
                self._is_due = True
            else:
                self._on_notification(payload)

    def _beat(self, connection: Any) -> float:
        """Show that this replica is alive, and get or free locks.

        Returns:
            Seconds until the next time.
        """
        began = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting(%s, true)", (_MARK,))
            if cursor.fetchone()[0] != self.instance:
                raise PoolerInUse
            self.confirmed_at = began
            with self._lock:
                candidates = list(self._candidates)
            for candidate in candidates:
                locks.settle(cursor, self._service, candidate)
        with self._lock:
            self._candidates = [one for one in self._candidates if not one.is_over]
        if all(candidate.is_held for candidate in candidates if candidate.is_candidate):
            return HEARTBEAT
        return random.uniform(*ATTEMPT)  # noqa: S311 - no secret

    def _resign(self, connection: Any) -> None:
        with connection.cursor() as cursor:
            for candidate in self._candidates:
                if candidate.is_held:
                    locks.free(cursor, self._service, candidate)

    def _lose_locks(self) -> None:
        """Record that the connection is gone, and the locks with it."""
        self.confirmed_at = -float("inf")
        for candidate in self._candidates:
            candidate.record(0, "")

    def _wait(self, seconds: float) -> None:
        """Wait, unless the session is being closed."""
        until = time.monotonic() + seconds
        poller = select.poll()
        poller.register(self._woken, select.POLLIN)
        while not self._is_closing and (rest := until - time.monotonic()) > 0:
            poller.poll(rest * 1000)
            self._drain()

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while self._woken.recv(1024):
                pass


def _describe(error: Exception) -> str:
    """The reason of an outage, for administrators."""
    if isinstance(error, PoolerInUse):
        return (
            "it is behind a pooler that shares sessions: connect to PostgreSQL itself, or set"
            " pool_mode = session for this database in PgBouncer"
        )
    return driver_message(error)
