"""How busy each hour of the week is, and when a restart disturbs the fewest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ..days import QUARTER, each_day
from .history import History
from .quarters import local_hours, watched_quarters

#: So many weeks must have been watched before an hour is called quiet.
WEEKS_NEEDED = 4
QUIETEST = 3
HOUR = 3600
WEEK = 7 * 24 * HOUR


@dataclass(frozen=True)
class Hour:
    """One hour of the week, over all weeks of a range; ``None``: never watched.

    Attributes:
        weekday: 0 is Monday.
        hour: on the wall clock, 0 to 23.
        share: the part of these hours that was watched, 0 to 1.
        mean_servers: over the quarters of an hour that were wholly watched.
        peak_servers: most at one moment of these.
    """

    weekday: int
    hour: int
    share: float
    mean_servers: float | None
    peak_servers: int | None


@dataclass(frozen=True)
class HeatMap:
    """The hours of the week.

    Attributes:
        hours: 168, from Monday at 0 to Sunday at 23.
        weeks_missing: how much longer must be watched before the quietest hours can be told.
        quietest: the hours with the fewest servers, best first; ``None``: not enough data yet.
    """

    first: date
    last: date
    hours: tuple[Hour, ...]
    weeks_missing: float
    quietest: tuple[Hour, ...] | None


@dataclass
class _Sum:
    quarters: int = 0
    watched: int = 0
    seconds: int = 0
    peak: int = 0

    @property
    def mean(self) -> float | None:
        return self.seconds / (self.watched * QUARTER) if self.watched else None


def heat_map(history: History, first: date, last: date) -> HeatMap:
    """Of the days from ``first`` to ``last``."""
    sums = [_Sum() for _ in range(7 * 24)]
    _count(history, first, last, sums)
    hours = tuple(_hour(number, each) for number, each in enumerate(sums))
    seconds = QUARTER * sum(each.watched for each in sums)
    enough = [
        hour
        for hour, each in zip(hours, sums, strict=True)
        if each.watched * QUARTER >= WEEKS_NEEDED * HOUR
    ]
    missing = max(0.0, WEEKS_NEEDED - seconds / WEEK)
    quietest = None if missing else tuple(sorted(enough, key=_business)[:QUIETEST])
    return HeatMap(first, last, hours, missing, quietest)


def hours_of_day(history: History, first: date, last: date) -> tuple[float | None, ...]:
    """Servers at a time in each of the 24 hours of the day; ``None``: never watched.

    Of one person's history: the part of these hours in which a server of theirs ran.
    """
    week = [_Sum() for _ in range(7 * 24)]
    _count(history, first, last, week)
    day = [
        _Sum(
            watched=sum(e.watched for e in week[h::24]), seconds=sum(e.seconds for e in week[h::24])
        )
        for h in range(24)
    ]
    return tuple(each.mean for each in day)


def _count(history: History, first: date, last: date, sums: list[_Sum]) -> None:
    for day in each_day(first, last):
        of_day = sums[24 * day.weekday() :][:24]
        for hour in local_hours(day, history.zone):
            of_day[hour].quarters += 1
    for total in history.totals(first, last):
        of_day = sums[24 * total.day.weekday() :][:24]
        hours = local_hours(total.day, history.zone)
        for quarter in watched_quarters(history, total):
            each = of_day[hours[quarter]]
            each.watched += 1
            each.seconds += total.slot_seconds[quarter]
            each.peak = max(each.peak, total.slot_peaks[quarter])


def _hour(number: int, each: _Sum) -> Hour:
    return Hour(
        weekday=number // 24,
        hour=number % 24,
        share=each.watched / each.quarters if each.quarters else 0.0,
        mean_servers=each.mean,
        peak_servers=each.peak if each.watched else None,
    )


def _business(hour: Hour) -> tuple[float, int, int, int]:
    return (hour.mean_servers or 0, hour.peak_servers or 0, hour.weekday, hour.hour)
