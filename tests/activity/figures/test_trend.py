from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity.small_hub import SmallHub, at, history, session, small_hubs
from tornado_service.activity.domain.calendar import date_range
from tornado_service.activity.domain.records import Account
from tornado_service.activity.figures.periods import period
from tornado_service.activity.figures.trend import TrendDay, new_in_units, trend
from tornado_service.activity.figures.users import people_counts
from tornado_service.activity.history.history import History

START = "2026-03-01 00:00"


def hub(now: str = "2026-04-03 12:00", *, gap: tuple[str, str] | None = None) -> History:
    """Data since 1 March 2026: ada works on each weekday, bob on Mondays, cy came on 20 March."""
    end = at(now)
    sessions = []
    for day in date_range(date(2026, 3, 1), date(2026, 4, 3)):
        start = at(f"{day} 09:00")
        users = [1] * (day.weekday() < 5) + [2] * (day.weekday() == 0)
        sessions += [session(user, start, start + 3600) for user in users if start + 3600 < end]
    people = [
        Account(1, "ada", at(START)),
        Account(2, "bob", at(START)),
        Account(3, "cy", at("2026-03-20 08:00")),
    ]
    coverage = [(at(START), end)]
    if gap:
        coverage = [(at(START), at(gap[0])), (at(gap[1]), end)]
    return history("UTC", coverage, sessions, people=people)


def row(data: History, text: str) -> TrendDay:
    day = date.fromisoformat(text)
    [found] = trend(data, day, day).days
    assert found.day == day
    return found


def test_a_day_with_data_for_the_30_days_up_to_it() -> None:
    tuesday = row(hub(), "2026-03-31")

    assert (tuesday.share, tuesday.is_over) == (1.0, True)
    assert (tuesday.daily_active_users, tuesday.weekly_active_users) == (1, 2)
    assert tuesday.monthly_active_users == 2
    lower_bounds = (tuesday.daily_at_least, tuesday.weekly_at_least, tuesday.monthly_at_least)
    assert lower_bounds == (False, False, False)
    assert tuesday.daily_average_7 == (5 + 1) / 7
    assert tuesday.stickiness == (22 + 5) / 30 / 2
    assert tuesday.new_users == 0
    assert row(hub(), "2026-03-20").new_users == 1


def test_before_30_days_of_data_monthly_users_are_a_lower_bound() -> None:
    friday = row(hub(), "2026-03-27")

    assert (friday.monthly_active_users, friday.monthly_at_least) == (2, True)
    assert friday.stickiness is None
    assert friday.daily_average_7 == (5 + 1) / 7


def test_today_has_counts_so_far_and_no_averages() -> None:
    today = row(hub(), "2026-04-03")

    assert not today.is_over
    assert today.daily_active_users == 1
    assert today.monthly_active_users == 2
    assert not today.daily_at_least
    assert today.daily_average_7 is None
    assert today.stickiness is None


@pytest.mark.parametrize("day", ["2026-02-28", "2025-03-01", "2026-06-01"])
def test_nothing_is_known_of_days_without_data(day: str) -> None:
    figures = row(hub(), day)

    counts = (
        figures.daily_active_users, figures.weekly_active_users, figures.monthly_active_users,
        figures.daily_average_7, figures.stickiness, figures.new_users,
    )  # fmt: skip
    assert counts == (None,) * 6


def test_a_day_in_a_gap_has_no_figure_of_its_own() -> None:
    figures = row(hub(gap=("2026-03-24 00:00", "2026-03-25 12:00")), "2026-03-24")

    assert (figures.share, figures.daily_active_users) == (0.0, None)
    assert (figures.weekly_active_users, figures.weekly_at_least) == (2, True)
    assert figures.daily_average_7 is None


def test_averages_leave_out_days_without_data() -> None:
    # 36 hours are 5 % of 30 days
    figures = row(hub(gap=("2026-03-24 00:00", "2026-03-25 12:00")), "2026-03-31")
    assert figures.stickiness == pytest.approx((21 + 5) / 29 / 2)

    too_long = row(hub(gap=("2026-03-24 00:00", "2026-03-25 13:00")), "2026-03-31")
    assert too_long.stickiness is None


def test_without_active_users_there_is_no_ratio() -> None:
    data = history("UTC", [(at(START), at("2026-05-01 00:00"))])

    figures = row(data, "2026-04-15")

    assert (figures.monthly_active_users, figures.daily_average_7) == (0, 0.0)
    assert figures.stickiness is None


def test_weeks_and_months_end_with_a_day_that_is_over() -> None:
    weeks = trend(hub(), date(2026, 3, 18), date(2026, 4, 20), "weeks").days
    months = trend(hub(), date(2026, 3, 18), date(2026, 4, 20), "months").days

    assert [str(day.day) for day in weeks] == [
        "2026-03-22", "2026-03-29", "2026-04-02", "2026-04-06", "2026-04-13", "2026-04-20",
    ]  # fmt: skip
    assert [str(day.day) for day in months] == ["2026-03-31", "2026-04-02"]
    assert new_in_units(hub(), date(2026, 3, 18), date(2026, 4, 1), "weeks") == [1, 0, 0]


def test_a_trend_is_json() -> None:
    figures = trend(hub(), date(2026, 3, 30), date(2026, 3, 31))

    text = json.loads(json.dumps(asdict(figures), default=str))
    assert (text["zone"], text["days"][0]["daily_active_users"]) == ("UTC", 2)


@given(small_hubs(), st.booleans())
def test_counts_are_those_of_the_periods(hub: SmallHub, some: bool) -> None:
    data = hub.history()
    if some:
        data = data.restricted({1, 3})
    for figures in trend(data, hub.first, hub.last).days:
        day = figures.day
        for length, count, at_least in (
            (1, figures.daily_active_users, figures.daily_at_least),
            (7, figures.weekly_active_users, figures.weekly_at_least),
            (30, figures.monthly_active_users, figures.monthly_at_least),
        ):
            expected = period(data, day - timedelta(days=length - 1), day)
            assert (count, at_least) == (expected.active_users, expected.at_least)
        assert figures.new_users == people_counts(data, day, day).new
