"""Helpers for tests of the archive: samples, and the state of an archive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot
from tornado_service.activity.figures.durations import lengths
from tornado_service.activity.figures.periods import periods
from tornado_service.activity.figures.users import people, user_totals
from tornado_service.activity.history.archive import Archive
from tornado_service.activity.history.history import History
from tornado_service.activity.history.usage import UsageRows
from tornado_service.activity.store.store import Store

ZONE = ZoneInfo("Europe/Berlin")
HOUR = 3600
DAY = 24 * HOUR
#: Monday, 2026-01-05, at midnight in Berlin.
MONDAY = 1767567600

Make = Callable[[Store], Archive]


def state_of(history: History) -> dict[str, Any]:
    """All its data; sessions are sorted."""
    sessions = sorted(history.sessions, key=lambda session: session.key)
    fields = dict(vars(history), sessions=sessions, days=rows_by_day(history))
    return {name: fields[name] for name in fields if name != "derived_cache"}


def rows_by_day(history: History) -> dict[date, UsageRows]:
    return {day: usage.rows for day, usage in history.days.items()}


async def figures_of_two_users(archive: Archive) -> list[Any]:
    """The figures of a user who may see two users."""
    scope = frozenset({"user-1", "ada", "user-3", "visitor"}), frozenset[tuple[str, int | None]]()
    return await archive.compute(scope, all_figures)


def all_figures(history: History) -> list[Any]:
    days = min(history.hub_totals), max(history.hub_totals)
    by_unit = [periods(history, *days, unit) for unit in ("days", "months")]
    return [*by_unit, *(figure(history, *days) for figure in (lengths, people, user_totals))]


async def keep(store: Store, sample: Sample, interval: int = HOUR // 2) -> None:
    assert await store.add(sample, interval)
    await store.maintain()


async def matches_store(archive: Archive, store: Store, make_archive: Make) -> bool:
    await archive.refresh()
    fresh = make_archive(store)
    await fresh.refresh()
    assert state_of(archive.history) == state_of(fresh.history)
    assert await figures_of_two_users(archive) == await figures_of_two_users(fresh)
    return True


def sample(at: int, servers: dict[str, list[int]], **seen: int) -> Sample:
    """Servers by their starts; ``seen``: last activity of others."""
    users = [
        UserSnapshot(name, servers=tuple(ServerSnapshot(str(n), at) for n, at in enumerate(starts)))
        for name, starts in servers.items()
    ]
    users += [UserSnapshot(name, last_activity=moment) for name, moment in seen.items()]
    return Sample(at, True, tuple(users))


async def keep_two_servers(store: Store) -> None:
    """Ada's and Bob's servers, which run for more than a day."""
    for hour in range(30):
        servers = {"ada": [MONDAY + HOUR], "bob": [MONDAY + HOUR]}
        await keep(store, sample(MONDAY + hour * HOUR, servers))
