"""What tests of the archive share: samples, and what an archive knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from tornado_service.activity.access.visibility import VisibleUsers
from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot
from tornado_service.activity.figures.durations import lengths
from tornado_service.activity.figures.periods import periods
from tornado_service.activity.figures.users import people, user_totals
from tornado_service.activity.history.archive import Archive
from tornado_service.activity.history.history import History
from tornado_service.activity.store.store import Store

ZONE = ZoneInfo("Europe/Berlin")
HOUR = 3600
DAY = 24 * HOUR
#: Monday, 2026-01-05, at midnight in Berlin.
MONDAY = 1767567600

EVERYBODY = VisibleUsers(True, frozenset(), None)

Make = Callable[[Store], Archive]


def state_of(history: History) -> dict[str, Any]:
    """All that it says; what is in no order is in one."""
    fields = dict(vars(history), sessions=sorted(history.sessions, key=lambda each: each[:3]))
    return {name: fields[name] for name in fields if name != "derived_cache"}


async def figures_of_two_users(archive: Archive) -> list[Any]:
    """What somebody is told who may see two users."""

    def figures(history: History) -> list[Any]:
        of = min(history.hub_totals), max(history.hub_totals)
        by = [periods(history, unit, *of) for unit in ("day", "month")]
        return [*by, *(each(history, *of) for each in (lengths, people, user_totals))]

    some = VisibleUsers(False, frozenset({"user-1", "ada", "user-3", "visitor"}), None)
    return await archive.compute(some, "all", figures)


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
    """Ada's and Bob's, that run for more than a day."""
    for hour in range(30):
        servers = {"ada": [MONDAY + HOUR], "bob": [MONDAY + HOUR]}
        await keep(store, sample(MONDAY + hour * HOUR, servers))
