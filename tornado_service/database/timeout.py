"""The time limit of calls of a database driver: interrupts calls that exceed it."""

import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, wraps
from operator import attrgetter
from typing import Any

#: Default limit of a call in seconds.
TIMEOUT = 10.0

#: Additional seconds in which the server can cancel a statement itself and report it.
SERVER_GRACE = 1.0

#: The methods of cursors that wait for the database; a named cursor also does as it is closed.
_METHODS = ("execute", "executemany", "fetchone", "fetchmany", "fetchall")


@dataclass(eq=False)
class _Call:
    connection: Any
    deadline: float
    is_interrupted: bool = False


class _Watchdog:
    """Interrupts overdue calls from its own thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: set[_Call] = set()
        self._next_wake: float | None = None  # of the thread; None: no thread is running

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
        with self._changed:  # never during an interruption: then the connection may close
            self._calls.discard(call)

    def _run(self) -> None:
        with self._changed:
            while self._calls:
                self._next_wake = min(call.deadline for call in self._calls)
                self._changed.wait(self._next_wake - time.monotonic())
                now = time.monotonic()
                for call in [call for call in self._calls if call.deadline <= now]:
                    self._calls.discard(call)
                    call.is_interrupted = True
                    with suppress(Exception):  # the connection may be closed already
                        _interrupt(call.connection)
            self._next_wake = None


_WATCHDOG = _Watchdog()


class TimeLimit(threading.local):
    """The limit of one database; each thread that uses it has its own attributes.

    PostgreSQL cancels a statement itself if it can (``statement_timeout``). If the server hangs,
    or the network drops packets, only closing the connection helps: a driver waits without a limit
    of its own, and the TCP user timeout covers only packets that the other machine's kernel has
    not acknowledged.
    """

    is_exceeded = False
    _is_lifted = False
    _connect_deadline: float | None = None

    def __init__(self, seconds: float, lock_seconds: float) -> None:
        self.seconds = seconds
        self.lock_seconds = lock_seconds

    def begin(self) -> None:
        self._connect_deadline = time.monotonic() + self.seconds
        self.is_exceeded = self._is_lifted = False

    def lift(self) -> None:
        self._is_lifted = True

    @property
    def connect_time_left(self) -> float:
        until = self._connect_deadline
        return self.seconds if until is None else until - time.monotonic()

    @contextmanager
    def _watched(self, connection: Any) -> Iterator[None]:
        if self._is_lifted:
            yield
            return
        call = _Call(connection, time.monotonic() + self.seconds + SERVER_GRACE)
        _WATCHDOG.begin(call)
        try:
            yield
        finally:
            _WATCHDOG.end(call)
            self.is_exceeded |= call.is_interrupted

    def applied_to(
        self, function: Callable[..., Any], connection_of: Callable[[Any], Any]
    ) -> Callable[..., Any]:
        """Wrap a function whose first argument has a connection, with the limit."""

        @wraps(function)
        def call(subject: Any, *args: Any, **kwargs: Any) -> Any:
            with self._watched(connection_of(subject)):
                return function(subject, *args, **kwargs)

        return call

    @lru_cache  # noqa: B019 - called for few classes, and lives as long as the engine
    def cursor_class(self, cls: type[Any]) -> type[Any]:
        """A subclass of a driver's cursor class, with the limit for each call."""
        connection_of = attrgetter("connection")
        functions = {name: getattr(cls, name) for name in _METHODS} | {"close": _close_in(cls)}
        methods = {
            name: self.applied_to(function, connection_of) for name, function in functions.items()
        }
        return type(cls.__name__, (cls,), methods)


def _close_in(cls: type[Any]) -> Callable[[Any], None]:
    @wraps(cls.close)
    def close(cursor: Any) -> None:
        try:
            cls.close(cursor)
        except Exception:
            cls.close(cursor)  # psycopg leaves it open if the connection is lost meanwhile
            raise

    return close


def _interrupt(connection: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.interrupt()
        return
    # a copy, as the driver closes its own; psycopg has no other way without a call of the server
    with socket.socket(fileno=os.dup(connection.fileno())) as copy:
        copy.shutdown(socket.SHUT_RDWR)
