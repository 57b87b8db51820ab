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
GRACE = 1.0

#: Seconds after which the thread ends, if there is nothing to break off.
IDLE = 30.0

#: The methods of cursors that wait for the database.
_METHODS = ("execute", "executemany", "fetchone", "fetchmany", "fetchall")


class _Call:
    def __init__(self, seconds: float, break_off: Callable[[], None]) -> None:
        self.due = time.monotonic() + seconds
        self.break_off = break_off
        self.is_broken_off = False


class _Watch:
    """Breaks off calls that are due, in a thread of its own."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: set[_Call] = set()
        self._wakes: float | None = None  # when the thread looks next; None: there is no thread

    def begin(self, call: _Call) -> None:
        with self._changed:
            self._calls.add(call)
            if self._wakes is None:
                threading.Thread(target=self._run, name="database timeout", daemon=True).start()
            elif call.due < self._wakes:
                self._changed.notify()
            else:
                return
            self._wakes = call.due

    def end(self, call: _Call) -> None:
        with self._changed:  # never while it is being broken off: its connection may go now
            self._calls.discard(call)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for call in [each for each in self._calls if each.due <= now]:
                    self._calls.discard(call)
                    call.is_broken_off = True
                    with suppress(Exception):  # of a connection that is closed already
                        call.break_off()
                is_idle = not self._calls
                self._wakes = now + IDLE if is_idle else min(each.due for each in self._calls)
                is_told = self._changed.wait(self._wakes - now)
                if is_idle and not is_told and not self._calls:
                    self._wakes = None
                    return


_WATCH = _Watch()


class TimeLimit:
    """The limit of one database, for each thread that uses it.

    PostgreSQL breaks off a statement itself, where it still can (``statement_timeout``). Where the
    server hangs, or the network swallows what is sent, only the connection's end helps: a driver
    waits without a limit of its own, and the TCP user timeout knows only of what the other
    machine's kernel has not acknowledged.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._of_thread = threading.local()

    def begin(self) -> None:
        """Begin a transaction in this thread."""
        here = self._of_thread
        here.connect_by = time.monotonic() + self.seconds
        here.is_exceeded = here.is_lifted = False

    def lift(self) -> None:
        """Let calls of this thread take any time, until its next transaction."""
        self._of_thread.is_lifted = True

    @property
    def is_exceeded(self) -> bool:
        """Whether a call of this thread's transaction was broken off."""
        return getattr(self._of_thread, "is_exceeded", False)

    @property
    def to_connect(self) -> float:
        """Seconds that are left to get a connection for this thread's transaction."""
        until = getattr(self._of_thread, "connect_by", None)
        return self.seconds if until is None else until - time.monotonic()

    @contextmanager
    def call(self, connection: Any) -> Iterator[None]:
        """Break off what is called inside when it takes too long.

        Args:
            connection: the driver's.
        """
        if getattr(self._of_thread, "is_lifted", False):
            yield
            return
        call = _Call(self.seconds + GRACE, partial(_break_off, connection))
        _WATCH.begin(call)
        try:
            yield
        finally:
            _WATCH.end(call)
            if call.is_broken_off:
                self._of_thread.is_exceeded = True

    def limited(self, function: Callable[[Any], None]) -> Callable[[Any], None]:
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


def _break_off(connection: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.interrupt()
        return
    # a copy, as closing is the driver's; psycopg has no other way that does not ask the server
    with socket.socket(fileno=os.dup(connection.fileno())) as copy:
        copy.shutdown(socket.SHUT_RDWR)
