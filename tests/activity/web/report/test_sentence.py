from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.support.activity.reports import HOUR, NOTHING_COMPARED, october
from tornado_service.activity.domain.prices import Prices
from tornado_service.activity.domain.terms import Term
from tornado_service.activity.figures.reports.report import Report
from tornado_service.activity.web.report.sentence import period_name, sentence, term_name

BASE = "In October 2026, 2 users were active and servers ran for 6.0 hours in 3 sessions"
CHANGES = "100 % more users than in the previous month and as many as a year before"


def said(report: Report, *arguments: Any) -> str:
    return sentence(report, *arguments).replace("\u00a0", " ")


def test_a_month_with_both_changes() -> None:
    assert said(october()) == f"{BASE}: {CHANGES}."


def test_cost_is_in_it_with_prices() -> None:
    priced = october(prices=Prices("EUR", 0.5))

    assert said(priced) == f"{BASE}, at a cost of 3.00 EUR: {CHANGES}."
    unknown = replace(priced, whole=replace(priced.whole, cost=None))
    assert said(unknown) == f"{BASE}: {CHANGES}."


def test_without_anything_to_compare_with() -> None:
    assert said(october(comparison=NOTHING_COMPARED)) == f"{BASE}."
    assert said(october(start="2026-10-01 00:00")) == f"{BASE}."


def test_lower_bounds_are_said_of_every_figure() -> None:
    text = said(october(start="2026-10-04 00:00", prices=Prices("EUR", 0.5)))

    assert text == (
        "In October 2026, at least 2 users were active and servers ran for at least 6.0 hours in at"
        " least 3 sessions, at a cost of at least 3.00 EUR."
    )


def test_a_month_that_is_not_over_is_compared_with_the_same_days() -> None:
    assert said(october(now="2026-10-08 12:00")) == (
        "In October 2026, so far, 2 users were active and servers ran for 6.0 hours in 3 sessions:"
        " 100 % more users than in the same days of the previous month and as many as a year"
        " before."
    )


def test_one_user_and_one_session() -> None:
    september = date(2026, 9, 1), date(2026, 9, 30)
    text = said(october(days=september, comparison=NOTHING_COMPARED))

    assert text == (
        "In September 2026, 1 user was active and servers ran for 4.0 hours in 1 session."
    )


def test_the_report_of_one_user_compares_hours() -> None:
    report = october()

    assert said(report, (), "ada") == (
        "In October 2026, servers of ada ran for 6.0 hours in 3 sessions: 50 % more hours than in"
        " the previous month and 50 % fewer than a year before."
    )


@pytest.mark.parametrize(
    ("earlier", "change", "words"),
    [
        (1000, -0.004, "about as many users as in the previous month"),
        (1000, 0.0, "as many users as in the previous month"),
        (1000, -0.25, "25 % fewer users than in the previous month"),
        (1, 20.0, "2,000 % more users than in the previous month"),
    ],
)
def test_changes_in_words(earlier: int, change: float, words: str) -> None:
    report = october()
    previous = report.comparison.previous
    assert previous is not None
    figure = replace(previous.active_users, earlier=earlier, change=change)
    compared = replace(report.comparison, previous=replace(previous, active_users=figure))

    assert said(replace(report, comparison=compared)) == (
        f"{BASE}: {words} and as many as a year before."
    )


def test_no_data_and_no_activity() -> None:
    quiet = date(2026, 6, 1), date(2026, 6, 30)

    assert said(october(days=(date(2027, 1, 1), date(2027, 1, 31)))) == (
        "There is no data for January 2027."
    )
    assert said(october(days=quiet)) == "In June 2026, no user was active."
    assert said(october(days=quiet), (), "ada") == "In June 2026, ada was not active."
    assert said(october(days=quiet, start="2026-06-05 00:00")) == (
        "In June 2026, no user was active while data was collected."
    )


def test_a_day_a_term_and_other_days() -> None:
    day = (date(2026, 10, 5),) * 2
    assert said(october(days=day)).startswith("On 5 October 2026, 1 user was active")
    term = Term("Winter term 2026", date(2026, 9, 15), date(2026, 10, 20))
    of_term = october(days=(term.first, term.last), terms=[term])
    assert said(of_term, [term]).startswith(
        "In Winter term 2026 (15 September to 20 October 2026), 2 users were active"
    )
    assert (term_name(of_term, [term]), term_name(of_term)) == (term.name, "")
    assert said(of_term).startswith("From 15 September to 20 October 2026, 2 users were active")
    assert period_name(of_term) == "15 September to 20 October 2026"


def test_large_numbers_have_separators() -> None:
    report = october(comparison=NOTHING_COMPARED)
    whole = replace(
        report.whole, active_users=1234, server_seconds=12_345_678 * HOUR, sessions=9999
    )

    assert said(replace(report, whole=whole)) == (
        "In October 2026, 1,234 users were active and servers ran for 12,345,678.0 hours in 9,999"
        " sessions."
    )
