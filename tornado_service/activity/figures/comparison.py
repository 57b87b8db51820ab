"""The headline figures of a period, compared with those of earlier days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ..domain.calendar import ONE_DAY, local_date
from ..domain.terms import Term
from ..history.history import History
from .availability import COMPARABLE
from .periods import HourPeriod, Period, Unit, hourly, period, window, windows
from .users import new_counts

#: A year before, on the same weekday.
WEEK = timedelta(days=7)
YEAR = timedelta(weeks=52)

#: The longest period that is compared with a year before, in days.
LONGEST_YEAR = 366


@dataclass(frozen=True)
class ComparedFigure:
    """A figure next to its earlier value.

    Attributes:
        change: relative, 0.1 is a tenth more; ``None``: the periods are not comparable, or one of
            the values is not known, or the earlier one is 0.
    """

    value: int | None
    earlier: int | None
    change: float | None


@dataclass(frozen=True)
class ComparedCost:
    """A cost next to its earlier value; ``None``, too, if there are no prices.

    Attributes:
        change: see `ComparedFigure`.
    """

    value: float | None
    earlier: float | None
    change: float | None


@dataclass(frozen=True)
class PeriodComparison:
    """Days of a period, compared with earlier days.

    Attributes:
        last: the last day that is compared: of a running period, only the days that are over are.
        share: the part of the compared days that has data, 0 to 1.
        earlier_share: the part of the earlier days that has data, 0 to 1.
        is_comparable: whether data covers at least 95 % of both; else no change is given.
    """

    first: date
    last: date
    share: float
    earlier_first: date
    earlier_last: date
    earlier_share: float
    is_comparable: bool
    active_users: ComparedFigure
    server_seconds: ComparedFigure
    sessions: ComparedFigure
    peak_servers: ComparedFigure
    new_users: ComparedFigure
    cost: ComparedCost


@dataclass(frozen=True)
class Comparison:
    """A period compared with earlier ones.

    Attributes:
        previous: with the period before it; ``None``: no day of the period is over.
        year_before: with the same weekdays 364 days before; ``None``, too, if the period has more
            than 366 days.
    """

    previous: PeriodComparison | None
    year_before: PeriodComparison | None


def comparison(history: History, first: date, last: date, terms: Sequence[Term] = ()) -> Comparison:
    is_short = (last - first).days < LONGEST_YEAR
    return Comparison(
        previous=_compare(history, (first, last), previous_days(first, last, terms)),
        year_before=_compare(history, (first, last), (first - YEAR, last - YEAR))
        if is_short
        else None,
    )


def previous_days(first: date, last: date, terms: Sequence[Term] = ()) -> tuple[date, date]:
    """The month before a calendar month, the term before a term, else as many days before."""
    if (first, last) == window("months", first):
        return window("months", first - ONE_DAY)
    if any((term.first, term.last) == (first, last) for term in terms):
        earlier = [term for term in terms if term.last < first]
        if earlier:
            return max((term.first, term.last) for term in earlier)
    return first - (last - first) - ONE_DAY, first - ONE_DAY


def _compare(
    history: History, days: tuple[date, date], earlier: tuple[date, date]
) -> PeriodComparison | None:
    """Compare whole periods, or as many of the first days of both as are over in the later one."""
    over = local_date(history.now, history.zone) - days[0]  # the day of the latest sample is not
    if days[0] + over <= days[1]:
        length = min(over, earlier[1] - earlier[0] + ONE_DAY)
        if length < ONE_DAY:
            return None
        days, earlier = ((first, first + length - ONE_DAY) for first, _ in (days, earlier))
    this, before = period(history, *days), period(history, *earlier)
    new, new_before = new_counts(history, (days, earlier))
    is_comparable = min(this.share, before.share) >= COMPARABLE

    def change(value: float | None, earlier: float | None) -> float | None:
        return value / earlier - 1 if is_comparable and value is not None and earlier else None

    def compared(value: int | None, earlier: int | None) -> ComparedFigure:
        return ComparedFigure(value, earlier, change(value, earlier))

    return PeriodComparison(
        *(this.first, this.last, this.share, before.first, before.last, before.share),
        is_comparable=is_comparable,
        active_users=compared(this.active_users, before.active_users),
        server_seconds=compared(this.server_seconds, before.server_seconds),
        sessions=compared(this.sessions, before.sessions),
        peak_servers=compared(this.peak_servers, before.peak_servers),
        new_users=compared(new, new_before),
        cost=ComparedCost(this.cost, before.cost, change(this.cost, before.cost)),
    )


def previous_periods(
    history: History, first: date, last: date, unit: Unit, terms: Sequence[Term] = ()
) -> list[Period | None]:
    """For each day, week or month of a period, that of the period before it, in order.

    Days are compared with the same weekday: they are those from the first day of the period before,
    or from the last such weekday before it. Of the days directly before a period, weeks and months
    are as many as the period has. ``None`` where the period before it is shorter.
    """
    spans = list(windows(unit, first, last))
    before = previous_days(first, last, terms)
    if unit == "days":
        begin = before[0] - (before[0] - first) % WEEK
        earlier = list(windows(unit, begin, min(begin + (last - first), first - ONE_DAY)))
    elif before[1] < first - ONE_DAY:
        earlier = list(windows(unit, *before))[: len(spans)]
    else:
        end = first
        for _ in spans:
            end = window(unit, end)[0] - ONE_DAY  # in the week or month before
        earlier = list(windows(unit, end, window(unit, first)[0] - ONE_DAY))
    figures: list[Period | None] = [period(history, *span) for span in earlier]
    return figures + [None] * (len(spans) - len(figures))


def previous_hours(
    history: History, first: date, last: date, terms: Sequence[Term] = ()
) -> list[HourPeriod]:
    """The hours of the period before a period, in order."""
    return hourly(history, *previous_days(first, last, terms))
