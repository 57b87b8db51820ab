"""The process of a web app: started when it is needed, restarted when it ends, ended when idle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from logging import Logger

from .. import diagnosis
from ..forward.target import Target
from .command import ProcessOptions
from .output import OutputLog
from .run import Run

#: Seconds before a restart: the first pause, which doubles each time, and the longest.
FIRST_PAUSE = 1.0
MAX_PAUSE = 60.0

#: Seconds of a pause for which WebSockets wait.
MAX_WAIT = 5.0

#: Seconds that ``stop`` takes at most, of the 2 that an app has.
STOP_TIMEOUT = 1.5


class NotStarted(Exception):
    """A web app cannot take requests; the message is for its users."""


class State(Enum):
    """What the command of a web app does."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"


class Supervisor:
    """Keeps the command of one web app running.

    Args:
        options: the command, and when it runs.
        log: gets its output, line by line, and what the supervisor does.
        on_restart: called at each restart, for metrics.

    Attributes:
        restarts: how often the command has been restarted after a failure.
        uses: current requests and WebSockets.
    """

    def __init__(
        self, options: ProcessOptions, log: Logger, on_restart: Callable[[], None] = lambda: None
    ) -> None:
        self.options = options
        self.restarts = 0
        self.uses = 0
        self._log = log
        self._on_restart = on_restart
        self._output = OutputLog(options.name, log, self._take_line)
        self._run: Run | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiters: set[asyncio.Future[None]] = set()
        self._last_use = time.monotonic()
        self._is_requested = False
        self._pause_end: float | None = None
        self._stopping = asyncio.Event()
        self._failure = ""
        self._hint = ""

    @property
    def target(self) -> Target:
        """Where the present process listens; it changes with each start."""
        return self._run.address.target if self._run else Target()

    @property
    def state(self) -> State:
        if self._task is None or self._task.done():
            return State.STOPPED
        if self._pause_end is not None:
            return State.RESTARTING
        return State.RUNNING if self.is_ready else State.STARTING

    @property
    def is_ready(self) -> bool:
        """Whether the app takes requests."""
        return self._run is not None and self._run.is_ready

    @property
    def is_failing(self) -> bool:
        """Whether the latest start has failed, and the next one is not ready yet."""
        return bool(self._failure) and not self.is_ready

    @property
    def problem(self) -> str:
        """What is wrong, in one line that names the key to change; empty if nothing is."""
        run = self._run
        if run and run.is_ready and run.has_run_well:
            self._failure = ""
        return self._failure or (run.problem if run else "") or self._hint

    @property
    def details(self) -> dict[str, str]:
        """The state of the process, for administrators."""
        run = self._run
        return {
            "state": self.state.value,
            "pid": str(run.pid) if run and run.pid else "",
            "restarts": str(self.restarts),
            "listens on": str(run.address) if run and run.pid else "",
            "output": "\n".join(self._output.latest),
        }

    async def start(self) -> None:
        """Start the command if it always runs."""
        if self.options.always:
            self.request_start()

    def request_start(self) -> None:
        """Start the command, unless it runs already, or a pause before its restart is not over."""
        self._is_requested = True
        self._last_use = time.monotonic()
        if not self._stopping.is_set() and (self._task is None or self._task.done()):
            self._task = asyncio.ensure_future(self._supervise())

    async def wait_ready(self) -> None:
        """Start the command if necessary, and wait until it takes requests.

        Raises:
            NotStarted: it has failed to start, takes too long, or pauses before a restart.
        """
        if self.is_ready:
            return
        self.request_start()
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        is_far = self._pause_end is not None and self._pause_end > time.monotonic() + MAX_WAIT
        if self._stopping.is_set() or is_far:
            self._refuse(waiter)
        self._waiters.add(waiter)
        try:
            await asyncio.wait_for(waiter, self.options.start_timeout)
        except asyncio.TimeoutError:
            raise NotStarted("The app takes too long to start. Try again shortly.") from None
        finally:
            self._waiters.discard(waiter)

    def begin_use(self) -> None:
        """Count a request or a WebSocket: the command is not idle until it ends."""
        self.uses += 1

    def end_use(self) -> None:
        """Count one less."""
        self.uses -= 1
        self._last_use = time.monotonic()

    def report_unreachable(self) -> None:
        """Check whether the command still listens, as a connection has failed."""
        if self._run:
            self._run.unreachable.set()

    def report_response(
        self, status: int, headers: Mapping[str, str], start_of_body: bytes, is_websocket: bool
    ) -> None:
        """Report a response 400 or 403, which may be that of a framework's own origin check."""
        hint = diagnosis.hint_from_response(status, headers, start_of_body, is_websocket)
        if hint:
            self._set_hint(hint)

    async def stop(self) -> None:
        """End the command with all of its processes, in at most 1.5 seconds."""
        self._stopping.set()
        if self._run:
            self._run.request_end()
        if self._task:
            await asyncio.wait({self._task}, timeout=STOP_TIMEOUT)
            self._task.cancel()
        self._refuse(*self._waiters)

    async def _supervise(self) -> None:
        """Run the command until it is idle, and again after failures."""
        failures = 0
        while not self._stopping.is_set():
            self._is_requested = False
            run = self._run = self._make_run()
            try:
                failure = await run.run()
            except Exception as error:
                self._log.exception("App %s: its process is not supervised", self.options.name)
                failure = f"{type(error).__name__}: {error}"
            if run.has_run_well:
                failures = 0
            if failure and not self._stopping.is_set():
                pause = min(MAX_PAUSE, FIRST_PAUSE * 2**failures)
                failures = min(failures + 1, 10)
                await self._pause(failure, pause)
            if (not failure or self._idle_left() == 0) and not self._is_requested:
                return
            if failure and not self._stopping.is_set():
                self.restarts += 1
                self._on_restart()

    def _make_run(self) -> Run:
        last_port = self._run.address.port if self._run else 0
        self._output.latest.clear()
        return Run(
            self.options, self._output, self._log, last_port, self._idle_left, self._take_ready
        )

    async def _pause(self, failure: str, seconds: float) -> None:
        """Wait before a restart."""
        self._failure = failure
        self._log.error("App %s: %s (restarting in %g s)", self.options.name, failure, seconds)
        self._pause_end = time.monotonic() + seconds
        self._is_requested = False
        self._refuse(*self._waiters)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        self._pause_end = None

    def _idle_left(self) -> float | None:
        """The seconds until the command is idle; None if it never is."""
        timeout = self.options.idle_timeout
        if not timeout:
            return None
        if self.uses:
            return timeout
        return max(0.0, self._last_use + timeout - time.monotonic())

    def _take_ready(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _refuse(self, *waiters: asyncio.Future[None]) -> None:
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(NotStarted("The app is not available. Try again shortly."))

    def _take_line(self, line: str) -> None:
        self._set_hint(diagnosis.hint_from_line(line))

    def _set_hint(self, hint: str) -> None:
        if hint and hint != self._hint:
            self._hint = hint
            self._log.warning("App %s: %s", self.options.name, hint)
