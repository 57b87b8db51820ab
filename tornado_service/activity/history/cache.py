"""Caches: of figures, and of what was derived from parts of a history that did not change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from operator import is_
from typing import Any, TypeVar

Result = TypeVar("Result")


class SingleFlightCache:
    """An LRU cache whose values are computed once, however many requests wait.

    Failures are not cached. ``limit`` is for the weight of all values, by ``weight_of``.
    """

    def __init__(self, limit: int, weight_of: Callable[[Any], int]) -> None:
        self._limit = limit
        self._weight_of = weight_of
        self._futures: dict[Hashable, asyncio.Future[Any]] = {}

    async def get_or_compute(
        self, key: Hashable, compute: Callable[[], Awaitable[Result]]
    ) -> Result:
        future = self._futures.pop(key, None)
        if future is None:
            future = asyncio.ensure_future(compute())
            future.add_done_callback(lambda done: self._on_done(key, done))
        self._futures[key] = future  # now the youngest
        return await asyncio.shield(future)

    def _on_done(self, key: Hashable, done: asyncio.Future[Any]) -> None:
        if done.cancelled() or done.exception():
            self._futures.pop(key, None)
            return
        finished = {key: future for key, future in self._futures.items() if future.done()}
        weight = sum(self._weight_of(future.result()) for future in finished.values())
        for oldest in finished:
            if weight <= self._limit:
                return
            weight -= self._weight_of(self._futures.pop(oldest).result())


class DerivedCache:
    """Values by key, each valid while its inputs are the very same objects.

    A history never changes, and the next one shares with it all that is as it was.
    """

    def __init__(self) -> None:
        self._entries: dict[Hashable, tuple[Sequence[object], Any]] = {}

    def get(self, key: Hashable, inputs: Sequence[object], compute: Callable[[], Result]) -> Result:
        entry = self._entries.get(key)
        if entry is None or len(entry[0]) != len(inputs) or not all(map(is_, entry[0], inputs)):
            entry = self._entries[key] = inputs, compute()
        value: Result = entry[1]
        return value
