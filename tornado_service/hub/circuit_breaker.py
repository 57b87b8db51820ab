"""A circuit breaker: after consecutive failures, only a probe calls the hub."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable


class CircuitBreaker:
    """Closed while the hub responds; opened by consecutive failures, closed by a successful probe.

    The probes run in their own task, so that no request waits for one.

    Args:
        failure_threshold: number of consecutive failures that open it.
        retry_interval: seconds between probes.
        probe: calls the hub; raises if there is no usable response.
    """

    def __init__(
        self,
        failure_threshold: int,
        retry_interval: float,
        probe: Callable[[], Awaitable[object]],
        log: logging.Logger,
    ) -> None:
        self._failure_threshold = failure_threshold
        self.retry_interval = retry_interval
        self._probe = probe
        self._log = log
        self._consecutive_failures = 0
        self._probing: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        return self._probing is not None

    @property
    def is_healthy(self) -> bool:
        return self._consecutive_failures == 0

    def record_failure(self, detail: str) -> None:
        self._consecutive_failures += 1
        if self._consecutive_failures == 1:
            self._log.warning("The hub does not respond: %s", detail)
        if self._consecutive_failures >= self._failure_threshold and self._probing is None:
            self._log.error(
                "Circuit breaker open: the Hub API failed %d times in a row; retrying every %g s."
                " Cached users may read for a while, others get 503.",
                self._consecutive_failures,
                self.retry_interval,
            )
            self._probing = asyncio.get_running_loop().create_task(self._probe_until_healthy())

    def record_success(self) -> None:
        if self._consecutive_failures:
            self._log.info("Circuit breaker closed: the Hub API responds again")
            self._consecutive_failures = 0
        self.close()

    def close(self) -> None:
        if self._probing is not None:
            self._probing.cancel()
            self._probing = None

    async def _probe_until_healthy(self) -> None:
        while True:
            await asyncio.sleep(self.retry_interval)
            try:
                await self._probe()
            except Exception as error:  # with any error, the hub is unavailable
                self._log.debug("The hub still does not respond: %s", error)
            else:
                self._probing = None
                self.record_success()
                return
