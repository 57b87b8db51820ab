from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given

from tests.support.activity.small_hub import SmallHub, at, history, running, session, small_hubs
from tornado_service.activity.domain.calendar import date_range
from tornado_service.activity.domain.prices import Prices
from tornado_service.activity.figures.periods import windows
from tornado_service.activity.figures.user_costs import costs_of_users
from tornado_service.activity.history.history import History

BY_PROFILE = Prices("EUR", 0.5, "profile", {"gpu": 2.0})
BY_SERVER = Prices("EUR", 0.25, "server", {"": 1.0, "a": 3.0})
HOUR = 3600
FEBRUARY = date(2026, 2, 1), date(2026, 2, 28)
TO_MARCH_2 = date(2026, 1, 31), date(2026, 3, 2)


def clock(text: str) -> int:
    return at(f"2026-{text}")


@pytest.fixture
def data() -> History:
    """User 1 has a gpu over the end of February, and one now; 3's profile is not known."""
    return replace(
        history(
            "UTC",
            [(clock("01-31 00:00"), clock("03-02 12:00"))],
            [
                session(1, clock("02-28 22:00"), clock("03-01 02:00"))._replace(profile="gpu"),
                session(2, clock("02-10 09:00"), clock("02-10 11:00"))._replace(profile=""),
                session(3, clock("03-01 09:00"), clock("03-01 10:00")),
                running(1, clock("03-02 11:00"), clock("03-02 12:00"))._replace(profile="gpu"),
            ],
        ),
        prices=BY_PROFILE,
    )


def test_of_a_whole_month_and_of_days_around_it(data: History) -> None:
    assert costs_of_users(data, *FEBRUARY, {1: 2 * HOUR, 2: 2 * HOUR}) == {1: 4.0, 2: 1.0}
    seconds = {1: 5 * HOUR, 2: 2 * HOUR, 3: HOUR}
    assert costs_of_users(data, *TO_MARCH_2, seconds) == {1: 10.0, 2: 1.0, 3: None}
    assert costs_of_users(data, *TO_MARCH_2, {}) == {}


def test_without_prices_or_with_one_for_all(data: History) -> None:
    assert costs_of_users(replace(data, prices=None), *FEBRUARY, {1: HOUR}) == {1: None}
    flat = replace(data, prices=Prices("EUR", 0.5))
    assert costs_of_users(flat, *TO_MARCH_2, {1: 5 * HOUR, 3: HOUR}) == {1: 2.5, 3: 0.5}


def test_a_month_is_priced_again_when_one_of_its_sessions_changes(data: History) -> None:
    assert costs_of_users(data, *FEBRUARY, {2: 2 * HOUR}) == {2: 1.0}
    later = data.updated(
        now=data.now,
        people=data.people.values(),
        coverage=data.coverage,
        observed_from=data.observed_from,
        sessions=[session(2, clock("02-10 09:00"), clock("02-10 11:00"))._replace(profile="gpu")],
    )

    assert costs_of_users(later, *FEBRUARY, {2: 2 * HOUR}) == {2: 4.0}


@given(small_hubs())
def test_is_the_sum_of_the_sessions_whatever_the_months(hub: SmallHub) -> None:
    data = replace(hub.history(), prices=BY_SERVER)
    [*months] = windows("months", hub.first, hub.last)
    days = months[0][0], months[-1][1]
    seconds: Counter[int] = Counter()
    expected: Counter[int] = Counter()
    for day in date_range(*days):
        bounds = data.span(day, day)
        for one in data.sessions:
            ran = min(one.end, bounds.end) - max(one.started, bounds.start)
            if ran > 0:
                seconds[one.user] += ran
                expected[one.user] += ran * BY_SERVER.named.get(one.server, 0.25)

    for _ in range(2):  # the second time from the cache
        costs = costs_of_users(data, *days, seconds)
        assert costs == pytest.approx(
            {user: amount / HOUR for user, amount in expected.items()}, abs=0.0001
        )
