"""Lengths of sessions."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ..history.history import History
from .availability import availability


@dataclass(frozen=True)
class Lengths:
    """Lengths, in seconds, of the sessions that began in a period.

    Attributes:
        finished: how many have ended; `mean`, `median` and `longest` are of these.
        running: how many have not.
        longest_running: the longest so far of the running ones.
    """

    finished: int
    running: int
    mean: float | None
    median: float | None
    longest: int | None
    longest_running: int | None


def lengths(history: History, first: date, last: date) -> Lengths | None:
    """``None``: there is no data, or sessions of that time have been dropped."""
    if not availability(history, first, last).lengths:
        return None
    span = history.span(first, last)
    begun = history.sessions.started_between(span.start, span.end)
    weeks = [week.lengths for week in begun.weeks.values() if week.lengths]
    finished = sum(map(len, weeks))
    return Lengths(
        finished=finished,
        running=len(begun.running),
        mean=sum(map(sum, weeks)) / finished if finished else None,
        median=_median(weeks) if finished else None,
        longest=max((week[-1] for week in weeks), default=None),
        longest_running=max(
            (session.end - session.started for session in begun.running), default=None
        ),
    )


def _median(weeks: Sequence[array[int]]) -> float:
    """`statistics.median` of all; each week is sorted already."""
    total = sum(map(len, weeks))
    low, high = _value_at(weeks, (total - 1) // 2), _value_at(weeks, total // 2)
    return (low + high) / 2


def _value_at(weeks: Sequence[array[int]], place: int) -> int:
    """The value at an index in the order of all: the least with more values up to it."""

    def up_to(value: int) -> int:
        return sum(bisect_right(week, value) for week in weeks)

    values = range(min(week[0] for week in weeks), max(week[-1] for week in weeks) + 1)
    return values[bisect_right(values, place, key=up_to)]
