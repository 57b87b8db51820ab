"""The days of a zone, and what was used on each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

from .concurrency import Concurrency
from .records import DayTotal, Interval, Session, UserDay, Visit

ONE_DAY = timedelta(days=1)

#: Seconds of a slot, a quarter of an hour.
SLOT = 15 * 60


def local_date(moment: int, zone: ZoneInfo) -> date:
    """The date on the wall."""
    return datetime.fromtimestamp(moment, zone).date()


def day_bounds(day: date, zone: ZoneInfo) -> Interval:
    """From when to when a day is: 24 hours, or 23 or 25 where the clock is put forward or back."""
    return Interval(_start(day, zone), _start(day + ONE_DAY, zone))


def _start(day: date, zone: ZoneInfo) -> int:
    # a midnight that is left out is the moment at which the clock was put forward
    return int(datetime.combine(day, time(), zone).timestamp())


def user_days(
    sessions: Iterable[Session], visits: Iterable[Visit], first: date, last: date, zone: ZoneInfo
) -> list[UserDay]:
    """Who was active on which day, and how much: who used a server, started one, or came.

    An hour that two days share (in zones that are off by half of one) counts for the first.

    Returns:
        From the first day to the last, both included; by day, then by user.
    """
    spans = {day: day_bounds(day, zone) for day in date_range(first, last)}
    rows: dict[tuple[date, int], list[int]] = {}
    for each in sessions:
        day = max(first, began := local_date(each.started, zone))
        while day <= last and (each.end > spans[day].start or day == began):
            span = spans[day]
            row = rows.setdefault((day, each.user), [0, 0])
            row[0] += max(0, min(span.end, each.end) - max(span.start, each.started))
            row[1] += day == began
            day += ONE_DAY
    for visit in visits:
        day = local_date(visit.hour * 3600, zone)
        if first <= day <= last:
            rows.setdefault((day, visit.user), [0, 0])
    return [UserDay(day, user, *row) for (day, user), row in sorted(rows.items())]


def day_total(
    servers: Concurrency, coverage: Sequence[Interval], day: date, zone: ZoneInfo
) -> DayTotal:
    """What ran on a day.

    Args:
        servers: the sessions; those of other days do no harm.
        coverage: when the hub was watched, in order.
        day: which.
        zone: whose.
    """
    of = day_bounds(day, zone)
    slots = list(servers.between([*range(of.start, of.end, SLOT), of.end]))
    return DayTotal(
        day,
        covered=sum(each.end - each.start for each in observed_intervals(coverage, of)),
        seconds=sum(seconds for seconds, _ in slots),
        peak=max((peak for _, peak in slots), default=0),
        sessions=servers.count_started(of.start, of.end),
        slot_seconds=tuple(seconds for seconds, _ in slots),
        slot_peaks=tuple(peak for _, peak in slots),
    )


def observed_intervals(coverage: Sequence[Interval], of: Interval) -> Iterator[Interval]:
    """The parts of an interval that are covered."""
    at = bisect_right(coverage, of.start, key=attrgetter("end"))
    while at < len(coverage) and coverage[at].start < of.end:
        yield Interval(max(coverage[at].start, of.start), min(coverage[at].end, of.end))
        at += 1


def date_range(first: date, last: date) -> Iterator[date]:
    """All days from one to another, both included."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
