from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity.small_hub import SmallHub, at, history, session, small_hubs
from tornado_service.activity.domain.records import Account
from tornado_service.activity.domain.terms import Term
from tornado_service.activity.figures.comparison import (
    ComparedFigure,
    comparison,
    previous_days,
    previous_hours,
    previous_periods,
)
from tornado_service.activity.figures.periods import period
from tornado_service.activity.history.history import History

HOUR = 3600
ZONE = "Europe/Berlin"
SUMMER = Term("Summer", date(2026, 4, 1), date(2026, 7, 31))
WINTER = Term("Winter", date(2026, 10, 1), date(2027, 2, 28))


def days(first: str, last: str) -> tuple[date, date]:
    return date.fromisoformat(first), date.fromisoformat(last)


def moment(text: str) -> int:
    return at(text, ZONE)


def hub(now: str = "2026-03-29 18:00", *, gap: tuple[str, str] | None = None) -> History:
    """Data since 1 January 2025: ada works on Mondays for two hours, bob on one day of March."""
    begin, end = moment("2025-01-01 00:00"), moment(now)
    coverage = [(begin, end)]
    if gap:
        coverage = [(begin, moment(gap[0])), (moment(gap[1]), end)]
    mondays = (date(2025, 1, 6) + timedelta(weeks=week) for week in range(80))
    sessions = [
        session(1, start, start + 2 * HOUR)
        for day in mondays
        if (start := moment(f"{day} 10:00")) + 2 * HOUR < end
    ]
    sessions.append(session(2, moment("2026-03-16 11:00"), moment("2026-03-16 14:00")))
    people = [Account(1, "ada", begin), Account(2, "bob", moment("2026-03-16 10:00"))]
    return history(ZONE, coverage, sessions, people=people)


def test_a_period_is_compared_with_as_many_days_before() -> None:
    figures = comparison(hub(), *days("2026-03-16", "2026-03-22")).previous

    assert figures is not None
    assert (figures.first, figures.last) == days("2026-03-16", "2026-03-22")
    assert (figures.earlier_first, figures.earlier_last) == days("2026-03-09", "2026-03-15")
    assert (figures.share, figures.earlier_share, figures.is_comparable) == (1, 1, True)
    assert figures.active_users == ComparedFigure(2, 1, 1.0)
    assert figures.server_seconds == ComparedFigure(5 * HOUR, 2 * HOUR, 1.5)
    assert figures.sessions == ComparedFigure(2, 1, 1.0)
    assert figures.peak_servers == ComparedFigure(2, 1, 1.0)
    assert figures.new_users == ComparedFigure(1, 0, None)


def test_a_year_before_has_the_same_weekdays() -> None:
    figures = comparison(hub(), *days("2026-03-16", "2026-03-22")).year_before

    assert figures is not None
    assert (figures.earlier_first, figures.earlier_last) == days("2025-03-17", "2025-03-23")
    assert figures.earlier_first.weekday() == figures.first.weekday()
    assert figures.server_seconds == ComparedFigure(5 * HOUR, 2 * HOUR, 1.5)


def test_of_a_running_period_the_days_that_are_over_are_compared() -> None:
    both = comparison(hub(), *days("2026-03-23", "2026-04-05"))

    for figures in (both.previous, both.year_before):
        assert figures is not None
        assert (figures.first, figures.last) == days("2026-03-23", "2026-03-28")
        assert figures.earlier_last - figures.earlier_first == timedelta(days=5)
    assert both.previous is not None
    assert both.previous.earlier_first == date(2026, 3, 9)
    assert both.previous.active_users == ComparedFigure(1, 1, 0.0)


def test_the_last_day_is_over_with_a_sample_at_its_end() -> None:
    of_sunday = days("2026-03-29", "2026-03-29")

    assert comparison(hub("2026-03-29 23:59"), *of_sunday).previous is None
    assert comparison(hub("2026-03-30 00:00"), *of_sunday).previous is not None


@pytest.mark.parametrize("first", ["2026-03-29", "2026-03-30", "2027-01-01"])
def test_nothing_is_compared_before_a_day_is_over(first: str) -> None:
    both = comparison(hub(), date.fromisoformat(first), date(2027, 2, 1))

    assert both.previous is None
    assert both.year_before is None


def test_nothing_is_compared_without_a_history() -> None:
    assert comparison(history(ZONE, []), *days("2026-03-01", "2026-03-02")).previous is None


def test_a_month_is_compared_with_the_month_before() -> None:
    data = hub("2026-04-10 00:00")
    figures = comparison(data, *days("2026-03-01", "2026-03-31")).previous
    assert figures is not None
    assert (figures.first, figures.last) == days("2026-03-01", "2026-03-31")
    assert (figures.earlier_first, figures.earlier_last) == days("2026-02-01", "2026-02-28")
    assert figures.server_seconds == ComparedFigure(13 * HOUR, 8 * HOUR, 13 / 8 - 1)


def test_a_running_month_is_not_compared_with_more_days_than_the_month_before_has() -> None:
    figures = comparison(hub("2026-03-31 12:00"), *days("2026-03-01", "2026-03-31")).previous

    assert figures is not None
    assert (figures.first, figures.last) == days("2026-03-01", "2026-03-28")
    assert (figures.earlier_first, figures.earlier_last) == days("2026-02-01", "2026-02-28")


def test_a_term_is_compared_with_the_term_before() -> None:
    terms = (SUMMER, WINTER)

    assert previous_days(WINTER.first, WINTER.last, terms) == (SUMMER.first, SUMMER.last)
    assert previous_days(SUMMER.first, SUMMER.last, terms) == days("2025-11-30", "2026-03-31")
    assert previous_days(*days("2026-10-01", "2026-10-02"), terms) == days(
        "2026-09-29", "2026-09-30"
    )


@pytest.mark.parametrize(
    ("hours", "is_comparable"), [("2026-03-10 08:00", True), ("2026-03-10 09:00", False)]
)
def test_periods_without_enough_data_are_not_compared(hours: str, is_comparable: bool) -> None:
    # 5 % of seven days are 8.4 hours
    data = hub(gap=("2026-03-10 00:00", hours))

    earlier = comparison(data, *days("2026-03-16", "2026-03-22")).previous
    later = comparison(data, *days("2026-03-09", "2026-03-15")).previous

    assert earlier is not None
    assert later is not None
    assert earlier.is_comparable == later.is_comparable == is_comparable
    assert (earlier.server_seconds.change is None) != is_comparable
    assert (later.server_seconds.change is None) != is_comparable
    assert earlier.server_seconds.earlier == 2 * HOUR, "a lower bound is known all the same"
    assert earlier.earlier_share == later.share < 1


def test_a_period_before_data_collection_is_not_known() -> None:
    figures = comparison(hub(), *days("2025-01-06", "2025-01-12")).year_before

    assert figures is not None
    assert figures.earlier_share == 0
    assert figures.active_users == ComparedFigure(1, None, None)
    assert figures.new_users == ComparedFigure(0, None, None)


@pytest.mark.parametrize(("last", "is_compared"), [("2026-01-06", True), ("2026-01-07", False)])
def test_a_period_of_more_than_a_year_is_not_compared_with_itself(
    last: str, is_compared: bool
) -> None:
    both = comparison(hub(), *days("2025-01-06", last))

    assert (both.year_before is not None) == is_compared


def test_a_comparison_is_json() -> None:
    text = json.dumps(asdict(comparison(hub(), *days("2026-03-16", "2026-03-22"))), default=str)

    assert json.loads(text)["previous"]["active_users"]["change"] == 1


@given(small_hubs(), st.data())
def test_each_value_is_that_of_the_period(hub: SmallHub, data: st.DataObject) -> None:
    first = data.draw(st.dates(hub.first, hub.last))
    last = first + timedelta(days=data.draw(st.integers(0, 4)))
    known = hub.history()

    figures = comparison(known, first, last).previous

    if figures is None:
        assert known.span(first, first).end > known.now
        return
    this = period(known, figures.first, figures.last)
    before = period(known, figures.earlier_first, figures.earlier_last)
    for name in ("active_users", "server_seconds", "sessions", "peak_servers"):
        compared = getattr(figures, name)
        assert (compared.value, compared.earlier) == (getattr(this, name), getattr(before, name))
    assert this.is_over
    assert before.last < first


def test_each_day_has_one_of_the_period_before() -> None:
    rows = previous_periods(hub(), *days("2026-03-09", "2026-03-15"), "days")

    assert [row and row.first.day for row in rows] == [2, 3, 4, 5, 6, 7, 8]
    assert [row and row.active_users for row in rows] == [1, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("first", "last", "begin"),
    [
        ("2026-03-01", "2026-03-31", "2026-02-01"),  # both months begin on a Sunday
        ("2026-02-01", "2026-02-28", "2025-12-28"),  # a Sunday; January begins on a Thursday
        ("2026-03-02", "2026-03-31", "2026-01-26"),  # 30 days, so 35 days before
        ("2026-03-10", "2026-03-11", "2026-03-03"),
        ("2026-03-10", "2026-03-10", "2026-03-03"),
    ],
)
def test_a_day_is_shown_with_the_same_weekday_before(first: str, last: str, begin: str) -> None:
    rows = previous_periods(hub(), *days(first, last), "days")

    expected = [date.fromisoformat(begin) + timedelta(days=n) for n in range(len(rows))]
    known = [row.first for row in rows if row]
    assert known == expected[: len(known)]
    assert expected[0].weekday() == date.fromisoformat(first).weekday()
    assert len(rows) == (date.fromisoformat(last) - date.fromisoformat(first)).days + 1


def test_no_day_is_shown_with_one_of_its_own_period() -> None:
    rows = previous_periods(hub(), *days("2026-03-01", "2026-03-31"), "days")

    assert rows[28:] == [None, None, None]
    assert rows[27] is not None
    assert rows[27].first == date(2026, 2, 28)


def test_as_many_weeks_and_months_come_before() -> None:
    weeks = previous_periods(hub(), *days("2026-03-04", "2026-03-20"), "weeks")
    months = previous_periods(hub(), *days("2026-01-31", "2026-02-01"), "months")

    assert [str(row and row.first) for row in weeks] == ["2026-02-09", "2026-02-16", "2026-02-23"]
    assert [str(row and row.first) for row in months] == ["2025-11-01", "2025-12-01"]


def test_the_weeks_of_a_term_have_those_of_the_term_before() -> None:
    rows = previous_periods(hub(), WINTER.first, WINTER.last, "weeks", (SUMMER, WINTER))

    assert rows[0] is not None
    assert rows[0].first == date(2026, 3, 30)
    assert [row is None for row in rows] == [False] * 18 + [True] * 4


def test_the_hours_of_a_day_have_those_of_the_day_before() -> None:
    hours = previous_hours(hub(), *days("2026-03-24", "2026-03-24"))

    assert len(hours) == 24
    assert [hour.mean_servers for hour in hours][9:13] == [0, 1, 1, 0]
