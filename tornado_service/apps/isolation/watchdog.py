"""The watch over the event loop: code of an app that holds it is interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...app import TornadoService
    from ..mounted import Mount

#: Seconds for which one piece of code may hold the loop.
LIMIT = 2.0

#: Seconds between two looks.
LOOK = 0.25

#: The same while somebody is to be interrupted as soon as that does no harm.
AGAIN = 0.05

#: What reaches the main thread. Nobody else uses it, and without a handler it does nothing.
SIGNAL = signal.SIGURG

#: Packages whose state everybody shares: nothing is raised in the midst of their code.
SHARED = frozenset({"asyncio", "logging", "prometheus_client", "tornado", "tornado_service"})


class LoopHeld(Exception):
    """An app held the event loop, so that nobody else was served."""


class LoopStillHeld(BaseException):
    """It caught ``LoopHeld`` as any ``Exception``, and holds the loop again."""


class Hold:
    """What the main thread is at while the loop waits.

    Attributes:
        mount: the app whose code it is, if it is an app's.
        entry: where that was called; nothing else stays the same while it runs.
        place: the line of the app's, or of ours, at the last look.
        since: when it began, or was last interrupted; by the monotonic clock.
    """

    def __init__(self, frame: FrameType | None, mounts: list[Mount]) -> None:
        self.mount: Mount | None = None
        self.entry: FrameType | None = None
        self.since = time.monotonic()
        self.is_logged = False
        self.error: type[BaseException] = LoopHeld
        inner = frame
        for each in stack(frame):
            if mount := owner(each, mounts):
                inner = inner if self.mount else each
                self.mount, self.entry = mount, each
        self.place = place_of(inner) if inner else "nothing"

    @property
    def is_too_long(self) -> bool:
        """Whether it is time to end it."""
        return time.monotonic() - self.since >= LIMIT


class Watch:
    """Looks from a thread whether the event loop gets to its work, and who keeps it from that.

    An ``async def`` of an app that blocks (``time.sleep``, ``requests.get``, ``while True``) would
    leave everybody waiting. After ``LIMIT`` seconds the log names its line, and ``LoopHeld`` is
    raised there, so that its request gets a 500, or its ``start`` has failed. If it catches that
    and blocks again, ``LoopStillHeld`` follows.

    Functions in C that look for no signals, such as the system's look-up of names, end when they
    end. Where no app is at work nothing is raised, and the log says so.
    """

    def __init__(self, service: TornadoService) -> None:
        self._service = service
        self._loop = asyncio.get_running_loop()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._loop_has_run = True
        self._hold: Hold | None = None

    def start(self) -> None:
        """Look from now on. Only the main thread may call this, as its signals are used."""
        signal.signal(SIGNAL, self._interrupt)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._thread.join()
        signal.signal(SIGNAL, signal.SIG_DFL)

    def _run(self) -> None:
        looked = time.monotonic()
        while not self._stopped.wait(AGAIN if self._hold and self._hold.is_too_long else LOOK):
            before, looked = looked, time.monotonic()
            if looked - before > 4 * LOOK:
                self._hold = None  # the whole process stood still, as in a suspended machine
            elif self._loop_has_run:
                self._hold = None
                self._loop_has_run = False
                with contextlib.suppress(RuntimeError):  # it is closed
                    self._loop.call_soon_threadsafe(self._note_run)
            else:
                self._look()

    def _note_run(self) -> None:
        self._loop_has_run = True

    def _look(self) -> None:
        """See who holds the loop; from the second look on, for how long."""
        main = threading.main_thread().ident or 0
        now = Hold(sys._current_frames().get(main), list(self._service.mounts))
        hold = self._hold
        if hold is None or hold.entry is not now.entry:
            self._hold = now
        elif hold.is_too_long:
            if not hold.is_logged:
                hold.is_logged = True
                hold.place = now.place
                self._say(hold)
            if hold.mount:
                signal.pthread_kill(main, SIGNAL)

    def _say(self, hold: Hold) -> None:
        label = hold.mount.label if hold.mount else ""
        self._service.metrics.loop_held.labels(label).inc()
        if hold.mount:
            self._service.log.error(
                "App %s makes everybody wait: %s has held the event loop for %g s."
                " Await what takes long, or write a handler as `def` and not `async def`:"
                " that runs in a thread.",
                label,
                hold.place,
                LIMIT,
            )
        else:
            self._service.log.warning(
                "The event loop has been held for %g s, by no app: %s", LIMIT, hold.place
            )

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Runs in the main thread, between two steps of whatever that is at."""
        hold = self._hold
        if hold is None or not hold.mount or not hold.is_too_long:
            return
        if not any(each is hold.entry for each in stack(frame)) or self._is_shared(frame):
            return  # it has ended, or the next look will find a better moment
        error, hold.error = hold.error, LoopStillHeld
        hold.since = time.monotonic()
        hold.is_logged = False
        raise error(f"{hold.place} has held the event loop for {LIMIT:g} s")

    def _is_shared(self, frame: FrameType | None) -> bool:
        """Whether the app has called something that is not to be left half done."""
        mounts = list(self._service.mounts)
        inner = itertools.takewhile(lambda each: not owner(each, mounts), stack(frame))
        return any(module_of(each).partition(".")[0] in SHARED for each in inner)


def stack(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame and its callers, outwards."""
    while frame:
        yield frame
        frame = frame.f_back


def owner(frame: FrameType, mounts: list[Mount]) -> Mount | None:
    """The app to which a frame's code belongs."""
    name = module_of(frame)
    for mount in mounts:
        if mount.package and f"{name}.".startswith(f"{mount.package}."):
            return mount
    return None


def module_of(frame: FrameType) -> str:
    """The name of the module of a frame's code."""
    return str(frame.f_globals.get("__name__", ""))


def place_of(frame: FrameType) -> str:
    """Where a frame is, for a person."""
    code = frame.f_code
    return f"{code.co_name}() in {code.co_filename}:{frame.f_lineno}"
