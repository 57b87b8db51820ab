"""Daily, weekly and monthly active users of each day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from ..domain.calendar import ONE_DAY, date_range, local_date
from ..history.history import History
from .availability import COMPARABLE, Availability, availability
from .periods import Unit, windows
from .users import new_counts

#: Days up to and including a day, for weekly and monthly active users.
WEEK, MONTH = 7, 30


@dataclass(frozen=True)
class TrendDay:
    """Active users on a day and on the days up to it; ``None``: not known.

    Attributes:
        share: the part of the day that has data, 0 to 1.
        is_over: whether the day has ended.
        daily_at_least: whether a part of the day up to the latest sample has no data: daily active
            users are a lower bound. Likewise for the week and the month.
        weekly_active_users: on the 7 days up to this one.
        monthly_active_users: on the 30 days up to this one.
        daily_average_7: average of the daily active users of the 7 days up to this one.
        stickiness: average daily active users of the 30 days up to this one, divided by the monthly
            active users.
    """

    day: date
    share: float
    is_over: bool
    daily_at_least: bool
    weekly_at_least: bool
    monthly_at_least: bool
    daily_active_users: int | None
    weekly_active_users: int | None
    monthly_active_users: int | None
    daily_average_7: float | None
    stickiness: float | None
    new_users: int | None


@dataclass(frozen=True)
class Trend:
    """Active users of the days of a period."""

    zone: str
    days: list[TrendDay]


def trend(history: History, first: date, last: date, unit: Unit = "days") -> Trend:
    """Each day, or the last day of each week or month; of a running one, the last that is over."""
    yesterday = local_date(history.now, history.zone) - ONE_DAY
    days = [
        min(end, max(begin, yesterday)) if unit != "days" else end
        for begin, end in windows(unit, first, last)
    ]
    new = new_counts(history, ((day, day) for day in days))
    daily = _daily_counts(history, days[0] - timedelta(days=MONTH - 1), days[-1])
    rows = [_trend_day(history, day, daily, count) for day, count in zip(days, new, strict=True)]
    return Trend(history.zone.key, rows)


def _daily_counts(history: History, first: date, last: date) -> dict[date, int]:
    """Daily active users of the days that have data."""
    return {
        day: history.days[day].active.bit_count() if day in history.days else 0
        for day in date_range(first, last)
        if day in history.hub_totals and history.hub_totals[day].covered
    }


def new_in_units(history: History, first: date, last: date, unit: Unit) -> list[int | None]:
    """New users of each day, week or month."""
    return new_counts(history, windows(unit, first, last))


def _trend_day(history: History, day: date, daily: Mapping[date, int], new: int | None) -> TrendDay:
    available = availability(history, day, day)
    week, month = (
        availability(history, day - timedelta(days=length - 1), day) for length in (WEEK, MONTH)
    )
    weekly, monthly = (
        history.active(day - timedelta(days=length - 1), day).bit_count() if known.usage else None
        for length, known in ((WEEK, week), (MONTH, month))
    )
    average = _daily_average(daily, day, MONTH) if _is_covered(month) else None
    return TrendDay(
        day,
        share=available.coverage,
        is_over=available.is_complete,
        daily_at_least=available.is_partial,
        weekly_at_least=week.is_partial,
        monthly_at_least=month.is_partial,
        daily_active_users=daily.get(day),
        weekly_active_users=weekly,
        monthly_active_users=monthly,
        daily_average_7=_daily_average(daily, day, WEEK) if _is_covered(week) else None,
        stickiness=average / monthly if average is not None and monthly else None,
        new_users=new,
    )


def _is_covered(available: Availability) -> bool:
    """Averages are of days that are over, with data for nearly all of their time."""
    return available.is_complete and available.coverage >= COMPARABLE


def _daily_average(daily: Mapping[date, int], last: date, length: int) -> float:
    """Average daily active users of those of the days up to the last that have data."""
    days = (last - timedelta(days=number) for number in range(length))
    known = [daily[day] for day in days if day in daily]
    return sum(known) / len(known)
