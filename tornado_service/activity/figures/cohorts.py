"""Arrival cohorts: users by the week or month of their arrival, and how many came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import or_
from typing import Literal

from ..domain.calendar import local_date
from ..history.history import History
from ..history.usage import bitmap
from .availability import availability
from .periods import windows
from .users import arrival_time

CohortUnit = Literal["weeks", "months"]

#: Weeks after the arrival; week 0 is the one that begins with it.
WEEKS = (1, 2, 4, 8)


@dataclass(frozen=True)
class ReturnWeek:
    """How many users of a cohort were active in one week after their arrival.

    Attributes:
        week: 1 is the second week: days 7 to 13 after the day of arrival.
        share: the part of these weeks of all users that has data, 0 to 1; below 1, ``returned`` is
            a lower bound.
        is_over: whether it has ended for all users of the cohort.
        returned: ``None``: it is not over, has no data, or the cohort is not known.
    """

    week: int
    share: float
    is_over: bool
    returned: int | None


@dataclass(frozen=True)
class Cohort:
    """The users who arrived in a week or month.

    Attributes:
        share: the part of it that has data so far, 0 to 1.
        is_over: whether it has ended.
        arrived: number of new users; ``None``: not known.
        weeks: weeks 1, 2, 4 and 8 after the arrival.
    """

    first: date
    last: date
    share: float
    is_over: bool
    arrived: int | None
    weeks: tuple[ReturnWeek, ...]


def cohorts(history: History, first: date, last: date, unit: CohortUnit) -> list[Cohort]:
    """The cohort of each whole week or month with a day from ``first`` to ``last``."""
    spans = list(windows(unit, first, last))
    arrivals = _arrivals(history, spans[0][0], spans[-1][1])
    return [_cohort(history, arrivals, *span) for span in spans]


def _arrivals(history: History, first: date, last: date) -> dict[date, list[int]]:
    """Users by the day of their arrival."""
    span = history.span(first, last)
    arrivals: dict[date, list[int]] = {}
    for id_, person in history.people.items():
        moment = arrival_time(history, person)
        if moment is not None and span.start <= moment < span.end:
            arrivals.setdefault(local_date(moment, history.zone), []).append(id_)
    return arrivals


def _cohort(
    history: History, arrivals: Mapping[date, list[int]], first: date, last: date
) -> Cohort:
    available = availability(history, first, last)
    users = {day: ids for day, ids in arrivals.items() if first <= day <= last}
    is_known = available.accounts
    return Cohort(
        first,
        last,
        share=available.coverage,
        is_over=available.is_complete,
        arrived=sum(map(len, users.values())) if is_known else None,
        weeks=tuple(_return_week(history, users, is_known, first, last, week) for week in WEEKS),
    )


def _return_week(
    history: History,
    users: Mapping[date, list[int]],
    is_known: bool,
    first: date,
    last: date,
    week: int,
) -> ReturnWeek:
    begin, end = first + timedelta(weeks=week), last + timedelta(weeks=week, days=6)
    available = availability(history, begin, end)
    returned = None
    if is_known and available.usage and available.is_complete:
        returned = reduce(
            or_, (_active_in(history, day, ids, week) for day, ids in users.items()), 0
        ).bit_count()
    return ReturnWeek(week, available.coverage, available.is_complete, returned)


def _active_in(history: History, arrived: date, users: list[int], week: int) -> int:
    """Those of some users who were active in a week after their arrival, as bits."""
    begin = arrived + timedelta(weeks=week)
    return bitmap(users) & history.active(begin, begin + timedelta(days=6))
