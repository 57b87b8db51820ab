"""Terms and academic years, as an admin has set them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

#: The days of a term in the settings, next to its name.
TERM_DAYS = ("first", "last")


class Term(NamedTuple):
    """Named days in a row."""

    name: str
    first: date
    last: date


def parse_terms(values: Iterable[Mapping[str, Any]]) -> tuple[Term, ...]:
    """The terms, the earliest first; `ValueError` says what to change."""
    terms = sorted(map(_parse_term, values), key=lambda term: term.first)
    for before, after in pairwise(terms):
        if after.first <= before.last:
            raise ValueError(f"{after.name!r} begins before {before.name!r} has ended")
    return tuple(terms)


def _parse_term(value: Mapping[str, Any]) -> Term:
    if not isinstance(value, Mapping) or set(value) != {"name", *TERM_DAYS} or not value["name"]:
        raise ValueError(
            f"{value!r} is not a term; write one as in "
            '{"name": "Winter term 2026", "first": "2026-10-01", "last": "2027-03-31"}'
        )
    first, last = (parse_day(value[key], f"{key!r} of {value['name']!r}") for key in TERM_DAYS)
    if last < first:
        raise ValueError(f"{value['name']!r} ends before it begins")
    return Term(str(value["name"]), first, last)


def parse_day(value: object, what: str) -> date:
    """A date of a setting; `ValueError` says what is wrong with it."""
    if (day := _iso_day(str(value))) is None:
        raise ValueError(f"{what} is {value!r}; write a date as in 2026-10-01")
    return day


def _iso_day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None  # newer Pythons read weeks, too


def parse_year_start(text: str) -> tuple[int, int]:
    """Month and day of ``09-01``; `ValueError` says what to change."""
    day = _iso_day(f"2026-{text}")  # a year without 29 February
    if day is None:
        raise ValueError(f"{text!r} is not a day of each year; write one as in 09-01")
    return day.month, day.day


def academic_year(today: date, start: tuple[int, int]) -> tuple[date, date]:
    """The first and the last day of the academic year that a day is in."""
    year = today.year if (today.month, today.day) >= start else today.year - 1
    return date(year, *start), date(year + 1, *start) - timedelta(days=1)
