"""The history in memory is the one in the store."""

from __future__ import annotations

import random
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.activity.conftest import Open
from tests.support.activity.archives import (
    DAY,
    HOUR,
    MONDAY,
    ZONE,
    Make,
    keep,
    keep_two_servers,
    matches_store,
    sample,
    state_of,
)
from tornado_service.activity.figures.heatmap import heat_map
from tornado_service.activity.figures.periods import period
from tornado_service.activity.history.archive import Archive
from tornado_service.activity.store.store import Store


@pytest.mark.parametrize("seed", range(6))
async def test_after_many_samples_it_is_as_if_it_were_loaded_again(
    short_store: Store, make_archive: Make, seed: int
) -> None:
    dice = random.Random(seed)
    archive = make_archive(short_store)
    running: dict[str, list[int]] = {f"user-{n}": [] for n in range(6)}
    at = MONDAY + dice.randrange(DAY)
    for _ in range(60):
        at += dice.choice([HOUR // 2, HOUR // 2, HOUR, 7 * HOUR, 30 * HOUR])
        for name in dice.sample(sorted(running), 2):
            running[name] = [at - dice.randrange(HOUR)] if not running[name] else []
        if dice.random() < 0.1:  # one that was unknown is detected
            running[dice.choice(sorted(running))] = [at - dice.randrange(5 * DAY)]
        here = {name: starts for name, starts in running.items() if dice.random() < 0.98}
        await keep(short_store, sample(at, here, visitor=at - dice.randrange(3 * HOUR)))
        assert await matches_store(archive, short_store, make_archive)
    assert archive.history.sessions_from is not None
    assert archive.history.closed is not None


async def test_a_day_that_is_rolled_up_again_is_right(
    short_store: Store, make_archive: Make
) -> None:
    archive = make_archive(short_store)
    for day in range(5):
        await keep(short_store, sample(MONDAY + day * DAY, {"ada": []}))
        await archive.refresh()
    late = MONDAY + 4 * DAY + HOUR

    await keep(short_store, sample(late, {"ada": [MONDAY + DAY + HOUR]}))

    assert await matches_store(archive, short_store, make_archive)
    assert archive.history.closed is not None
    assert sum(total.seconds for total in archive.history.hub_totals.values()) == 3 * DAY


async def test_a_day_that_is_yet_to_be_rolled_up_again_is_right(
    short_store: Store, make_archive: Make
) -> None:
    archive = make_archive(short_store)
    for hour in (0, 23, 25):
        await keep(short_store, sample(MONDAY + hour * HOUR, {"ada": []}))
        await archive.refresh()

    late = {"visitor": MONDAY + 23 * HOUR + 60, "ada": MONDAY + 23 * HOUR + 120}
    assert await short_store.add(sample(MONDAY + 26 * HOUR, {}, **late), HOUR)

    assert await matches_store(archive, short_store, make_archive)
    await short_store.maintain()
    assert await matches_store(archive, short_store, make_archive)


async def test_an_old_visit_that_is_detected_late_is_in_the_figures(
    short_store: Store, make_archive: Make
) -> None:
    archive = make_archive(short_store)
    for hour in range(0, 80, 5):
        await keep(short_store, sample(MONDAY + hour * HOUR, {"ada": [MONDAY]}))
        await archive.refresh()

    # a user whom the service could not see before
    await keep(
        short_store, sample(MONDAY + 81 * HOUR, {"ada": [MONDAY]}, visitor=MONDAY + 30 * HOUR)
    )

    assert await matches_store(archive, short_store, make_archive)
    tuesday = date(2026, 1, 6)
    assert archive.history.active(tuesday, tuesday).bit_count() == 2


async def test_a_server_that_was_taken_for_ended_for_days_runs_on_in_the_figures(
    short_store: Store, make_archive: Make
) -> None:
    archive = make_archive(short_store)
    for hour in range(0, 80, 5):
        seen = {"ada": [MONDAY], "bob": [MONDAY] if hour < 20 else []}
        await keep(short_store, sample(MONDAY + hour * HOUR, seen))
        assert await matches_store(archive, short_store, make_archive)

    await keep(short_store, sample(MONDAY + 81 * HOUR, {"ada": [MONDAY], "bob": [MONDAY]}))

    assert await matches_store(archive, short_store, make_archive)
    tuesday = date(2026, 1, 6)
    assert archive.history.hub_totals[tuesday].seconds == 2 * DAY


async def test_days_whose_sessions_are_removed_are_not_computed_from_those_that_are_left(
    short_store: Store, make_archive: Make
) -> None:
    archive = make_archive(short_store)
    for hour in range(0, 14 * 24, 6):
        servers = {"ada": [MONDAY + hour * HOUR], "bob": [MONDAY]}
        await keep(short_store, sample(MONDAY + hour * HOUR, servers))
    await archive.refresh()
    before = dict(archive.history.hub_totals)

    await short_store.forget("bob")  # a user who is seen again, with a server of long ago
    late = MONDAY + 14 * DAY
    assert await short_store.add(sample(late, {"ada": [late], "bob": [MONDAY]}), HOUR // 2)
    await archive.refresh()

    kept = archive.history.sessions_from
    assert kept is not None
    old = [day for day in before if archive.history.span(day, day).end <= kept]
    assert len(old) > 5
    assert [archive.history.hub_totals[day] for day in old] == [before[day] for day in old]


@pytest.mark.parametrize(("old", "new"), [("UTC", "Europe/Berlin"), ("Europe/Berlin", "UTC")])
@pytest.mark.parametrize("begin", [date(2025, 10, 20), date(2026, 3, 23)])
async def test_in_another_zone_all_days_are_right_and_old_ones_can_be_read(
    open_store: Open, sqlite_url: str, make_archive: Make, old: str, new: str, begin: date
) -> None:
    start = int(datetime.combine(begin, time(), ZoneInfo("UTC")).timestamp())
    before = await open_store(sqlite_url, zone=ZoneInfo(old), retention_days=5)
    for hour in range(0, 14 * 24, 3):
        at = start + hour * HOUR
        await keep(before, sample(at, {"ada": [at - at % (8 * HOUR)]}), 3 * HOUR)
    await before.close()
    store = await open_store(sqlite_url, zone=ZoneInfo(new), retention_days=5)
    archive = Archive(store, ZoneInfo(new))
    await archive.refresh()  # of the other zone's days

    await keep(store, sample(start + 14 * DAY, {"ada": [start + 14 * DAY]}), 3 * HOUR)
    await archive.refresh()

    fresh = Archive(store, ZoneInfo(new))
    await fresh.refresh()
    assert state_of(archive.history) == state_of(fresh.history)
    first, last = min(archive.history.hub_totals), max(archive.history.hub_totals)
    assert period(archive.history, first, last).mean_servers == pytest.approx(0.75, abs=0.05)
    assert sum(hour.peak_servers or 0 for hour in heat_map(archive.history, first, last).hours)
    for archive_ in (archive, fresh):
        archive_.close()


async def test_a_forgotten_user_is_no_longer_in_any_figure(
    short_store: Store, make_archive: Make
) -> None:
    archive = make_archive(short_store)
    await keep_two_servers(short_store)
    await archive.refresh()
    bob = archive.history.ids_of(frozenset({"bob"}))

    await short_store.forget("bob")

    assert await matches_store(archive, short_store, make_archive)
    assert len(bob) == 1
    assert not archive.history.ids_of(frozenset({"bob"}))
    assert bob.isdisjoint(session.user for session in archive.history.sessions)
    assert all(bob.isdisjoint(day.rows.users) for day in archive.history.days.values())


async def test_a_name_whose_account_was_deleted_has_no_figures_until_a_sample_shows_it(
    short_store: Store, make_archive: Make
) -> None:
    """The hub may list it to an instructor: then the account was created again."""
    archive = make_archive(short_store)
    for hour, users in enumerate(({"ada": [], "bob": []}, {"ada": []})):
        await keep(short_store, sample(MONDAY + hour * HOUR, users))
        await archive.refresh()

    assert len(archive.history.ids_of(frozenset({"ada", "bob"}))) == 1
    assert archive.history.ids.keys() >= {"ada", "bob"}


async def test_another_database_in_the_place_of_the_old_is_another_history(
    open_store: Open, make_archive: Make, tmp_path: Any
) -> None:
    stores = [await open_store(f"sqlite:///{tmp_path}/{name}", zone=ZONE) for name in "ab"]
    for store, begin in zip(stores, (MONDAY, MONDAY + 10 * DAY), strict=True):
        for hour in range(0, 72, 12):
            await keep(store, sample(begin + hour * HOUR, {"ada": [begin + hour * HOUR - 60]}))
    archive = make_archive(stores[0])
    await archive.refresh()
    archive._store = stores[1]

    assert await matches_store(archive, stores[1], make_archive)
