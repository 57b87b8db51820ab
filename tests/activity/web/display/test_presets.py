from __future__ import annotations

from datetime import date

from tornado_service.activity.domain.terms import Term
from tornado_service.activity.web.display.presets import presets

TODAY = date(2026, 11, 29)


def days(first: str, last: str) -> tuple[date, date]:
    return date.fromisoformat(first), date.fromisoformat(last)


def by_label(*arguments: object) -> dict[str, tuple[date, date]]:
    return {label: (first, last) for label, first, last in presets(TODAY, *arguments)}


def test_periods_of_the_calendar_and_up_to_today() -> None:
    assert by_label((), (10, 1), date(2026, 3, 4)) == {
        "This month": days("2026-11-01", "2026-11-30"),
        "Last month": days("2026-10-01", "2026-10-31"),
        "Academic year": days("2026-10-01", "2027-09-30"),
        "7 days": days("2026-11-23", "2026-11-29"),
        "30 days": days("2026-10-31", "2026-11-29"),
        "90 days": days("2026-09-01", "2026-11-29"),
        "A year": days("2025-11-30", "2026-11-29"),
        "Since the beginning": days("2026-03-04", "2026-11-29"),
    }


def test_the_beginning_is_not_known_or_long_ago() -> None:
    assert "Since the beginning" not in by_label()
    assert by_label((), (9, 1), date(1995, 1, 1))["Since the beginning"] == days(
        "2016-10-13", "2026-11-29"
    )


def test_the_latest_terms_that_have_begun() -> None:
    terms = [
        Term("Winter 2025", *days("2025-10-01", "2026-03-31")),
        Term("Summer 2026", *days("2026-04-01", "2026-09-30")),
        Term("Winter 2026", *days("2026-10-01", "2027-03-31")),
        Term("Summer 2027", *days("2027-04-01", "2027-09-30")),
    ]

    labels = list(by_label(terms))

    assert labels[2:5] == ["Winter 2026", "Summer 2026", "Academic year"]
    assert by_label(terms)["Winter 2026"] == days("2026-10-01", "2027-03-31")
