"""Usage by the profile or by the name of servers, over time; from single sessions."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from ..domain.calendar import ONE_DAY, day_bounds, local_date
from ..domain.records import Interval, Session
from ..history.history import History
from ..history.sessions import WEEK, PackedWeek
from .availability import availability
from .periods import Unit, windows

Kind = Literal["profile", "server"]

#: The name of a profile or server. Empty: no profile, the default server; ``None``: not known.
Name: TypeAlias = "str | None"


@dataclass(frozen=True)
class NamedUsage:
    """Usage of the servers with one profile or name.

    Attributes:
        name: empty for servers without a profile, and for default servers; ``None``: the profile
            is not known.
        server_seconds: the running time of these servers.
        sessions: how many of theirs began.
        active_users: users who used one of them.
    """

    name: Name
    server_seconds: int
    sessions: int
    active_users: int


@dataclass(frozen=True)
class UsageByPeriod:
    """Some days in a row.

    Attributes:
        share: the part of it that has data so far, 0 to 1.
        is_over: whether it has ended.
        at_least: whether a part of what has passed has no data: figures are lower bounds.
        usage: by profile or server name, the most server-hours first; ``None``: there is no data,
            or sessions of that time are no longer stored.
    """

    first: date
    last: date
    share: float
    is_over: bool
    at_least: bool
    usage: tuple[NamedUsage, ...] | None = None


@dataclass(frozen=True)
class UsageBy:
    """Usage by profile or by server name in a period.

    Attributes:
        zone: time zone of the days.
        whole: the period as one.
        periods: each day, week or month of it.
    """

    zone: str
    whole: UsageByPeriod
    periods: tuple[UsageByPeriod, ...]

    @property
    def weight(self) -> int:
        """Rows in all of it, for the cache."""
        return sum(len(period.usage or ()) + 1 for period in (self.whole, *self.periods))


class DayRow(NamedTuple):
    """Usage of one name on one day; ``users`` may be there several times."""

    day: date
    name: Name
    seconds: int
    sessions: int
    users: array[int]


@dataclass
class _Sums:
    seconds: int = 0
    sessions: int = 0
    users: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _DaySums:
    seconds: int = 0
    sessions: int = 0
    users: array[int] = field(default_factory=partial(array, "i"))


def usage_by(history: History, first: date, last: date, unit: Unit, kind: Kind) -> UsageBy:
    spans = list(windows(unit, first, last))
    earliest, latest = min(first, spans[0][0]), max(last, spans[-1][1])
    by_day: dict[date, list[DayRow]] = {}
    for row in _day_rows(history, earliest, latest, kind):
        by_day.setdefault(row.day, []).append(row)

    def period(first: date, last: date) -> UsageByPeriod:
        return _period(history, by_day, first, last)

    return UsageBy(
        zone=history.zone.key,
        whole=period(first, last),
        periods=tuple(period(*span) for span in spans),
    )


def _period(
    history: History, by_day: dict[date, list[DayRow]], first: date, last: date
) -> UsageByPeriod:
    available = availability(history, first, last)
    frame = (first, last, available.coverage, available.is_complete, available.is_partial)
    if not available.usage or not available.keeps_sessions:
        return UsageByPeriod(*frame)
    sums: dict[Name, _Sums] = {}
    day = first
    while day <= last:
        for row in by_day.get(day, ()):
            total = sums.setdefault(row.name, _Sums())
            total.seconds += row.seconds
            total.sessions += row.sessions
            total.users.update(row.users)
        day += ONE_DAY
    usage = [
        NamedUsage(name, total.seconds, total.sessions, len(total.users))
        for name, total in sums.items()
    ]
    usage.sort(key=lambda row: (-row.server_seconds, row.name is None, row.name or ""))
    return UsageByPeriod(*frame, usage=tuple(usage))


def _day_rows(history: History, first: date, last: date, kind: Kind) -> Iterator[DayRow]:
    """Of each day and name with usage; several of one, where it is in sessions of two weeks."""
    span, sessions = history.span(first, last), history.sessions
    for number, ended in sessions.latest.items():
        if number <= (span.end - 1) // WEEK and ended >= span.start and number in sessions.weeks:
            week = sessions.weeks[number]  # the same object until one of its sessions changes
            compute = partial(_rows_of_week, week, kind, history.zone)
            key = ("usage by", kind, number)
            yield from history.derived_cache.get(key, [week], compute)
    running = (session for session in sessions.running if session.started < span.end)
    names = ((_name(session, kind), session) for session in running)
    yield from rows_by_day(
        ((session.user, session.started, session.end, name) for name, session in names),
        history.zone,
    )


def _name(session: Session, kind: Kind) -> Name:
    return session.profile if kind == "profile" else session.server


def _rows_of_week(week: PackedWeek, kind: Kind, zone: ZoneInfo) -> list[DayRow]:
    names: Iterable[Name] = week.profiles if kind == "profile" else week.servers
    return rows_by_day(zip(week.users, week.started, week.ends, names, strict=True), zone)


def rows_by_day(usage: Iterable[tuple[int, int, int, Name]], zone: ZoneInfo) -> list[DayRow]:
    """Rows of sessions: each has a user, a start, an end and a name.

    In the order of the starts it is faster.
    """
    days: dict[date, dict[Name, _DaySums]] = {}
    today, bounds = date.min, Interval(0, 0)
    of_day: dict[Name, _DaySums] = {}
    for user, started, end, name in usage:
        if not bounds.start <= started < bounds.end:
            today = local_date(started, zone)
            bounds = day_bounds(today, zone)
            of_day = days.setdefault(today, {})
        sums = of_day.get(name) or of_day.setdefault(name, _DaySums())
        sums.sessions += 1
        sums.seconds += min(end, bounds.end) - started
        sums.users.append(user)
        day, midnight = today, bounds.end
        while end > midnight:
            day += ONE_DAY
            begin, midnight = day_bounds(day, zone)
            sums = days.setdefault(day, {}).setdefault(name, _DaySums())
            sums.seconds += min(end, midnight) - begin
            sums.users.append(user)
    return [
        DayRow(day, name, sums.seconds, sums.sessions, sums.users)
        for day, of_day in days.items()
        for name, sums in of_day.items()
    ]
