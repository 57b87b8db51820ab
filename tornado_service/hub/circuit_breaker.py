"""A circuit breaker: after a few failures in a row nobody waits for the hub, and one looks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable


class Breaker:
    """Closed while the hub answers; opened by failures in a row, closed by a trial that succeeds.

    The trials are a task's own, so that no visitor waits for one.

    Args:
        failures: how many in a row open it.
        pause: seconds between trials.
        trial: asks the hub something; raises when there is no answer.
        log: gets one line for each change of state.
    """

    def __init__(
        self,
        failures: int,
        pause: float,
        trial: Callable[[], Awaitable[object]],
        log: logging.Logger,
    ) -> None:
        self._limit = failures
        self.pause = pause
        self._trial = trial
        self._log = log
        self._in_a_row = 0
        self._trying: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether calls are refused without being made."""
        return self._trying is not None

    @property
    def is_well(self) -> bool:
        """Whether the last call was answered."""
        return self._in_a_row == 0

    def failed(self, detail: str) -> None:
        """Count a call that got no usable answer.

        Args:
            detail: what came instead, for the log.
        """
        self._in_a_row += 1
        if self._in_a_row == 1:
            self._log.warning("The hub does not answer: %s", detail)
        if self._in_a_row >= self._limit and self._trying is None:
            self._log.error(
                "The hub has not answered %d times in a row: nobody waits for it now; looking"
                " again every %g s. Known callers keep reading for a while, others get 503.",
                self._in_a_row,
                self.pause,
            )
            self._trying = asyncio.get_running_loop().create_task(self._try_until_well())

    def succeeded(self) -> None:
        """Count a call that was answered."""
        if self._in_a_row:
            self._log.info("The hub answers again")
            self._in_a_row = 0
        self.close()

    def close(self) -> None:
        """Let calls through, and look no more."""
        if self._trying is not None:
            self._trying.cancel()
            self._trying = None

    async def _try_until_well(self) -> None:
        while True:
            await asyncio.sleep(self.pause)
            try:
                await self._trial()
            except Exception as error:  # whatever it is, the hub is not well
                self._log.debug("The hub still does not answer: %s", error)
            else:
                self._trying = None
                self.succeeded()
                return
