"""The time limit of calls of a database driver: what takes longer is broken off."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache, partial, wraps
from typing import Any

#: Seconds that a call may take, by default.
TIMEOUT = 10.0

#: Seconds that the server has in addition, to break off a statement itself and to say so.
SERVER_GRACE = 1.0

#: Seconds after which the thread ends, if there is nothing to break off.
THREAD_IDLE_TIMEOUT = 30.0

#: The methods of cursors that wait for the database.
_METHODS = ("execute", "executemany", "fetchone", "fetchmany", "fetchall")


class _Call:
    def __init__(self, seconds: float, interrupt: Callable[[], None]) -> None:
        self.deadline = time.monotonic() + seconds
        self.interrupt = interrupt
        self.is_interrupted = False


class _Watchdog:
    """Interrupts calls that are overdue, in a thread of its own."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: set[_Call] = set()
        self._next_wake: float | None = None  # of the thread; None: there is no thread

    def begin(self, call: _Call) -> None:
        with self._changed:
            self._calls.add(call)
            if self._next_wake is None:
                threading.Thread(target=self._run, name="database timeout", daemon=True).start()
            elif call.deadline < self._next_wake:
                self._changed.notify()
            else:
                return
            self._next_wake = call.deadline

    def end(self, call: _Call) -> None:
        with self._changed:  # never while it is being broken off: its connection may go now
            self._calls.discard(call)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for call in [call for call in self._calls if call.deadline <= now]:
                    self._calls.discard(call)
                    call.is_interrupted = True
                    with suppress(Exception):  # of a connection that is closed already
                        call.interrupt()
                is_idle = not self._calls
                self._next_wake = (
                    now + THREAD_IDLE_TIMEOUT
                    if is_idle
                    else min(call.deadline for call in self._calls)
                )
                is_told = self._changed.wait(self._next_wake - now)
                if is_idle and not is_told and not self._calls:
                    self._next_wake = None
                    return


_WATCHDOG = _Watchdog()


class TimeLimit:
    """The limit of one database, for each thread that uses it.

    PostgreSQL breaks off a statement itself, where it still can (``statement_timeout``). Where the
    server hangs, or the network swallows what is sent, only the connection's end helps: a driver
    waits without a limit of its own, and the TCP user timeout knows only of what the other
    machine's kernel has not acknowledged.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._thread_state = threading.local()

    def begin(self) -> None:
        here = self._thread_state
        here.connect_deadline = time.monotonic() + self.seconds
        here.is_exceeded = here.is_lifted = False

    def lift(self) -> None:
        self._thread_state.is_lifted = True

    @property
    def is_exceeded(self) -> bool:
        return getattr(self._thread_state, "is_exceeded", False)

    @property
    def connect_time_left(self) -> float:
        until = getattr(self._thread_state, "connect_deadline", None)
        return self.seconds if until is None else until - time.monotonic()

    @contextmanager
    def call(self, connection: Any) -> Iterator[None]:
        """Break off what is called inside when it takes too long."""
        if getattr(self._thread_state, "is_lifted", False):
            yield
            return
        call = _Call(self.seconds + SERVER_GRACE, partial(_interrupt, connection))
        _WATCHDOG.begin(call)
        try:
            yield
        finally:
            _WATCHDOG.end(call)
            if call.is_interrupted:
                self._thread_state.is_exceeded = True

    def with_limit(self, function: Callable[[Any], None]) -> Callable[[Any], None]:
        """A function of a connection that SQLAlchemy has got from its pool, with the limit."""

        def call(pooled: Any) -> None:
            with self.call(pooled.driver_connection):
                function(pooled)

        return call

    @lru_cache  # noqa: B019 - it is asked for a few classes, and lives as long as the engine
    def cursor_class(self, cls: type[Any]) -> type[Any]:
        """A driver's class of cursors, with the limit for each call of them."""
        return type(cls.__name__, (cls,), {name: self._method(cls, name) for name in _METHODS})

    def _method(self, cls: type[Any], name: str) -> Callable[..., Any]:
        method = getattr(cls, name)

        @wraps(method)
        def call(cursor: Any, *args: Any, **kwargs: Any) -> Any:
            with self.call(cursor.connection):
                return method(cursor, *args, **kwargs)

        return call


def _interrupt(connection: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.interrupt()
        return
    # a copy, as closing is the driver's; psycopg has no other way that does not ask the server
    with socket.socket(fileno=os.dup(connection.fileno())) as copy:
        copy.shutdown(socket.SHUT_RDWR)
