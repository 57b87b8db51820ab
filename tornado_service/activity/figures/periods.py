"""Usage over time: a day, a week, a month or any days in a row, each with the same figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from ..domain.calendar import ONE_DAY, SLOT, date_range, utc_datetime
from ..domain.records import DayTotal
from ..history.history import History
from .availability import availability
from .cost import cost

Unit = Literal["days", "weeks", "months"]


@dataclass(frozen=True)
class Period:
    """Some days in a row. Its figures are ``None`` where it has no data.

    Attributes:
        share: the part of it that has data so far, 0 to 1.
        is_over: whether it has ended.
        at_least: whether a part of what has passed has no data: figures are lower bounds.
        server_seconds: the running time of all servers.
        sessions: how many began.
        peak_servers: concurrent servers, peak.
        mean_servers: concurrent servers, average over the slots that have data.
        cost: of the server-hours, in the currency of the settings; ``None``, too, if there are no
            prices.
    """

    first: date
    last: date
    share: float
    is_over: bool
    at_least: bool
    active_users: int | None = None
    server_seconds: int | None = None
    sessions: int | None = None
    peak_servers: int | None = None
    mean_servers: float | None = None
    cost: float | None = None


def periods(history: History, first: date, last: date, unit: Unit) -> list[Period]:
    """Each whole day, week or month with a day from ``first`` to ``last``."""
    return [period(history, *window) for window in windows(unit, first, last)]


def period(history: History, first: date, last: date) -> Period:
    available = availability(history, first, last)
    frame = Period(first, last, available.coverage, available.is_complete, available.is_partial)
    if not available.usage:
        return frame
    days = list(history.between(first, last))
    totals = history.totals(first, last)
    # of some users, concurrent servers are computed from single sessions
    has_totals = history.users is None or available.keeps_sessions
    seconds = sum(day.seconds for day in days)
    return replace(
        frame,
        active_users=history.active(first, last).bit_count(),
        server_seconds=seconds,
        sessions=sum(day.sessions for day in days),
        peak_servers=max((total.peak for total in totals), default=None) if has_totals else None,
        mean_servers=_mean(history, totals) if has_totals else None,
        cost=cost(history, first, last, seconds),
    )


@dataclass(frozen=True)
class HourPeriod:
    """One hour; its figures are ``None`` where no quarter of it has data from beginning to end.

    Attributes:
        share: the part of its quarters that has data, 0 to 1.
        mean_servers: concurrent servers, average over these quarters.
        peak_servers: concurrent servers, peak in them.
    """

    start: datetime
    share: float
    mean_servers: float | None = None
    peak_servers: int | None = None


def hourly(history: History, first: date, last: date) -> list[HourPeriod]:
    """Each hour of some days, from their midnight on: a day has 23 to 25 of them."""
    return [hour for day in date_range(first, last) for hour in _hours_of(history, day)]


def _hours_of(history: History, day: date) -> Iterator[HourPeriod]:
    bounds = history.span(day, day)
    total = next(iter(history.totals(day, day)), None)
    observed = frozenset(history.observed_slots(total)) if total else frozenset()
    for number, start in enumerate(range(bounds.start, bounds.end, 4 * SLOT)):
        slots = [slot for slot in range(4 * number, 4 * number + 4) if slot in observed]
        length = min(4, (bounds.end - start) // SLOT)
        hour = HourPeriod(utc_datetime(start), len(slots) / length)
        if total and slots:
            seconds = sum(total.slot_seconds[slot] for slot in slots)
            peak = max(total.slot_peaks[slot] for slot in slots)
            hour = replace(hour, mean_servers=seconds / (len(slots) * SLOT), peak_servers=peak)
        yield hour


def windows(unit: Unit, first: date, last: date) -> Iterator[tuple[date, date]]:
    """The first and last day of each day, ISO week or month with one of these days."""
    while first <= last:
        begin, end = window(unit, first)
        yield begin, end
        first = end + ONE_DAY


def window(unit: Unit, day: date) -> tuple[date, date]:
    """The first and last day of the day, ISO week or month that a day is in."""
    if unit == "weeks":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    if unit == "months":
        begin = day.replace(day=1)
        return begin, (begin + timedelta(days=31)).replace(day=1) - ONE_DAY
    return day, day


def _mean(history: History, totals: list[DayTotal]) -> float | None:
    """Average concurrent servers, over the slots that have data from beginning to end."""
    seconds = watched = 0
    for total in totals:
        for slot in history.observed_slots(total):
            seconds += total.slot_seconds[slot]
            watched += SLOT
    return seconds / watched if watched else None
