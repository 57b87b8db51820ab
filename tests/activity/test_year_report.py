"""The report of a period of a scripted hub equals the script's own ledger."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace
from datetime import date

import pytest

from tests.support.activity.ledger import ONE_DAY
from tests.support.activity.played import Played, months
from tornado_service.activity.domain.prices import Prices
from tornado_service.activity.figures.periods import Period
from tornado_service.activity.figures.reports.report import report
from tornado_service.activity.history.cache import DerivedCache

PRICES = Prices("EUR", 0.3, "server", {"": 1.1})


def month_before(month: date) -> date:
    return (month - ONE_DAY).replace(day=1)


def assert_equal(played: Played, figures: Period) -> None:
    expected = played.ledger.period(figures.first, figures.last)
    if expected is None:
        assert (figures.share, figures.active_users, figures.cost) == (0, None, None)
        return
    for name, value in expected.items():
        assert getattr(figures, name) == pytest.approx(value), (figures.first, name)
    cost = played.ledger.cost(PRICES, figures.first, figures.last)
    assert figures.cost == pytest.approx(cost, abs=0.001)


def test_the_report_of_each_month_of_a_year(year: Played) -> None:
    history = replace(year.history, prices=PRICES, derived_cache=DerivedCache())
    who = {name: year.ledger.group(name) for name in ("class-a", "class-b", "class-c")}
    ids = {name: year.ids(members) for name, members in who.items()}
    known = 0
    for first, last in months(year):
        figures = report(history, first, last, "weeks", (), ids)
        assert_equal(year, figures.whole)
        expected = first
        for month in reversed((*figures.months_before, *figures.months)):
            end = expected.replace(day=monthrange(expected.year, expected.month)[1])
            assert (month.first, month.last) == (expected, end)
            assert_equal(year, month)
            known += month.server_seconds is not None
            expected = month_before(expected)
        hours = [year.ledger.seconds(first, last, who[group.name]) for group in figures.groups]
        assert [group.server_seconds for group in figures.groups] == hours
        assert hours == sorted(hours, reverse=True)
        for group in figures.groups:
            active = year.ledger.active_users(first, last) & who[group.name]
            assert (group.members, group.active_users) == (len(who[group.name]), len(active))
        assert figures.people.new == len(year.ledger.new(first, last))
        assert figures.people.accounts == year.ledger.accounts(last)
        for name, value in year.ledger.lengths(first, last).items():
            assert getattr(figures.lengths, name) == pytest.approx(value), (first, name)
        assert figures.comparison.previous is not None or first == year.last.replace(day=1)
    assert known > 60


def test_the_report_of_the_whole_year(year: Played) -> None:
    history = replace(year.history, prices=PRICES, derived_cache=DerivedCache())
    figures = report(history, year.first, year.last, "months")

    assert_equal(year, figures.whole)
    for month in figures.periods:
        assert_equal(year, month)
    assert figures.months[-1].first == year.last.replace(day=1)
