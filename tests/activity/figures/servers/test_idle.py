from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity.small_hub import at, history, running, session
from tornado_service.activity.domain.idle import ObservedTimes
from tornado_service.activity.domain.records import Interval
from tornado_service.activity.figures.servers.idle import IdlePeriod, idle_period, idle_time
from tornado_service.activity.history.history import History

ZONE = "Europe/Berlin"
MONDAY, TUESDAY, WEDNESDAY = (date(2026, 3, day) for day in (2, 3, 4))
HOUR = 3600


def clock(text: str) -> int:
    return at(f"2026-03-{text}", ZONE)


def times(user: int, observed: str, idle: str = "") -> ObservedTimes:
    """Intervals such as ``02 09:00 to 02 10:00``."""
    return ObservedTimes(
        user,
        *(
            [Interval(*map(clock, text.split(" to ")))] if text else []  # one each
            for text in (observed, idle)
        ),
    )


@pytest.fixture
def nights() -> History:
    """Ada's server runs past midnight and is idle from 23:00 on; Bob's is still running."""
    return history(
        ZONE,
        [(clock("02 00:00"), clock("03 12:00"))],
        [
            session(1, clock("02 22:00"), clock("03 02:00")),
            running(2, clock("03 10:00"), clock("03 12:00")),
        ],
        observed=[
            times(1, "02 22:05 to 03 02:00", "02 23:00 to 03 02:00"),
            times(2, "03 10:10 to 03 12:00"),
        ],
    )


def test_a_night_is_of_both_days(nights: History) -> None:
    figures = idle_time(nights, MONDAY, WEDNESDAY, "days")

    assert figures.periods == (
        IdlePeriod(MONDAY, MONDAY, 1.0, True, False, 2 * HOUR, 6900, HOUR, HOUR / 6900),
        IdlePeriod(TUESDAY, TUESDAY, 0.5, False, False, 4 * HOUR, 13_800, 2 * HOUR, 7200 / 13_800),
        IdlePeriod(WEDNESDAY, WEDNESDAY, 0.0, False, False),
    )
    assert figures.whole.idle_share == 3 * HOUR / (6900 + 13_800)
    assert figures.zone == ZONE


def test_they_are_of_the_users_whose_history_it_is(nights: History) -> None:
    bob = idle_period(nights.restricted({2}), MONDAY, TUESDAY)

    assert (bob.server_seconds, bob.observed_seconds, bob.idle_share) == (2 * HOUR, 6600, 0)
    assert idle_period(nights.restricted({2}), MONDAY, MONDAY) == IdlePeriod(
        MONDAY, MONDAY, 1.0, True, False, 0, 0, None, None
    )


def test_what_is_not_known_is_not_zero() -> None:
    before = history(
        "UTC", [(0, 2 * 86400)], [session(1, HOUR, 5 * HOUR)], observed=[]
    )  # as an earlier version kept it

    day = idle_period(before, date(1970, 1, 1), date(1970, 1, 1))
    assert (day.server_seconds, day.observed_seconds) == (4 * HOUR, 0)
    assert (day.idle_seconds, day.idle_share) == (None, None)


@given(st.integers(0, 86400), st.integers(0, 200_000), st.integers(0, 200_000))
def test_days_add_up(start: int, length: int, idle: int) -> None:
    end = start + length
    since = min(end, start + idle)
    data = history(
        ZONE,
        [(0, 400_000)],
        [session(1, start, end)],
        observed=[
            ObservedTimes(1, [Interval(start, end)], [Interval(since, end)] if since < end else [])
        ],
    )
    figures = idle_time(data, date(1970, 1, 1), date(1970, 1, 5), "days")

    assert sum(day.observed_seconds or 0 for day in figures.periods) == length
    assert sum(day.idle_seconds or 0 for day in figures.periods) == end - since
    assert figures.whole.observed_seconds == figures.whole.server_seconds == length
