"""The days of a time zone, and the usage of each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta, timezone
from operator import attrgetter
from typing import overload
from zoneinfo import ZoneInfo

from .concurrency import Concurrency
from .idle import ObservedTimes
from .records import DayTotal, Interval, Session, UserDay, Visit

ONE_DAY = timedelta(days=1)

#: Seconds of a slot, a quarter of an hour.
SLOT = 15 * 60


@overload
def utc_datetime(seconds: int) -> datetime: ...
@overload
def utc_datetime(seconds: int | None) -> datetime | None: ...
def utc_datetime(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)


def epoch_seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def latest_of(moments: Iterable[int | None]) -> int | None:
    return max((moment for moment in moments if moment is not None), default=None)


def local_date(moment: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(moment, zone).date()


def day_bounds(day: date, zone: ZoneInfo) -> Interval:
    """From when to when a day is: 24 hours, or 23 or 25 where the clock changes."""
    return Interval(_start(day, zone), _start(day + ONE_DAY, zone))


def _start(day: date, zone: ZoneInfo) -> int:
    # a midnight that is left out is the moment at which the clock was put forward
    return int(datetime.combine(day, time(), zone).timestamp())


def user_days(
    sessions: Iterable[Session],
    visits: Iterable[Visit],
    first: date,
    last: date,
    zone: ZoneInfo,
    observed: Iterable[ObservedTimes] = (),
) -> Iterator[UserDay]:
    """Each user's usage on the days from ``first`` to ``last``; by day, then by user.

    A user is active who used a server, started one, or made a visit. An hour that two days share
    (in zones that are off by half of one) counts for the first.
    """
    days = list(date_range(first, last))
    starts = [_start(day, zone) for day in days] + [day_bounds(last, zone).end]
    rows: list[dict[int, list[int]]] = [{} for _ in days]
    for session in sessions:
        user, started, end = session.user, session.started, session.end
        began = bisect_right(starts, started) - 1
        number = max(0, began)
        while number < len(days) and (end > starts[number] or number == began):
            since, until = starts[number], starts[number + 1]
            row = rows[number].get(user)
            if row is None:
                row = rows[number][user] = [0, 0, 0, 0]
            row[0] += (end if end < until else until) - (started if started > since else since)
            row[1] += number == began
            if end <= until:
                break
            number += 1
    for visit in visits:
        number = bisect_right(starts, visit.hour * 3600) - 1
        if 0 <= number < len(days):
            rows[number].setdefault(visit.user, [0, 0, 0, 0])
    for user, *columns in observed:
        for column, intervals in enumerate(columns, 2):
            for start, end in intervals:
                number = max(0, bisect_right(starts, start) - 1)
                while number < len(days) and end > starts[number]:
                    since, until = starts[number], starts[number + 1]
                    if row := rows[number].get(user):
                        part = (end if end < until else until) - (start if start > since else since)
                        row[column] += part
                    if end <= until:
                        break
                    number += 1
    return (
        UserDay(day, user, *row)
        for day, of_day in zip(days, rows, strict=True)
        for user, row in sorted(of_day.items())
    )


def day_total(
    servers: Concurrency, coverage: Sequence[Interval], day: date, zone: ZoneInfo
) -> DayTotal:
    """The totals of a day; ``servers`` of other days do no harm, ``coverage`` is in order."""
    bounds = day_bounds(day, zone)
    slots = list(servers.between([*range(bounds.start, bounds.end, SLOT), bounds.end]))
    return DayTotal(
        day,
        covered=sum(
            interval.end - interval.start for interval in observed_intervals(coverage, bounds)
        ),
        seconds=sum(seconds for seconds, _ in slots),
        peak=max((peak for _, peak in slots), default=0),
        sessions=servers.count_started(bounds.start, bounds.end),
        slot_seconds=tuple(seconds for seconds, _ in slots),
        slot_peaks=tuple(peak for _, peak in slots),
    )


def observed_intervals(coverage: Sequence[Interval], bounds: Interval) -> Iterator[Interval]:
    at = bisect_right(coverage, bounds.start, key=attrgetter("end"))
    while at < len(coverage) and coverage[at].start < bounds.end:
        yield Interval(max(coverage[at].start, bounds.start), min(coverage[at].end, bounds.end))
        at += 1


def date_range(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def local_hours(day: date, zone: ZoneInfo) -> Sequence[int]:
    """The hour on the wall clock, 0 to 23, of each slot of a day.

    All zones differ from UTC by whole slots, so no slot straddles two hours or days.
    """
    bounds = day_bounds(day, zone)
    if bounds.end - bounds.start == 24 * 3600:
        return _REGULAR_DAY_HOURS
    return [datetime.fromtimestamp(at, zone).hour for at in range(bounds.start, bounds.end, SLOT)]


_REGULAR_DAY_HOURS = [slot // 4 for slot in range(96)]
