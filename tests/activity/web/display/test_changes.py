from __future__ import annotations

from datetime import date

import pytest

from tornado_service.activity.domain.terms import Term
from tornado_service.activity.figures.comparison import (
    ComparedCost,
    ComparedFigure,
    Comparison,
    PeriodComparison,
)
from tornado_service.activity.web.display.changes import (
    change_notes,
    comparability,
    compared_with,
)
from tornado_service.activity.web.formatting import number

FIRST, LAST = date(2026, 11, 2), date(2026, 11, 8)
UNKNOWN = ComparedFigure(None, None, None)


def compared(users: ComparedFigure, *, share: float = 1, earlier: float = 1) -> PeriodComparison:
    return PeriodComparison(
        *(FIRST, LAST, share, date(2026, 10, 26), date(2026, 11, 1), earlier),
        is_comparable=min(share, earlier) >= 0.95,
        active_users=users,
        server_seconds=UNKNOWN,
        sessions=UNKNOWN,
        peak_servers=UNKNOWN,
        new_users=UNKNOWN,
        cost=ComparedCost(None, None, None),
    )


def notes(*figures: PeriodComparison | None, name: str = "active_users") -> list[str]:
    against = compared_with(Comparison(*figures), FIRST, LAST, ())
    return change_notes(against, name, number)


@pytest.mark.parametrize(
    ("users", "said"),
    [
        (ComparedFigure(47, 42, 47 / 42 - 1), "+12\u00a0% on 42 in the previous period"),
        (ComparedFigure(40, 42, 40 / 42 - 1), "\u22125\u00a0% on 42 in the previous period"),
        (ComparedFigure(42, 42, 0.0), "No change from 42 in the previous period"),
        (ComparedFigure(1001, 1000, 0.001),
         "Less than 1\u00a0% change from 1,000 in the previous period"),
        (ComparedFigure(3, 0, None), "0 in the previous period"),
        (ComparedFigure(0, 3, -1.0), "\u2212100\u00a0% on 3 in the previous period"),
    ],
)  # fmt: skip
def test_a_change_in_words(users: ComparedFigure, said: str) -> None:
    assert notes(compared(users), None) == [said]


def test_a_change_from_a_year_before() -> None:
    figures = compared(ComparedFigure(4, 2, 1.0))

    assert notes(figures, figures) == [
        "+100\u00a0% on 2 in the previous period", "+100\u00a0% on 2 a year before",
    ]  # fmt: skip


def test_what_is_not_known_or_not_comparable_has_no_change() -> None:
    users = ComparedFigure(4, 2, None)

    assert notes(None, compared(users, earlier=0.61)) == []
    assert notes(compared(users), None, name="new_users") == []


@pytest.mark.parametrize(
    ("share", "earlier", "said"),
    [
        (1, 1, ""),
        (1, 0.61, "no comparison: data for 61\u00a0% of it"),
        (1, 0, "no data"),
        (0.5, 0.61, "no comparison: data for 61\u00a0% of it"),
        (0.5, 1, "no comparison: data for 50\u00a0% of this period"),
    ],
)
def test_why_there_is_no_comparison(share: float, earlier: float, said: str) -> None:
    assert comparability(compared(UNKNOWN, share=share, earlier=earlier)) == said


def test_what_earlier_days_are_called() -> None:
    def name(first: date, last: date) -> str:
        terms = (
            Term("Summer", date(2026, 4, 1), date(2026, 7, 31)),
            Term("Winter", date(2026, 10, 1), date(2027, 2, 28)),
        )
        (previous, year) = compared_with(Comparison(None, None), first, last, terms)
        assert year.name == year.when == "a year before"
        return previous.when

    assert name(date(2026, 11, 1), date(2026, 11, 30)) == "in the previous month"
    assert name(date(2026, 10, 1), date(2027, 2, 28)) == "in the previous term"
    assert name(date(2026, 4, 1), date(2026, 7, 31)) == "in the previous period"
    assert name(FIRST, FIRST) == "the day before"
    assert name(FIRST, LAST) == "in the previous period"
