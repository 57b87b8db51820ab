"""What was computed is remembered; the oldest is forgotten where it gets too much."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

Result = TypeVar("Result")


class SingleFlightCache:
    """Results by key, each made once, however many wait for it. What fails is not remembered.

    Args:
        limit: how heavy all of it may be.
        weight_of: how heavy a result is.
    """

    def __init__(self, limit: int, weight_of: Callable[[Any], int]) -> None:
        self._limit = limit
        self._weight_of = weight_of
        self._futures: dict[Hashable, asyncio.Future[Any]] = {}

    async def get_or_compute(self, key: Hashable, make: Callable[[], Awaitable[Result]]) -> Result:
        """What is known, or is being made; else make it."""
        future = self._futures.pop(key, None)
        if future is None:
            future = asyncio.ensure_future(make())
            future.add_done_callback(lambda done: self._on_done(key, done))
        self._futures[key] = future  # now the youngest
        return await asyncio.shield(future)

    def _on_done(self, key: Hashable, done: asyncio.Future[Any]) -> None:
        if done.cancelled() or done.exception():
            self._futures.pop(key, None)
            return
        known = {key: each for key, each in self._futures.items() if each.done()}
        weight = sum(self._weight_of(each.result()) for each in known.values())
        for oldest in known:
            if weight <= self._limit:
                return
            weight -= self._weight_of(self._futures.pop(oldest).result())
