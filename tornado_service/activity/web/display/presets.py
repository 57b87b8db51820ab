"""Periods that one click selects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from ...access.queries import MAX_DAYS
from ...domain.calendar import ONE_DAY
from ...domain.terms import Term, academic_year
from ...figures.periods import window

#: Periods up to today, by their length in days.
DAYS = {"7 days": 7, "30 days": 30, "90 days": 90, "A year": 365}

#: Terms that are offered, the latest that has begun first.
TERMS_SHOWN = 2


class Preset(NamedTuple):
    """A period that one click selects."""

    label: str
    first: date
    last: date


def presets(
    today: date,
    terms: Sequence[Term] = (),
    year_start: tuple[int, int] = (9, 1),
    began: date | None = None,
) -> list[Preset]:
    """Periods of the calendar, then periods up to today; ``began``: data collection began."""
    month = window("months", today)
    begun = [Preset(*term) for term in terms if term.first <= today]
    shown = [
        Preset("This month", *month),
        Preset("Last month", *window("months", month[0] - ONE_DAY)),
        *reversed(begun[-TERMS_SHOWN:]),
        Preset("Academic year", *academic_year(today, year_start)),
        *(Preset(label, today - timedelta(days - 1), today) for label, days in DAYS.items()),
    ]
    if began and began <= today:
        earliest = today - timedelta(MAX_DAYS - 1)
        shown.append(Preset("Since the beginning", max(began, earliest), today))
    return shown
