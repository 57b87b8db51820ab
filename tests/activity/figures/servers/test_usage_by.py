from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity.small_hub import SmallHub, at, history, running, session, small_hubs
from tornado_service.activity.figures.periods import period
from tornado_service.activity.figures.servers.usage_by import Kind, NamedUsage, usage_by
from tornado_service.activity.history.history import History

ZONE = "Europe/Berlin"
SUNDAY, MONDAY, TUESDAY, WEDNESDAY = (date(2026, 3, day) for day in (1, 2, 3, 4))
HOUR = 3600
USERS = st.sets(st.integers(1, 5))
KINDS = st.sampled_from(["profile", "server"])


def clock(text: str) -> int:
    return at(f"2026-03-{text}", ZONE)


@pytest.fixture
def data() -> History:
    """Ada has a gpu over night, Bob two servers at a time, Cy's began before the gap."""
    return history(
        ZONE,
        [(clock("01 12:00"), clock("03 12:00"))],
        [
            session(1, clock("02 22:00"), clock("03 02:00"), "work")._replace(profile="gpu"),
            session(2, clock("02 09:00"), clock("02 10:00"))._replace(profile="small"),
            session(2, clock("02 09:30"), clock("02 11:00"), "work")._replace(profile="gpu"),
            session(3, clock("02 09:00"), clock("02 12:00")),
            running(3, clock("03 11:00"), clock("03 12:00"), "")._replace(profile=""),
        ],
    )


def test_by_profile(data: History) -> None:
    figures = usage_by(data, SUNDAY, WEDNESDAY, "days", "profile")

    sunday, monday, tuesday, wednesday = figures.periods
    assert sunday.usage == ()
    assert monday.usage == (
        NamedUsage("gpu", 2 * HOUR + 5400, 2, 2),
        NamedUsage(None, 3 * HOUR, 1, 1),
        NamedUsage("small", HOUR, 1, 1),
    )
    assert tuesday.usage == (NamedUsage("gpu", 2 * HOUR, 0, 1), NamedUsage("", HOUR, 1, 1))
    assert wednesday.usage is None
    assert figures.whole.usage == (
        NamedUsage("gpu", 5 * HOUR + 1800, 2, 2),
        NamedUsage(None, 3 * HOUR, 1, 1),
        NamedUsage("", HOUR, 1, 1),
        NamedUsage("small", HOUR, 1, 1),
    )
    assert figures.weight == 5 + 5 + 4


def test_by_server_name_and_in_whole_weeks(data: History) -> None:
    figures = usage_by(data, MONDAY, TUESDAY, "weeks", "server")

    [week] = figures.periods
    assert (week.first, week.last) == (MONDAY, date(2026, 3, 8))
    assert (
        week.usage
        == figures.whole.usage
        == (
            NamedUsage("work", 5 * HOUR + 1800, 2, 2),
            NamedUsage("", 5 * HOUR, 3, 2),
        )
    )


def test_without_the_sessions_of_a_day_it_is_not_known(data: History) -> None:
    kept = replace(data, sessions_from=clock("02 23:00"))

    days = usage_by(kept, MONDAY, TUESDAY, "days", "server").periods
    assert [day.usage is None for day in days] == [True, False]
    assert usage_by(kept, MONDAY, TUESDAY, "weeks", "server").periods[0].usage is None


@given(small_hubs(), KINDS)
def test_they_add_up_to_all_usage(hub: SmallHub, kind: Kind) -> None:
    data = hub.history()

    for of_day in usage_by(data, hub.first, hub.last, "days", kind).periods:
        whole = period(data, of_day.first, of_day.last)
        if of_day.usage is None:
            assert whole.server_seconds is None
            continue
        assert sum(row.server_seconds for row in of_day.usage) == whole.server_seconds
        assert sum(row.sessions for row in of_day.usage) == whole.sessions
        assert max((row.active_users for row in of_day.usage), default=0) <= (
            whole.active_users or 0
        )


@given(small_hubs(), USERS, KINDS)
def test_the_usage_of_some_is_that_of_a_hub_with_only_them(
    hub: SmallHub, users: set[int], kind: Kind
) -> None:
    part, alone = hub.history().restricted(users), hub.history(users)

    assert usage_by(part, hub.first, hub.last, "weeks", kind) == usage_by(
        alone, hub.first, hub.last, "weeks", kind
    )


def test_a_session_that_changes_is_computed_again(data: History) -> None:
    assert usage_by(data, MONDAY, TUESDAY, "days", "server").weight

    later = data.updated(
        now=data.now,
        people=data.people.values(),
        coverage=data.coverage,
        observed_from=data.observed_from,
        sessions=[session(2, clock("02 09:00"), clock("02 18:00"))._replace(profile="small")],
    )
    fresh = replace(later, derived_cache=type(later.derived_cache)())

    assert later.derived_cache is data.derived_cache
    for kind in ("profile", "server"):
        assert usage_by(later, MONDAY, TUESDAY, "days", kind) == usage_by(
            fresh, MONDAY, TUESDAY, "days", kind
        )
