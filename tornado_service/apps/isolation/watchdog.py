"""The watchdog of the event loop: logs and counts blocking calls, with the line of code."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import time
from collections.abc import Iterable
from types import FrameType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...telemetry.metrics import Metrics

#: Seconds for which a call may block the event loop.
BLOCK_LIMIT = 2.0


class CodeOwner(Protocol):
    """An app, to attribute frames of a stack to it."""

    package: str

    @property
    def display_name(self) -> str:
        """The name for display."""

    def record_blocked_call(self, location: str) -> None:
        """Count a call of the app's code that blocked the event loop."""


class BlockedCall:
    """The call in the main thread that blocks the loop.

    Attributes:
        owner: the app that the code belongs to, if any.
        entry_frame: the frame that called it; only this stays the same while the call runs.
        location: the line of the app's code, or of ours, at the last check.
    """

    def __init__(self, frame: FrameType | None, owners: list[CodeOwner]) -> None:
        self.owner: CodeOwner | None = None
        self.entry_frame: FrameType | None = None
        self.since = time.monotonic()
        self.is_logged = False
        inner = frame
        while frame:
            if owner := owner_of(frame, owners):
                inner = inner if self.owner else frame
                self.owner, self.entry_frame = owner, frame
            frame = frame.f_back
        self.location = location_of(inner) if inner else "nothing"


class Watchdog:
    """Checks from a thread whether the event loop is blocked, and by which code.

    An ``async def`` of an app that blocks (``time.sleep``, ``requests.get``, ``while True``) delays
    all other requests. The log names its line, once for each call. The watchdog raises nothing in
    it: that could leave a lock, a connection or a partial response of any library behind.

    Args:
        log: receives a line for each blocking call.
        metrics: counts the calls.
        owners: returns the current apps.
        limit: seconds for which a call may block the loop.
    """

    def __init__(
        self,
        log: logging.Logger,
        metrics: Metrics,
        owners: Iterable[CodeOwner],
        limit: float = BLOCK_LIMIT,
    ) -> None:
        self._log = log
        self._metrics = metrics
        self._owners = owners
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._loop_has_run = True
        self._blocked: BlockedCall | None = None

    def start(self) -> None:
        """Start checking, eight times per limit."""
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        interval = self._limit / 8
        checked = time.monotonic()
        while not self._stopped.wait(interval):
            before, checked = checked, time.monotonic()
            if checked - before > 4 * interval:
                self._blocked = None  # the whole process was suspended, as by a paused machine
            elif self._loop_has_run:
                self._blocked = None
                self._loop_has_run = False
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    self._loop.call_soon_threadsafe(self._mark_loop_ran)
            else:
                self._check()

    def _mark_loop_ran(self) -> None:
        self._loop_has_run = True

    def _check(self) -> None:
        """Determine which code blocks the loop; from the second check on, for how long."""
        main = threading.main_thread().ident or 0
        now = BlockedCall(sys._current_frames().get(main), list(self._owners))
        blocked = self._blocked
        if blocked is None or blocked.entry_frame is not now.entry_frame:
            self._blocked = now
        elif now.since - blocked.since >= self._limit and not blocked.is_logged:
            blocked.is_logged = True
            self._report(now)

    def _report(self, blocked: BlockedCall) -> None:
        owner = blocked.owner
        self._metrics.loop_blocked.labels(owner.display_name if owner else "").inc()
        if owner:
            owner.record_blocked_call(blocked.location)
            self._log.error(
                "App %s is blocking the event loop, for %g s already: %s."
                " Await what takes long, or write a handler as `def` and not `async def`:"
                " that runs in a thread.",
                owner.display_name,
                self._limit,
                blocked.location,
            )
        else:
            self._log.warning(
                "The event loop is blocked, for %g s already, by no app: %s",
                self._limit,
                blocked.location,
            )


def owner_of(frame: FrameType, owners: Iterable[CodeOwner]) -> CodeOwner | None:
    module = str(frame.f_globals.get("__name__", ""))
    for owner in owners:
        if owner.package and f"{module}.".startswith(f"{owner.package}."):
            return owner
    return None


def location_of(frame: FrameType) -> str:
    code = frame.f_code
    return f"{code.co_name}() in {code.co_filename}:{frame.f_lineno}"
