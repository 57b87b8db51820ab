"""Periodic work of an app."""

from __future__ import annotations

import asyncio
import inspect
import math
import random
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..service_unavailable import ServiceUnavailable
from .base import ServiceApp
from .isolation.containment import AppError, call_contained, run_in_daemon_thread
from .retry import INITIAL_DELAY, backoff_delays, describe_error, transient_cause

if TYPE_CHECKING:
    from ..streaming.replicas import Replicas
    from ..telemetry.metrics import Metrics

#: Jitter as a share of the interval, so that processes do not run in step.
JITTER = 0.02

Method = TypeVar("Method", bound=Callable[..., Any])


def periodic(interval: float | str, *, once: bool = False) -> Callable[[Method], Method]:
    """Call a method of a ``ServiceApp`` periodically while the app runs.

    The first call follows right after ``start``, so that the work is also done if the service
    restarts more often than the interval. Each further call begins an interval after the beginning
    of the previous one, or at its end if it takes longer: calls never overlap. A failure is logged
    and counted, and the next call follows; after 1, 2, 4 … seconds, up to the interval, if a
    database or the hub is not available.

    A plain ``def`` runs in a thread; an ``async def`` must not block.

    Args:
        interval: seconds, or the name of a trait of the app.
        once: if the service has several replicas, run it on one at a time, the app's leader, an
            interval after the previous run on any replica. If a replica dies during a run, the
            next leader repeats it. If a replica stops leading, an ``async def`` is cancelled; a
            plain ``def`` has to ask ``self.leadership.is_leader`` before it changes something.
    """

    def mark(method: Method) -> Method:
        method._periodic = interval  # type: ignore[attr-defined] # a marker, which no type declares
        method._runs_once = once  # type: ignore[attr-defined]
        return method

    return mark


class _LeadershipLost(Exception):
    """This replica no longer leads, so its run of a job ends."""


class Job(NamedTuple):
    """A method that is called periodically."""

    name: str
    function: Callable[[], Any]
    interval: float
    once: bool = False


def periodic_jobs(app: ServiceApp) -> list[Job]:
    """The periodic jobs of an app.

    Raises:
        AppError: an interval is not a number of seconds.
    """
    return [
        Job(
            name,
            getattr(app, name),
            _interval_seconds(app, name, function._periodic),
            function._runs_once,
        )
        for name, function in inspect.getmembers(
            type(app), lambda member: hasattr(member, "_periodic")
        )
    ]


def _interval_seconds(app: ServiceApp, name: str, interval: Any) -> float:
    where = f"{type(app).__name__}.{name}: @periodic({interval!r})"
    if isinstance(interval, str):
        if not app.has_trait(interval):
            raise AppError(f"{where} names no trait of the app.")
        interval = getattr(app, interval)
    if isinstance(interval, bool) or not isinstance(interval, (int, float)):
        raise AppError(f"{where} is no number of seconds.")
    if not (0 < interval < math.inf):
        raise AppError(f"{where} is {interval} seconds: it must be greater than 0.")
    return float(interval)


class Schedule:
    """The periodic work of one running app.

    Args:
        app: the app.
        jobs: its jobs.
        metrics: counts the runs.
        replicas: those of the service, for jobs that one of them runs.
    """

    def __init__(
        self, app: ServiceApp, jobs: list[Job], metrics: Metrics, replicas: Replicas
    ) -> None:
        self._app = app
        self._jobs = jobs
        self._metrics = metrics
        self._replicas = replicas
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = {loop.create_task(self._run_repeatedly(job)) for job in self._jobs}

    def _run_repeatedly(self, job: Job) -> Coroutine[Any, Any, None]:
        shared = job.once and self._replicas.is_shared
        return self._run_as_leader(job) if shared else self._run_periodically(job)

    async def stop(self, limit: float) -> float:
        """Start no more runs, and wait at most this many seconds for current ones.

        Coroutines are cancelled; threads cannot be.

        Returns:
            The seconds that it took.
        """
        if not self._tasks:
            return 0
        began = time.monotonic()
        for task in self._tasks:
            task.cancel()
        _, going_on = await asyncio.wait(self._tasks, timeout=limit)
        if going_on:
            self._app.log.error("App %s: periodic work does not end", self._app.name)
        return time.monotonic() - began

    async def _run_periodically(self, job: Job) -> None:
        retries = backoff_delays(job.interval)
        while True:
            began = time.monotonic()
            may_pass = await self._run(job)
            # the delay is no secret
            rest = began + job.interval * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
            pause = rest - time.monotonic()
            if may_pass:
                pause = min(pause, next(retries))
            else:
                retries = backoff_delays(job.interval)
            await asyncio.sleep(max(0, pause))

    async def _run_as_leader(self, job: Job) -> None:
        """Run a job on one replica at a time."""
        app = self._app
        retries = backoff_delays(job.interval)
        while True:
            await self._wait_for_turn(job)
            try:
                may_pass = await self._run(job)
            except _LeadershipLost:
                app.log.warning("App %s: %s() moves to another replica", app.name, job.name)
                continue
            if may_pass:
                await self._sleep_while_leading(next(retries))
            else:
                self._replicas.finish_run(app.name, job.name)
                retries = backoff_delays(job.interval)

    async def _wait_for_turn(self, job: Job) -> None:
        """Wait until this replica leads, and an interval has passed since the last run on any."""
        while True:
            await self._app.leadership.wait_until()
            interval = job.interval * random.uniform(1 - JITTER, 1)  # noqa: S311 - no secret
            try:
                pause = await self._replicas.begin_run(self._app.name, job.name, interval)
            except ServiceUnavailable as error:  # the log has it, as of an outage
                self._app.log.debug("App %s: %s() waits: %s", self._app.name, job.name, error)
                pause = INITIAL_DELAY
            if pause <= 0:
                return
            await self._sleep_while_leading(pause)

    async def _sleep_while_leading(self, seconds: float) -> None:
        lost = asyncio.ensure_future(self._app.leadership.wait_until(False))
        try:
            await asyncio.wait({lost}, timeout=seconds)
        finally:
            lost.cancel()

    async def _run(self, job: Job) -> bool:
        """Run a job once.

        Returns:
            Whether it has failed with a transient error.
        """
        outcome, may_pass = "failed", False
        try:
            await self._call(job)
            outcome = "ok"
        except _LeadershipLost:
            raise
        except Exception as error:
            cause = transient_cause(error)
            may_pass = cause is not None
            self._log_failure(job, error, cause)
        finally:
            work = f"{self._app.name}.{job.name}"
            self._metrics.periodic_runs.labels(work, outcome).inc()
        return may_pass

    def _log_failure(self, job: Job, error: Exception, cause: BaseException | None) -> None:
        log, name = self._app.log, self._app.name
        if isinstance(error, ServiceUnavailable):
            error.log_reason(log, f"app {name}, {job.name}()")
        elif cause:
            reason = describe_error(cause)
            log.warning("App %s: %s() failed, and is tried again: %s", name, job.name, reason)
        else:
            log.error("App %s: %s() failed", name, job.name, exc_info=error)

    async def _call(self, job: Job) -> None:
        """Call it in its own task, so that it cannot cancel ours."""
        work: asyncio.Future[None]
        if inspect.iscoroutinefunction(job.function):
            work = asyncio.ensure_future(call_contained(job.function))
        else:
            work = run_in_daemon_thread(job.function, f"{self._app.name}.{job.name}")
        try:
            if job.once and self._replicas.is_shared:
                await self._wait_while_leading(work)
            else:
                await asyncio.wait({work})
        except (asyncio.CancelledError, _LeadershipLost):
            if isinstance(work, asyncio.Task):
                work.cancel()
            await asyncio.wait({work})
            work.exception()
            raise
        work.result()

    async def _wait_while_leading(self, work: asyncio.Future[None]) -> None:
        """Wait for the end of a run.

        Raises:
            _LeadershipLost: another replica leads before.
        """
        lost = asyncio.ensure_future(self._app.leadership.wait_until(False))
        try:
            await asyncio.wait({work, lost}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise _LeadershipLost
        finally:
            lost.cancel()
