"""Entries of the cache, and their lifetime."""

from __future__ import annotations

import asyncio

import pytest

from tornado_service.activity.history.cache import SingleFlightCache


async def test_the_oldest_entry_is_evicted_when_the_cache_is_full() -> None:
    made: list[str] = []

    async def make(name: str) -> str:
        made.append(name)
        return name

    remembered = SingleFlightCache(10, len)
    for name in ("aaaa", "bbbb", "aaaa", "cccc", "aaaa", "bbbb"):
        assert await remembered.get_or_compute(name, lambda name=name: make(name)) == name  # type: ignore[misc]

    assert made == ["aaaa", "bbbb", "cccc", "bbbb"]


async def test_a_value_that_is_too_large_is_not_cached() -> None:
    made = []

    async def make() -> str:
        made.append(1)
        return "x" * 20

    remembered = SingleFlightCache(10, len)
    for _ in range(2):
        assert await remembered.get_or_compute("x", make) == "x" * 20
    assert len(made) == 2


async def test_a_client_that_disconnects_does_not_cancel_it_for_others() -> None:
    go_on = asyncio.Event()

    async def make() -> str:
        await go_on.wait()
        return "done"

    remembered = SingleFlightCache(10, len)
    first, second = (asyncio.ensure_future(remembered.get_or_compute("x", make)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    go_on.set()

    assert await second == "done"
    with pytest.raises(asyncio.CancelledError):
        await first
