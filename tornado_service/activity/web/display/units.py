"""What a bar or point of a chart stands for."""

from __future__ import annotations

from datetime import date
from typing import Literal

from ...figures.periods import Unit

ChartUnit = Literal["hours", "days", "weeks", "months"]

#: By default, up to so many days are shown by hour, day or week, and more by month.
MAX_BY_HOUR, MAX_BY_DAY, MAX_BY_WEEK = 2, 92, 800

#: More days than these are not offered one by one.
MOST_DAYS = 366


def units_for(first: date, last: date) -> list[ChartUnit]:
    """The units to choose from: those of which a period has some, and not too many."""
    length = (last - first).days + 1
    choices: dict[ChartUnit, bool] = {
        "hours": length <= MAX_BY_HOUR,
        "days": length <= MOST_DAYS,
        "weeks": length > 7,
        "months": length > 31,
    }
    return [unit for unit, is_offered in choices.items() if is_offered]


def chart_unit_for(first: date, last: date, chosen: ChartUnit | None = None) -> ChartUnit:
    """The chosen unit if it is offered, else one with a readable number of bars."""
    if chosen in units_for(first, last):
        return chosen
    return "hours" if (last - first).days < MAX_BY_HOUR else unit_for(first, last)


def unit_for(first: date, last: date) -> Unit:
    """The unit of days or longer with a readable number of bars."""
    length = (last - first).days + 1
    if length <= MAX_BY_DAY:
        return "days"
    return "weeks" if length <= MAX_BY_WEEK else "months"
