"""Threads for code that blocks: a few for each app, and none that keeps the process from ending."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar

from tornado.web import HTTPError

#: How many calls of one app run at once.
POOL_SIZE = 10

#: How many calls of ``asyncio.to_thread`` run at once, of all apps and of the service, which looks
#: up the hub's address in such a thread, too. Python's own number is six on two processors.
SHARED_POOL_SIZE = 256

#: Seconds that a call waits for its turn.
QUEUE_TIMEOUT = 5.0

Result = TypeVar("Result")

_Job = Callable[[], None]


def set_default_thread_pool(loop: asyncio.AbstractEventLoop) -> None:
    """Let what an app awaits in threads keep neither sign-in nor other apps waiting.

    Args:
        loop: that of the service.
    """
    loop.set_default_executor(ThreadPoolExecutor(SHARED_POOL_SIZE, "asyncio"))


class ThreadPoolExhausted(HTTPError):
    """503: all threads of an app are taken, and stay so."""

    retry_after = 1

    def __init__(self) -> None:
        super().__init__(503, "Too much is asked of this part of the service. Try again shortly.")


class ThreadPool:
    """The threads of one app; they are started when there is something to do."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._slots = asyncio.Semaphore(POOL_SIZE)
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._started = 0
        self._active = 0
        weakref.finalize(self, self._jobs.put, None)

    async def run(self, function: Callable[[], Result]) -> Result:
        """Call a function in one of them, and return or raise what it does.

        Raises:
            ThreadPoolExhausted: none has become free in time.
            RuntimeError: the function would have ended the process.
        """
        if self._slots.locked():
            try:
                await asyncio.wait_for(self._slots.acquire(), QUEUE_TIMEOUT)
            except asyncio.TimeoutError:
                raise ThreadPoolExhausted from None
        else:
            await self._slots.acquire()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()

        def job() -> None:
            outcome = _call(function, future)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(self._done, future, *outcome)

        if self._active == self._started:
            self._start_thread()
        self._active += 1
        self._jobs.put(job)
        return await future

    def _start_thread(self) -> None:
        thread = threading.Thread(
            target=_run_jobs, args=(self._jobs,), name=f"app {self._name}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # the process has as many as it may have
            self._slots.release()
            raise ThreadPoolExhausted from None
        self._started += 1

    def _done(self, future: asyncio.Future[Any], settle: Callable[[Any], None], value: Any) -> None:
        self._active -= 1
        self._slots.release()
        if not future.done():
            settle(value)


def _call(
    function: Callable[[], Result], future: asyncio.Future[Result]
) -> tuple[Callable[[Any], None], Any]:
    try:
        return future.set_result, function()
    except BaseException as error:
        return future.set_exception, as_request_error(error)


def as_request_error(error: BaseException) -> Exception:
    """An error of an app's, or another in its place where it would do more than fail a request."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    failure = RuntimeError(f"{type(error).__name__} where a request is answered")
    failure.__cause__ = error
    return failure


def _run_jobs(jobs: SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        job()
        del job
    jobs.put(None)  # for the next thread: nobody has use for them any more
