"""Threads for blocking code: a few for each app; they do not keep the process running."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from tornado.web import HTTPError

#: Concurrent calls of one app.
POOL_SIZE = 10

#: Concurrent calls of ``asyncio.to_thread``, of all apps and of the service, which also resolves
#: the hub's host name in such a thread. Python's default is six on two processors.
SHARED_POOL_SIZE = 256

#: Seconds that a call waits for a free thread.
QUEUE_TIMEOUT = 5.0

Result = TypeVar("Result")


def set_default_thread_pool(loop: asyncio.AbstractEventLoop) -> None:
    """Set a larger default executor, so that threads of apps delay neither sign-in nor other apps.

    Args:
        loop: the service's event loop.
    """
    loop.set_default_executor(ThreadPoolExecutor(SHARED_POOL_SIZE, "asyncio"))


class ThreadPoolExhausted(HTTPError):
    """503: all threads of an app are busy, for longer than ``QUEUE_TIMEOUT``."""

    retry_after = 1

    def __init__(self) -> None:
        super().__init__(503, "This app is busy. Try again shortly.")


class ThreadPool:
    """The threads of one app, started on demand."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._slots = asyncio.Semaphore(POOL_SIZE)
        self._started = 0
        self._active = 0
        self._jobs = _Jobs()
        weakref.finalize(self, self._jobs.end)

    async def run(self, function: Callable[[], Result]) -> Result:
        """Call a function in a thread; return its result, or raise its error.

        Raises:
            ThreadPoolExhausted: no thread becomes free in time.
            RuntimeError: the function has tried to exit the process.
        """
        if self._slots.locked():
            try:
                await asyncio.wait_for(self._slots.acquire(), QUEUE_TIMEOUT)
            except asyncio.TimeoutError:
                raise ThreadPoolExhausted from None
        else:
            await self._slots.acquire()
        if self._active == self._started:
            self._start_thread()
        self._active += 1
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(function, future, self._release))
        return await future

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._jobs.run, name=f"app {self._name}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the limit of threads of the process is reached
            self._slots.release()
            raise ThreadPoolExhausted from None
        self._started += 1

    def _release(self) -> None:
        self._active -= 1
        self._slots.release()


class _Job(NamedTuple):
    function: Callable[[], Any]
    future: asyncio.Future[Any]
    release: Callable[[], None]


class _Jobs:
    """The jobs of a pool and their outcomes.

    To wake a thread takes longer than most jobs. So one thread is woken at a time: it wakes the
    next one if more jobs are queued, and continues with them itself. The event loop is woken once
    for all pending outcomes.
    """

    def __init__(self) -> None:
        self._queue: deque[_Job] = deque()
        self._wakeups: SimpleQueue[bool] = SimpleQueue()
        self._is_waking = False
        self._outcomes: deque[tuple[_Job, Any, Exception | None]] = deque()
        self._is_reporting = False

    def put(self, job: _Job) -> None:
        self._queue.append(job)
        self._wake_thread()

    def end(self) -> None:
        self._wakeups.put(False)

    def _wake_thread(self) -> None:
        if not self._is_waking:
            self._is_waking = True
            self._wakeups.put(True)

    def run(self) -> None:
        while self._wakeups.get():
            self._is_waking = False
            with contextlib.suppress(IndexError):  # the queue is empty by now
                while True:
                    self._do(self._queue.popleft())
        self.end()  # the next thread

    def _do(self, job: _Job) -> None:
        if self._queue:
            self._wake_thread()
        value = failure = None
        try:
            value = job.function()
        except BaseException as error:
            failure = as_request_error(error)
        self._outcomes.append((job, value, failure))
        if not self._is_reporting:
            self._is_reporting = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: no task waits
                job.future.get_loop().call_soon_threadsafe(self._report)

    def _report(self) -> None:
        self._is_reporting = False
        while self._outcomes:
            job, value, failure = self._outcomes.popleft()
            job.release()
            if job.future.done():
                continue
            if failure is None:
                job.future.set_result(value)
            else:
                job.future.set_exception(failure)


def as_request_error(error: BaseException) -> Exception:
    """An app's error, or a replacement if it would do more than fail the request."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    failure = RuntimeError(f"{type(error).__name__} in a request handler")
    failure.__cause__ = error
    return failure
