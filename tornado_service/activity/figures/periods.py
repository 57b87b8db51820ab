"""Use over time: a day, a week, a month or any run of days, each with the same figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from ..domain.calendar import ONE_DAY, SLOT
from ..domain.records import DayTotal
from ..history.history import History
from .availability import Availability, availability
from .slots import observed_slots

Unit = Literal["day", "week", "month"]


@dataclass(frozen=True)
class Period:
    """Some days in a row. Its figures are ``None`` where it has no data.

    Attributes:
        first: its first day.
        last: its last day.
        share: the part of it that was watched so far, 0 to 1.
        is_over: whether it has ended.
        at_least: whether a part of what has passed was not watched: the figures are then what is
            known.
        active_users: different ones.
        server_seconds: time in which servers ran, each server by itself.
        sessions: how many began.
        peak_servers: most at one moment.
        mean_servers: over the quarters of an hour that were watched.
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


def periods(history: History, unit: Unit, first: date, last: date) -> list[Period]:
    """Each whole day, week or month with a day from ``first`` to ``last``."""
    return [period(history, *window) for window in windows(unit, first, last)]


def period(history: History, first: date, last: date) -> Period:
    """The figures of all days from ``first`` to ``last`` together."""
    known = availability(history, first, last)
    frame = Period(first, last, known.coverage, known.is_complete, known.is_partial)
    return _with_figures(history, frame, known) if known.usage else frame


def windows(unit: Unit, first: date, last: date) -> Iterator[tuple[date, date]]:
    """The first and the last day of each day, ISO week or month that has a day of these."""
    while first <= last:
        begin, end = window(unit, first)
        yield begin, end
        first = end + ONE_DAY


def window(unit: Unit, day: date) -> tuple[date, date]:
    """The first and the last day of the day, ISO week or month that a day is in."""
    if unit == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    if unit == "month":
        begin = day.replace(day=1)
        return begin, (begin + timedelta(days=31)).replace(day=1) - ONE_DAY
    return day, day


def _with_figures(history: History, frame: Period, known: Availability) -> Period:
    days = list(history.between(frame.first, frame.last))
    totals = history.totals(frame.first, frame.last)
    # of some users, concurrent servers are computed from single sessions
    has_totals = history.users is None or known.keeps_sessions
    return replace(
        frame,
        active_users=history.active(frame.first, frame.last).bit_count(),
        server_seconds=sum(day.seconds for day in days),
        sessions=sum(day.sessions for day in days),
        peak_servers=max((total.peak for total in totals), default=None) if has_totals else None,
        mean_servers=_mean(history, totals) if has_totals else None,
    )


def _mean(history: History, totals: list[DayTotal]) -> float | None:
    """Servers at a time, over the quarters of an hour that were wholly watched."""
    seconds = watched = 0
    for total in totals:
        for quarter in observed_slots(history, total):
            seconds += total.slot_seconds[quarter]
            watched += SLOT
    return seconds / watched if watched else None
