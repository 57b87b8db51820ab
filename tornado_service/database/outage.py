"""Outages of an app's database: logs one line at the beginning and one at the end."""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from .errors import DatabaseUnavailable

#: Maximum number of outages logged within so many seconds. If some transactions fail and others
#: do not, each failure would count as an outage.
MAX_LOGGED, LOG_WINDOW = 3, 60.0


class _Reason(NamedTuple):
    detail: str
    is_connection_failure: bool
    is_hung: bool


class OutageTracker:
    """Tracks how the transactions of one database end, in any thread.

    An outage begins with a transient failure of a transaction, and ends when one of the same
    kind, reading or writing, succeeds (a full disk can still be read); or any, if there was no
    connection.

    Args:
        database: its name in the log.
        log: receives the lines.

    Attributes:
        on_failure: called for each failed transaction.
    """

    def __init__(self, database: str, log: logging.Logger) -> None:
        self.on_failure: Callable[[], object] = lambda: None
        self._database = database
        self._log = log
        self._lock = threading.Lock()
        self._reasons: dict[bool, _Reason] = {}  # the key: whether a writer failed
        self._changed_at = -math.inf  # when an outage began or ended
        self._failed = 0
        self._probe: object | None = None
        self._logged_at: deque[float] = deque(maxlen=MAX_LOGGED)  # when outages began
        self._is_logged = False

    @property
    def problem(self) -> str:
        """The current problem, for administrators; empty if there is none."""
        with self._lock:
            details = [reason.detail for reason in self._reasons.values()]
        return f"{self._database} is not available: {details[0]}." if details else ""

    @contextmanager
    def track(self, *, is_writer: bool) -> Iterator[Callable[[], None]]:
        """Track how a transaction ends.

        Yields a function to call when the transaction has begun, so that others need not wait for
        its end. While the database hangs, one transaction tests whether it still does: others are
        refused.
        """
        probe = self._admit_or_refuse()
        began = time.monotonic()
        try:
            yield lambda: self._release_probe(probe)
        except DatabaseUnavailable as error:
            if not error.is_logged:  # else of another database, used in this transaction
                self._record_failure(error, is_writer, began)
            raise
        else:
            self._record_success(is_writer, began)
        finally:
            self._release_probe(probe)

    def _admit_or_refuse(self) -> object | None:
        with self._lock:
            hung = next((reason for reason in self._reasons.values() if reason.is_hung), None)
            if hung is None:
                return None
            if self._probe is None:
                self._probe = object()
                return self._probe
            self._failed += 1
        self.on_failure()
        raise DatabaseUnavailable(hung.detail, is_logged=True)

    def _release_probe(self, probe: object | None) -> None:
        with self._lock:
            if probe is not None and self._probe is probe:
                self._probe = None

    def _record_failure(self, error: DatabaseUnavailable, is_writer: bool, began: float) -> None:
        error.is_logged = True
        self.on_failure()
        with self._lock:
            is_new = not self._reasons
            if is_new and began < self._changed_at:
                return  # it has waited since the previous outage, and failed because of that
            if is_new:
                self._changed_at, self._failed, self._is_logged = time.monotonic(), 0, False
            self._failed += 1
            self._reasons[is_writer] = _Reason(
                error.detail, error.is_connection_failure, error.is_hung
            )
            if self._is_logged or self._is_log_limit_reached():
                return  # a persistent one is logged as soon as the limit allows
            self._is_logged = True
            self._logged_at.append(time.monotonic())
            is_last = self._is_log_limit_reached()
        line = "%s is not available: %s. Requests that need it get 503."
        more = " More outages in this minute are not logged." if is_last else ""
        self._log.warning(line + more, self._database, error.detail)

    def _is_log_limit_reached(self) -> bool:
        return (
            len(self._logged_at) == MAX_LOGGED
            and time.monotonic() - self._logged_at[0] < LOG_WINDOW
        )

    def _record_success(self, is_writer: bool, began: float) -> None:
        if not self._reasons:  # the usual case, without the lock
            return
        with self._lock:
            if began < self._changed_at:
                return  # it had its connection and its locks before
            for of_writer, reason in list(self._reasons.items()):
                if is_writer or not of_writer or reason.is_connection_failure:
                    del self._reasons[of_writer]
            if self._reasons:
                return
            now, failed = time.monotonic(), self._failed
            lasted, self._changed_at = now - self._changed_at, now
            if not self._is_logged:
                return
        line = "%s is available again, after %d s in which %d transactions failed."
        self._log.info(line, self._database, lasted, failed)
