"""Periodic work of an app."""

from __future__ import annotations

import asyncio
import inspect
import math
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..service_unavailable import ServiceUnavailable
from .base import ServiceApp
from .isolation.containment import AppError, call_contained, run_in_daemon_thread
from .retry import backoff_delays, describe_error, transient_cause

if TYPE_CHECKING:
    from ..telemetry.metrics import Metrics

#: Jitter as a share of the interval, so that processes do not run in step.
JITTER = 0.02

Method = TypeVar("Method", bound=Callable[..., Any])


def periodic(interval: float | str) -> Callable[[Method], Method]:
    """Call a method of a ``ServiceApp`` periodically while the app runs.

    The first call follows right after ``start``, so that the work is also done if the service
    restarts more often than the interval. Each further call begins an interval after the beginning
    of the previous one, or at its end if it takes longer: calls never overlap. A failure is logged
    and counted, and the next call follows; after 1, 2, 4 … seconds, up to the interval, if a
    database or the hub is not available.

    A plain ``def`` runs in a thread; an ``async def`` must not block.

    Args:
        interval: seconds, or the name of a trait of the app.
    """

    def mark(method: Method) -> Method:
        method._periodic = interval  # type: ignore[attr-defined] # a marker, which no type declares
        return method

    return mark


class Job(NamedTuple):
    """A method that is called periodically."""

    name: str
    function: Callable[[], Any]
    interval: float


def periodic_jobs(app: ServiceApp) -> list[Job]:
    """The periodic jobs of an app.

    Raises:
        AppError: an interval is not a number of seconds.
    """
    return [
        Job(name, getattr(app, name), _interval_seconds(app, name, function._periodic))
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
    """

    def __init__(self, app: ServiceApp, jobs: list[Job], metrics: Metrics) -> None:
        self._app = app
        self._jobs = jobs
        self._metrics = metrics
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = {loop.create_task(self._run_periodically(job)) for job in self._jobs}

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

    async def _run(self, job: Job) -> bool:
        """Run a job once.

        Returns:
            Whether it has failed with a transient error.
        """
        outcome, may_pass = "failed", False
        try:
            await self._call(job)
            outcome = "ok"
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
            await asyncio.wait({work})
        except asyncio.CancelledError:
            if isinstance(work, asyncio.Task):
                work.cancel()
            await asyncio.wait({work})
            work.exception()
            raise
        work.result()
