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
SIZE = 10

#: How many calls of ``asyncio.to_thread`` run at once, of all apps and of the service, which looks
#: up the hub's address in such a thread, too. Python's own number is six on two processors.
SHARED = 256

#: Seconds that a call waits for its turn.
PATIENCE = 5.0

Result = TypeVar("Result")

_Job = Callable[[], None]


def share_threads(loop: asyncio.AbstractEventLoop) -> None:
    """Let what an app awaits in threads keep neither sign-in nor other apps waiting.

    Args:
        loop: that of the service.
    """
    loop.set_default_executor(ThreadPoolExecutor(SHARED, "asyncio"))


class Busy(HTTPError):
    """503: all threads of an app are taken, and stay so."""

    retry_after = 1

    def __init__(self) -> None:
        super().__init__(503, "Too much is asked of this part of the service. Try again shortly.")


class Threads:
    """The threads of one app; they are started when there is something to do."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._places = asyncio.Semaphore(SIZE)
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._started = 0
        self._busy = 0
        weakref.finalize(self, self._jobs.put, None)

    async def run(self, function: Callable[[], Result]) -> Result:
        """Call a function in one of them, and return or raise what it does.

        Raises:
            Busy: none has become free in time.
            RuntimeError: the function would have ended the process.
        """
        if self._places.locked():
            try:
                await asyncio.wait_for(self._places.acquire(), PATIENCE)
            except asyncio.TimeoutError:
                raise Busy from None
        else:
            await self._places.acquire()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()

        def job() -> None:
            outcome = _outcome(function, future)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(self._done, future, *outcome)

        if self._busy == self._started:
            self._start_one()
        self._busy += 1
        self._jobs.put(job)
        return await future

    def _start_one(self) -> None:
        thread = threading.Thread(
            target=_work, args=(self._jobs,), name=f"app {self._name}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # the process has as many as it may have
            self._places.release()
            raise Busy from None
        self._started += 1

    def _done(self, future: asyncio.Future[Any], settle: Callable[[Any], None], value: Any) -> None:
        self._busy -= 1
        self._places.release()
        if not future.done():
            settle(value)


def _outcome(
    function: Callable[[], Result], future: asyncio.Future[Result]
) -> tuple[Callable[[Any], None], Any]:
    try:
        return future.set_result, function()
    except BaseException as error:
        return future.set_exception, contained(error)


def contained(error: BaseException) -> Exception:
    """An error of an app's, or another in its place where it would do more than fail a request."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    failure = RuntimeError(f"{type(error).__name__} where a request is answered")
    failure.__cause__ = error
    return failure


def _work(jobs: SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        job()
        del job
    jobs.put(None)  # for the next thread: nobody has use for them any more
