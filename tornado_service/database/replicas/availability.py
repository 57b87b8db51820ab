"""Whether the database that replicas share is available."""

from __future__ import annotations

import logging
import threading
import time


class Availability:
    """Logs one line when the database becomes unavailable, and one when it is available again.

    Args:
        log: receives the lines.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._reasons: dict[str, str] = {}
        self._began = 0.0
        self._is_first = True

    @property
    def problem(self) -> str:
        """Why it is unavailable and what that means, for administrators; empty if it is not."""
        with self._lock:
            reason = next(iter(self._reasons.values()), "")
        if not reason:
            return ""
        return (
            f"The database of TornadoService.database_url is not available: {reason}. Until it is,"
            " other replicas do not learn of sign-outs and events here, and no replica leads apps."
        )

    def report(self, source: str, reason: str) -> None:
        """Record what a user of the database has found.

        Args:
            source: the user of the database.
            reason: why it is unavailable; empty if it is available.
        """
        with self._lock:
            was_available = not self._reasons
            if reason:
                self._reasons[source] = reason
            else:
                self._reasons.pop(source, None)
            is_available = not self._reasons
            is_first, self._is_first = self._is_first, False
            if was_available and not is_available:
                self._began = time.monotonic()
            lasted = time.monotonic() - self._began
        if is_available and is_first:
            self._log.info("Connected to the database that the replicas share")
        elif was_available and not is_available:
            self._log.warning("%s", self.problem)
        elif is_available and not was_available:
            self._log.info("The database that the replicas share is available, after %d s", lasted)
