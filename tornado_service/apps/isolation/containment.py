"""Containment of an app's code: it can neither hang the service nor exit the process."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


class AppError(Exception):
    """Why an app cannot run, for administrators: the Status page and the log show its text.

    Apps may raise it in ``handlers`` and ``start``; other exceptions are shown with their type, and
    logged with their traceback.
    """


async def with_timeout(timeout: float, work: Awaitable[Result], description: str) -> Result:
    """Await an app's awaitable with a time limit, even if it ignores cancellation.

    Raises:
        AppError: the time limit is exceeded.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=timeout)
        if not task.done():
            raise AppError(f"{description} takes more than {timeout:g} s.")
        return task.result()
    finally:
        if not task.done():
            task.add_done_callback(_consume_result)
            task.cancel()


def _consume_result(task: asyncio.Future[Any]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        task.exception()


async def call_contained(function: Callable[[], Any]) -> Any:
    """Await a function of an app; an attempt to exit the process becomes a failure of the app.

    Args:
        function: a plain one runs in a thread, where it may block.

    Returns:
        Its result.

    Raises:
        AppError: the function has tried to exit the process.
    """
    try:
        is_async = inspect.iscoroutinefunction(function)
        return await (function() if is_async else run_in_daemon_thread(function))
    except (SystemExit, KeyboardInterrupt, asyncio.CancelledError) as error:
        name = getattr(function, "func", function).__name__  # for functools.partial
        raise AppError(f"{type(error).__name__} in {name}()") from error


def run_in_daemon_thread(
    function: Callable[[], Result], name: str = "import of an app"
) -> asyncio.Future[Result]:
    """Run a function in a daemon thread, which does not keep the process running."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(set_it: Callable[[Any], None], value: Any) -> None:
        if not future.done():
            set_it(value)

    def run() -> None:
        try:
            outcome: tuple[Callable[[Any], None], Any] = (future.set_result, function())
        except Exception as error:
            outcome = (future.set_exception, error)
        except BaseException as error:  # sys.exit() in a module fails the app only
            failure = AppError(f"{type(error).__name__}: {error}")
            failure.__cause__ = error
            outcome = (future.set_exception, failure)
        with contextlib.suppress(RuntimeError):  # the loop is closed: no task waits
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
