"""Usage of servers by day, name and profile, from single sessions."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import chain
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ..domain.calendar import ONE_DAY, date_range, day_bounds, local_date
from .columns import compact
from .history import History
from .sessions import WEEK, PackedWeek


class ServerDay(NamedTuple):
    """Usage of the servers of one name and profile on one day."""

    day: date
    server: str
    profile: str | None
    seconds: int
    sessions: int  # how many began
    users: array[int]  # of each session that ran on it: may be there several times
    user_seconds: array[int]  # how long each of these sessions ran on it


@dataclass(slots=True)
class _DaySums:
    users: array[int] = field(default_factory=partial(array, "i"))
    seconds: array[int] = field(default_factory=partial(array, "i"))
    begun_before: int = 0  # how many of the sessions began on an earlier day


def server_days(history: History, first: date, last: date) -> Iterator[ServerDay]:
    """All days from ``first`` to ``last`` on which a session ran, in no order."""
    return chain(
        finished_server_days(history, first, last), running_server_days(history, first, last)
    )


def finished_server_days(history: History, first: date, last: date) -> Iterator[ServerDay]:
    """The part of those sessions that have ended."""
    for number, week in weeks_between(history, first, last):
        # the week is the same object until one of its sessions changes
        rows = history.derived_cache.get(
            ("server days", number), [week], partial(_rows_of_week, week, history.zone)
        )
        for row in rows:
            if first <= row.day <= last:
                yield row


def running_server_days(history: History, first: date, last: date) -> Iterator[ServerDay]:
    """The part of those sessions that have not ended."""
    running = history.sessions.running
    sessions = ((one.user, one.started, one.end, (one.server, one.profile)) for one in running)
    rows = history.derived_cache.get(
        "running server days", [running], lambda: rows_by_day(sessions, history.zone)
    )
    return (row for row in rows if first <= row.day <= last)


def weeks_between(history: History, first: date, last: date) -> Iterator[tuple[int, PackedWeek]]:
    """The weeks in which sessions began that may have run on one of these days."""
    span, sessions = history.span(first, last), history.sessions
    for number, ended in sessions.latest.items():
        if number <= (span.end - 1) // WEEK and ended >= span.start and number in sessions.weeks:
            yield number, sessions.weeks[number]


def _rows_of_week(week: PackedWeek, zone: ZoneInfo) -> list[ServerDay]:
    names = zip(week.servers, week.profiles, strict=True)
    return rows_by_day(zip(week.users, week.started, week.ends, names, strict=True), zone)


def rows_by_day(
    sessions: Iterable[tuple[int, int, int, tuple[str, str | None]]], zone: ZoneInfo
) -> list[ServerDay]:
    """Rows of sessions: user, start, end, and names. In the order of starts it is faster."""
    days: dict[date, dict[tuple[str, str | None], _DaySums]] = {}
    day, (midnight, midnight_after) = date.min, (0, 0)
    of_day: dict[tuple[str, str | None], _DaySums] = {}
    for user, started, end, names in sessions:
        if not midnight <= started < midnight_after:
            day = local_date(started, zone)
            midnight, midnight_after = day_bounds(day, zone)
            of_day = days.setdefault(day, {})
        sums = of_day.get(names)
        if sums is None:
            sums = of_day[names] = _DaySums()
        sums.users.append(user)
        if end <= midnight_after:
            sums.seconds.append(end - started)
            continue
        sums.seconds.append(midnight_after - started)
        for later in date_range(day + ONE_DAY, local_date(end - 1, zone)):
            bounds = day_bounds(later, zone)
            sums = days.setdefault(later, {}).setdefault(names, _DaySums())
            sums.users.append(user)
            sums.seconds.append(min(end, bounds.end) - bounds.start)
            sums.begun_before += 1
    return [
        ServerDay(
            day,
            *names,
            sum(sums.seconds),
            len(sums.users) - sums.begun_before,
            compact(sums.users),
            compact(sums.seconds),
        )
        for day, of_day in days.items()
        for names, sums in of_day.items()
    ]
