"""What an app's code must not do to the service: last for ever, or end it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


class AppError(Exception):
    """Why an app cannot run, in words for an admin."""


async def with_timeout(timeout: float, work: Awaitable[Result], description: str) -> Result:
    """Wait for something of an app's, but not for ever, even if it refuses to be cancelled.

    Raises:
        AppError: it takes too long.
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
    """Await a function of an app's; what would end the process is its failure.

    Args:
        function: a plain one runs in a thread, where it may block.

    Returns:
        Its result.

    Raises:
        AppError: that has happened.
    """
    try:
        is_async = inspect.iscoroutinefunction(function)
        return await (function() if is_async else run_in_daemon_thread(function))
    except (SystemExit, KeyboardInterrupt, asyncio.CancelledError) as error:
        name = getattr(function, "func", function).__name__  # of a partial
        raise AppError(f"{type(error).__name__} in {name}()") from error


def run_in_daemon_thread(
    function: Callable[[], Result], name: str = "import of an app"
) -> asyncio.Future[Result]:
    """Run a function in a thread of its own, which keeps no process from ending."""
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
        except BaseException as error:  # sys.exit() in a module ends the app and not us
            failure = AppError(f"{type(error).__name__}: {error}")
            failure.__cause__ = error
            outcome = (future.set_exception, failure)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
