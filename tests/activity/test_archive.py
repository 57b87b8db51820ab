"""The history in memory is the one in the store, and figures are computed once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.activity.conftest import Open
from tornado_service.activity.archive import Archive
from tornado_service.activity.figures.history import History
from tornado_service.activity.figures.lengths import lengths
from tornado_service.activity.figures.people import people, user_totals
from tornado_service.activity.figures.periods import periods
from tornado_service.activity.model import Sample, SeenServer, SeenUser
from tornado_service.activity.store import Store
from tornado_service.activity.visibility import Visible

ZONE = ZoneInfo("Europe/Berlin")
HOUR = 3600
DAY = 24 * HOUR
#: Monday, 2026-01-05, at midnight in Berlin.
MONDAY = 1767567600

EVERYBODY = Visible(True, frozenset(), None)

Make = Callable[[Store], Archive]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    archives: list[Archive] = []

    def new(store: Store) -> Archive:
        archives.append(Archive(store, ZONE))
        return archives[-1]

    yield new
    for archive in archives:
        archive.close()


@pytest.fixture
async def store(open_store: Open, sqlite_url: str) -> Store:
    return await open_store(sqlite_url, zone=ZONE, retention_days=4)


def told(history: History) -> dict[str, Any]:
    """All that it says; what is in no order is in one."""
    fields = dict(vars(history), sessions=sorted(history.sessions, key=lambda each: each[:3]))
    return {name: fields[name] for name in fields if name != "kept"}


async def figures_of_some(archive: Archive) -> list[Any]:
    """What somebody is told who may see two users."""

    def figures(history: History) -> list[Any]:
        of = min(history.hub_totals), max(history.hub_totals)
        by = [periods(history, unit, *of) for unit in ("day", "month")]
        return [*by, *(each(history, *of) for each in (lengths, people, user_totals))]

    some = Visible(False, frozenset({"user-1", "ada", "user-3", "visitor"}), None)
    return await archive.figure(some, "all", figures)


async def keep(store: Store, sample: Sample) -> None:
    assert await store.add(sample, HOUR // 2)
    await store.maintain()


async def is_as_in_the_store(archive: Archive, store: Store, make: Make) -> bool:
    await archive.refresh()
    fresh = make(store)
    await fresh.refresh()
    assert told(archive.history) == told(fresh.history)
    assert await figures_of_some(archive) == await figures_of_some(fresh)
    return True


def sample(at: int, servers: dict[str, list[int]], **seen: int) -> Sample:
    """Servers by their starts; ``seen``: last activity of others."""
    users = [
        SeenUser(name, servers=tuple(SeenServer(str(n), at) for n, at in enumerate(starts)))
        for name, starts in servers.items()
    ]
    users += [SeenUser(name, last_activity=moment) for name, moment in seen.items()]
    return Sample(at, True, tuple(users))


@pytest.mark.parametrize("seed", range(6))
async def test_after_many_samples_it_is_as_if_it_were_loaded_anew(
    store: Store, make: Make, seed: int
) -> None:
    dice = random.Random(seed)
    archive = make(store)
    running: dict[str, list[int]] = {f"user-{n}": [] for n in range(6)}
    at = MONDAY + dice.randrange(DAY)
    for _ in range(60):
        at += dice.choice([HOUR // 2, HOUR // 2, HOUR, 7 * HOUR, 30 * HOUR])
        for name in dice.sample(sorted(running), 2):
            running[name] = [at - dice.randrange(HOUR)] if not running[name] else []
        if dice.random() < 0.1:  # one that nobody knew of comes to light
            running[dice.choice(sorted(running))] = [at - dice.randrange(5 * DAY)]
        here = {name: starts for name, starts in running.items() if dice.random() < 0.98}
        await keep(store, sample(at, here, visitor=at - dice.randrange(3 * HOUR)))
        assert await is_as_in_the_store(archive, store, make)
    assert archive.history.sessions_from is not None
    assert archive.history.closed is not None


async def test_a_day_that_is_rolled_up_again_is_right(store: Store, make: Make) -> None:
    archive = make(store)
    for day in range(5):
        await keep(store, sample(MONDAY + day * DAY, {"ada": []}))
        await archive.refresh()
    late = MONDAY + 4 * DAY + HOUR

    await keep(store, sample(late, {"ada": [MONDAY + DAY + HOUR]}))

    assert await is_as_in_the_store(archive, store, make)
    assert archive.history.closed is not None
    assert sum(total.seconds for total in archive.history.hub_totals.values()) == 3 * DAY


async def test_a_day_that_is_yet_to_be_rolled_up_again_is_right(store: Store, make: Make) -> None:
    archive = make(store)
    for hour in (0, 23, 25):
        await keep(store, sample(MONDAY + hour * HOUR, {"ada": []}))
        await archive.refresh()

    late = {"visitor": MONDAY + 23 * HOUR + 60, "ada": MONDAY + 23 * HOUR + 120}
    assert await store.add(sample(MONDAY + 26 * HOUR, {}, **late), HOUR)

    assert await is_as_in_the_store(archive, store, make)
    await store.maintain()
    assert await is_as_in_the_store(archive, store, make)


async def test_somebody_who_is_forgotten_is_in_no_figure_any_more(store: Store, make: Make) -> None:
    archive = make(store)
    for hour in range(30):
        servers = {"ada": [MONDAY + HOUR], "bob": [MONDAY + HOUR]}
        await keep(store, sample(MONDAY + hour * HOUR, servers))
    await archive.refresh()
    bob = archive.ids(frozenset({"bob"}))

    await store.forget("bob")

    assert await is_as_in_the_store(archive, store, make)
    assert len(bob) == 1
    assert not archive.ids(frozenset({"bob"}))
    assert bob.isdisjoint(each.user for each in archive.history.sessions)
    assert all(bob.isdisjoint(day.rows.users) for day in archive.history.days.values())


async def test_another_database_in_the_place_of_the_old_is_another_history(
    open_store: Open, make: Make, tmp_path: Any
) -> None:
    stores = [await open_store(f"sqlite:///{tmp_path}/{name}", zone=ZONE) for name in "ab"]
    for store, begin in zip(stores, (MONDAY, MONDAY + 10 * DAY), strict=True):
        for hour in range(0, 72, 12):
            await keep(store, sample(begin + hour * HOUR, {"ada": [begin + hour * HOUR - 60]}))
    archive = make(stores[0])
    await archive.refresh()
    archive._store = stores[1]

    assert await is_as_in_the_store(archive, stores[1], make)


async def test_a_figure_for_which_many_wait_is_computed_once(store: Store, make: Make) -> None:
    archive = make(store)
    calls = []

    def compute(history: History) -> int:
        calls.append(history)
        return len(calls)

    asked: list[Awaitable[int]] = [archive.figure(EVERYBODY, "count", compute) for _ in range(100)]
    assert set(await asyncio.gather(*asked)) == {1}
    assert await archive.figure(EVERYBODY, "count", compute) == 1
    assert await archive.figure(EVERYBODY, "another", compute) == 2
    await archive.refresh()
    assert await archive.figure(EVERYBODY, "count", compute) == 3


async def test_a_figure_that_fails_is_computed_again(store: Store, make: Make) -> None:
    archive = make(store)

    def fail(history: History) -> int:
        raise ArithmeticError("as a test wants it")

    for _ in range(2):
        with pytest.raises(ArithmeticError):
            await archive.figure(EVERYBODY, "count", fail)
    assert await archive.figure(EVERYBODY, "count", lambda history: 5) == 5


async def test_figures_of_some_are_of_nobody_else(store: Store, make: Make) -> None:
    archive = make(store)
    await keep(store, sample(MONDAY, {"ada": [MONDAY], "bob": [MONDAY]}))
    await archive.refresh()

    def names(history: History) -> set[str]:
        return {person.name for person in history.people.values()}

    for visible in ({"ada"}, {"bob"}, {"ada", "bob"}, {"nobody"}):
        of = Visible(False, frozenset(visible), None)
        assert await archive.figure(of, "names", names) == visible - {"nobody"}
