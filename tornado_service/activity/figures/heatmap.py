"""Concurrent servers in each hour of the week, and the best time for maintenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from ..domain.calendar import SLOT, date_range, local_hours
from ..domain.records import Interval
from ..history.history import History

#: Quarters of an hour.
SLOTS_PER_HOUR = 4

#: Days with data that an hour of the day needs: 20 of 28, so that a February with a gap has them.
DAYS_NEEDED = 20
#: Hours with data that an hour of the week needs.
HOURS_NEEDED = 2
#: By how much an hour may exceed the quietest one: on a hub that is never idle, no two are equal.
TOLERANCE = Fraction(1, 10)


@dataclass(frozen=True)
class Hour:
    """One hour of the week, over all weeks of a period; ``None``: no data.

    Attributes:
        weekday: 0 is Monday.
        hour: on the wall clock, 0 to 23.
        share: the part of these hours that has data, 0 to 1.
        mean_servers: average over the slots that have data from beginning to end.
        peak_servers: peak in these slots.
    """

    weekday: int
    hour: int
    share: float
    mean_servers: float | None
    peak_servers: int | None


@dataclass(frozen=True)
class MaintenanceWindow:
    """Hours of the week in a row, each with about the lowest average of concurrent servers.

    It begins at ``hour`` of ``weekday``, 0 is Monday; it has 168 hours if all are alike.
    """

    weekday: int
    hour: int
    hours: int
    mean_servers: float
    peak_servers: int

    def next_from(self, day: date, zone: ZoneInfo) -> Interval:
        """The first such window on a day or later."""
        days = timedelta((self.weekday - day.weekday()) % 7)
        start = datetime.combine(day + days, time(self.hour))
        end = start + timedelta(hours=self.hours)
        return Interval(*(int(at.replace(tzinfo=zone).timestamp()) for at in (start, end)))


@dataclass(frozen=True)
class HeatMap:
    """The hours of the week.

    Attributes:
        hours: 168, from Monday at 0 to Sunday at 23.
        weeks_missing: weeks of data that the maintenance window still needs.
        quietest: the hours of the maintenance window, in order.
        maintenance_window: the longest stretch with the fewest servers, of the whole hub; ``None``:
            not enough data, or the figures are those of some users.
    """

    first: date
    last: date
    hours: tuple[Hour, ...]
    weeks_missing: float
    quietest: tuple[Hour, ...] | None
    maintenance_window: MaintenanceWindow | None

    @property
    def days_missing(self) -> int:
        """`weeks_missing` in whole days, rounded up."""
        quarters_of_days = round(self.weeks_missing * 7 * SLOTS_PER_HOUR)
        return -(-quarters_of_days // SLOTS_PER_HOUR)


@dataclass
class _HourTotals:
    slots: int = 0
    observed: int = 0
    seconds: int = 0
    peak: int = 0

    def __add__(self, other: _HourTotals) -> _HourTotals:
        return _HourTotals(
            self.slots + other.slots,
            self.observed + other.observed,
            self.seconds + other.seconds,
            max(self.peak, other.peak),
        )

    @property
    def mean(self) -> float | None:
        return self.seconds / (self.observed * SLOT) if self.observed else None


def heat_map(history: History, first: date, last: date) -> HeatMap:
    week = _totals(history, first, last)
    hours = tuple(
        Hour(
            *divmod(number, 24),
            share=total.observed / total.slots if total.slots else 0.0,
            mean_servers=total.mean,
            peak_servers=total.peak if total.observed else None,
        )
        for number, total in enumerate(week)
    )
    observed = [total.observed for total in _day_of(week)]
    missing = max(0, DAYS_NEEDED * SLOTS_PER_HOUR - max(observed))
    stretch = [] if missing or history.users is not None else _quiet_hours(week, observed)
    return HeatMap(
        first,
        last,
        hours,
        weeks_missing=missing / SLOTS_PER_HOUR / 7,
        quietest=tuple(hours[number] for number in stretch) or None,
        maintenance_window=_window(stretch, week) if stretch else None,
    )


def hours_of_day(history: History, first: date, last: date) -> tuple[float | None, ...]:
    """Average concurrent servers in each of the 24 hours of the day; ``None``: no data.

    Of one user's history: the part of these hours in which a server of theirs ran.
    """
    return tuple(total.mean for total in _day_of(_totals(history, first, last)))


def _totals(history: History, first: date, last: date) -> list[_HourTotals]:
    week = [_HourTotals() for _ in range(7 * 24)]
    for day in date_range(first, last):
        of_day = week[24 * day.weekday() :][:24]
        for hour in local_hours(day, history.zone):
            of_day[hour].slots += 1
    for total in history.totals(first, last):
        of_day = week[24 * total.day.weekday() :][:24]
        hours = local_hours(total.day, history.zone)
        for slot in history.observed_slots(total):
            hour_totals = of_day[hours[slot]]
            hour_totals.observed += 1
            hour_totals.seconds += total.slot_seconds[slot]
            hour_totals.peak = max(hour_totals.peak, total.slot_peaks[slot])
    return week


def _day_of(week: list[_HourTotals]) -> list[_HourTotals]:
    return [sum(week[hour::24], _HourTotals()) for hour in range(24)]


def _quiet_hours(week: list[_HourTotals], observed: list[int]) -> list[int]:
    levels = [
        Fraction(total.seconds, total.observed)
        if total.observed >= HOURS_NEEDED * SLOTS_PER_HOUR
        and observed[number % 24] >= DAYS_NEEDED * SLOTS_PER_HOUR
        else None
        for number, total in enumerate(week)
    ]
    return longest_stretch(levels, [total.peak for total in week])


def _window(stretch: list[int], week: list[_HourTotals]) -> MaintenanceWindow:
    total = sum((week[number] for number in stretch), _HourTotals())
    return MaintenanceWindow(
        *divmod(stretch[0], 24),
        hours=len(stretch),
        mean_servers=total.seconds / (total.observed * SLOT),
        peak_servers=total.peak,
    )


def longest_stretch(levels: Sequence[Fraction | None], peaks: Sequence[int]) -> list[int]:
    """The numbers of the most hours in a row with about the lowest level; the week is a circle.

    Of equally long stretches that with the lowest peak, then the one that begins first. A level is
    ``None`` where there is not enough data.
    """
    lowest = min((level for level in levels if level is not None), default=None)
    if lowest is None:
        return []
    most = lowest * (1 + TOLERANCE)
    is_quiet = [level is not None and level <= most for level in levels]
    if all(is_quiet):
        return list(range(len(levels)))
    begins = [at for at, quiet in enumerate(is_quiet) if quiet and not is_quiet[at - 1]]
    return min(
        (_stretch(is_quiet, begin) for begin in begins),
        key=lambda hours: (-len(hours), max(peaks[hour] for hour in hours), hours[0]),
    )


def _stretch(is_quiet: Sequence[bool], begin: int) -> list[int]:
    hours = []
    while is_quiet[begin]:
        hours.append(begin)
        begin = (begin + 1) % len(is_quiet)
    return hours
