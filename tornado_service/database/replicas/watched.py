"""A condition that changes in a thread, for coroutines."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

#: Seconds after the end of a condition, as timers may be early by the resolution of the clock.
TIMER_MARGIN = 0.01

_log = logging.getLogger(__name__)


class Watched:
    """A condition that subscribers and waiting coroutines follow, whichever thread changes it."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[bool], object]] = []
        self._waiting: list[tuple[bool, asyncio.Future[None]]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._last_value: bool | None = None
        self._expiry: asyncio.TimerHandle | None = None

    @property
    def _value(self) -> bool:
        raise NotImplementedError

    @property
    def _seconds_left(self) -> float | None:
        """Seconds after which the condition ends by itself; ``None`` if it does not."""
        return None

    def subscribe(self, callback: Callable[[bool], object]) -> Callable[[], None]:
        """Call a function with the new value after each change, on the event loop.

        It must neither block nor raise.

        Returns:
            A function that ends the subscription.
        """
        self._bind()
        self._callbacks.append(callback)

        def unsubscribe() -> None:
            with suppress(ValueError):  # it has been called before
                self._callbacks.remove(callback)

        return unsubscribe

    async def wait_until(self, value: bool = True) -> None:
        """Wait until the condition is true, or false."""
        self._bind()
        while self._value is not value:
            entry = (value, asyncio.get_running_loop().create_future())
            self._waiting.append(entry)
            try:
                await entry[1]
            finally:
                self._waiting.remove(entry)

    def _bind(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Follow changes on an event loop, by default the running one, if there is one."""
        if self._loop is None:
            with suppress(RuntimeError):  # in a thread: the loop is known later
                self._loop = loop or asyncio.get_running_loop()
                self._last_value = self._value
                self._notify()

    def _notify(self) -> None:
        """Tell subscribers and waiting coroutines of a change, from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        value = self._value
        for wanted, future in self._waiting:
            if wanted is value and not future.done():
                future.set_result(None)
        self._schedule_expiry()
        if value is self._last_value:
            return
        self._last_value = value
        for callback in list(self._callbacks):
            try:
                callback(value)
            except Exception:
                _log.exception("A subscriber of a replica's state failed")

    def _schedule_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        seconds = self._seconds_left
        if self._loop is not None and self._value and seconds is not None:
            self._expiry = self._loop.call_later(seconds + TIMER_MARGIN, self._deliver)
