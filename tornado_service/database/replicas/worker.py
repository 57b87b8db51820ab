"""The thread that runs a replica's work in the shared database."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from ..errors import DatabaseUnavailable, DatabaseUnusable, driver_message
from .availability import Availability

#: Seconds until work is tried again: they grow up to the second.
MIN_PAUSE, MAX_PAUSE = 0.1, 2.0

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class Chore:
    """Work that is repeated until it succeeds.

    Args:
        function: does it; it raises if the database is not available, and may be called again.
        interval: seconds after which it is due again; ``None`` if only on request.
    """

    def __init__(
        self, worker: Worker, function: Callable[[], object], interval: float | None
    ) -> None:
        self._worker = worker
        self.function = function
        self.interval = interval
        self.due_at = _soon(interval)
        self.is_requested = False

    def request(self) -> None:
        """Have it done as soon as possible, from any thread, without waiting."""
        self._worker.request(self)


class Worker:
    """Does one thing after another, and waits while the database is not available.

    Args:
        prepare: called before any work; it raises if the database is not available.
        on_failure: called after each failure.
        availability: is told of outages.
    """

    def __init__(
        self,
        prepare: Callable[[], object],
        on_failure: Callable[[], object],
        availability: Availability,
    ) -> None:
        self._prepare = prepare
        self._on_failure = on_failure
        self._availability = availability
        self._changed = threading.Condition()
        self._chores: list[Chore] = []
        self._calls: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._retry_at = 0.0
        self._failures = 0
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="replicas", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add_chore(self, function: Callable[[], object], interval: float | None = None) -> Chore:
        chore = Chore(self, function, interval)
        self._chores.append(chore)
        return chore

    def request(self, chore: Chore) -> None:
        with self._changed:
            chore.is_requested = True
            self._changed.notify()

    def call(self, function: Callable[[], Result]) -> Future[Result]:
        """Call a function in the thread, once.

        Returns:
            Its result; ``DatabaseUnavailable`` if the database is not available.
        """
        future: Future[Result] = Future()
        with self._changed:
            self._calls.append((function, future))
            self._changed.notify()
        return future

    def close(self) -> None:
        """Do what is due once more, without waiting for it here."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread, at most some seconds."""
        self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (is_last := self._is_closing) and (pause := self._pause()) > 0:
                    self._changed.wait(min(pause, threading.TIMEOUT_MAX))
                calls, self._calls = self._calls, deque()
                chores = [] if self._is_waiting() and not is_last else self._take_due()
            for function, future in calls:
                self._answer(function, future)
            self._do(chores)
            if is_last:
                return

    def _pause(self) -> float:
        """Seconds until there is something to do."""
        now = time.monotonic()
        if self._calls:
            return 0
        due = min((0 if chore.is_requested else chore.due_at for chore in self._chores), default=1)
        return max(due, self._retry_at) - now

    def _is_waiting(self) -> bool:
        return time.monotonic() < self._retry_at

    def _take_due(self) -> list[Chore]:
        now = time.monotonic()
        due = [chore for chore in self._chores if chore.is_requested or chore.due_at <= now]
        for chore in due:
            chore.is_requested = False
        return due

    def _answer(self, function: Callable[[], Any], future: Future[Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            self._prepare()
            result = function()
        except (SQLAlchemyError, DatabaseUnusable) as error:
            self._on_failure()
            failure = DatabaseUnavailable(driver_message(error))
            failure.__cause__ = error
            future.set_exception(failure)
        except Exception as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    def _do(self, chores: list[Chore]) -> None:
        while chores:
            try:
                self._prepare()
                chores[0].function()
            except Exception as error:
                _log.debug("Work in the shared database failed", exc_info=error)
                self._on_failure()
                self._availability.report("work", driver_message(error))
                self._wait_before_retry()
                for chore in chores:
                    self.request(chore)
                return
            chore = chores.pop(0)
            chore.due_at = _soon(chore.interval)
            self._failures = 0
            self._availability.report("work", "")

    def _wait_before_retry(self) -> None:
        pause = min(MIN_PAUSE * 2 ** min(self._failures, 10), MAX_PAUSE)
        self._failures += 1
        self._retry_at = time.monotonic() + pause * random.uniform(0.75, 1)  # noqa: S311


def _soon(interval: float | None) -> float:
    """When it is due: replicas do not run in step."""
    if interval is None:
        return float("inf")
    return time.monotonic() + interval * random.uniform(0.8, 1)  # noqa: S311 - no secret
