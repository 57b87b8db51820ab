"""Figures are computed once, outside the loop, for the visible users, with a limit."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Awaitable

import pytest

from tests.support.activity.archives import (
    MONDAY,
    Make,
    figures_of_two_users,
    keep,
    keep_two_servers,
    sample,
)
from tornado_service.activity.history.archive import BASE_WEIGHT, TooManyFigures, _weight
from tornado_service.activity.history.history import History
from tornado_service.activity.store.store import Store


async def test_a_figure_with_many_waiting_requests_is_computed_once(
    short_store: Store, make_archive: Make
) -> None:
    archive = make_archive(short_store)
    calls = []

    def count(history: History, what: str) -> int:
        calls.append(history)
        return len(calls)

    requests: list[Awaitable[int]] = [archive.compute(None, count, "users") for _ in range(100)]
    assert set(await asyncio.gather(*requests)) == {1}
    assert await archive.compute(None, count, "users") == 1
    assert await archive.compute(None, count, "sessions") == 2
    await archive.refresh()
    assert await archive.compute(None, count, "users") == 3


async def test_a_figure_that_fails_is_computed_again(
    short_store: Store, make_archive: Make
) -> None:
    archive = make_archive(short_store)

    results = iter([1, 0])

    def divide(history: History) -> float:
        return 5 / (1 - next(results))

    with pytest.raises(ZeroDivisionError):
        await archive.compute(None, divide)
    assert await archive.compute(None, divide) == 5


async def test_figures_of_some_users_are_of_no_other_user(
    short_store: Store, make_archive: Make
) -> None:
    archive = make_archive(short_store)
    await keep(short_store, sample(MONDAY, {"ada": [MONDAY], "bob": [MONDAY]}))
    await archive.refresh()

    def names(history: History) -> set[str]:
        return {person.name for person in history.people.values()}

    for visible in ({"ada"}, {"bob"}, {"ada", "bob"}, {"nobody"}):
        scope = frozenset(visible), frozenset[tuple[str, int | None]]()
        assert await archive.compute(scope, names) == visible - {"nobody"}


async def test_a_user_with_too_many_requests_at_once_is_refused_and_others_are_not(
    short_store: Store, make_archive: Make
) -> None:
    archive = make_archive(short_store)
    go_on = threading.Event()

    def wait(history: History, number: int) -> int:
        return go_on.wait(30)

    own = frozenset({"ada"}), frozenset[tuple[str, int | None]]()
    requests = [asyncio.ensure_future(archive.compute(own, wait, n)) for n in range(20)]
    other = asyncio.ensure_future(archive.compute(None, wait, 0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    go_on.set()

    results = await asyncio.gather(*requests, return_exceptions=True)
    refused = [result for result in results if isinstance(result, TooManyFigures)]
    assert 0 < len(refused) < len(results)
    assert await other
    assert await archive.compute(own, wait, 19)


async def test_cached_figures_of_a_view_are_dropped_with_its_history(
    short_store: Store, make_archive: Make
) -> None:
    archive = make_archive(short_store)
    await keep_two_servers(short_store)
    await archive.refresh()
    await figures_of_two_users(archive)
    old = weakref.ref(next(iter(archive.history.days.values())))

    await short_store.forget("bob")
    await archive.refresh()

    gc.collect()
    assert old() is None


def test_a_figure_with_lists_in_lists_weighs_what_it_says() -> None:
    class Nested:
        weight = 7

        def __init__(self) -> None:
            self.lists = [[1, 2, 3]]

    assert _weight(Nested()) == BASE_WEIGHT + 7
    assert _weight([1, 2, 3]) == BASE_WEIGHT + 3
