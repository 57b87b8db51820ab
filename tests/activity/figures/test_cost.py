from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity.small_hub import SmallHub, at, history, running, session, small_hubs
from tornado_service.activity.domain.prices import Prices
from tornado_service.activity.figures.comparison import comparison
from tornado_service.activity.figures.groups.roster import roster
from tornado_service.activity.figures.periods import period
from tornado_service.activity.figures.person import own_use
from tornado_service.activity.figures.servers.idle import idle_period
from tornado_service.activity.figures.servers.usage_by import Kind, usage_by
from tornado_service.activity.figures.users import groups, people
from tornado_service.activity.history.history import History

ZONE = "Europe/Berlin"
SUNDAY, MONDAY, TUESDAY, WEDNESDAY = (date(2026, 3, day) for day in (1, 2, 3, 4))
FLAT = Prices("EUR", 0.5)
BY_PROFILE = Prices("EUR", 0.5, "profile", {"gpu": 2.0, "free": 0.0})
BY_SERVER = Prices("EUR", 0.5, "server", {"work": 2.0})


def clock(text: str) -> int:
    return at(f"2026-03-{text}", ZONE)


@pytest.fixture
def data() -> History:
    """User 1 has a gpu over night, 2 two servers at a time, 3 one of which no profile is known."""
    return history(
        ZONE,
        [(clock("01 12:00"), clock("03 12:00"))],
        [
            session(1, clock("02 22:00"), clock("03 02:00"), "work")._replace(profile="gpu"),
            session(2, clock("02 09:00"), clock("02 10:00"))._replace(profile="free"),
            session(2, clock("02 09:30"), clock("02 11:00"), "work")._replace(profile=""),
            session(3, clock("01 13:00"), clock("01 15:00")),
            running(1, clock("03 11:00"), clock("03 12:00"), "")._replace(profile="gpu"),
        ],
    )


def costs(data: History, prices: Prices | None) -> list[float | None]:
    priced = replace(data, prices=prices, derived_cache=type(data.derived_cache)())
    return [period(priced, day, day).cost for day in (SUNDAY, MONDAY, TUESDAY, WEDNESDAY)]


def test_of_days(data: History) -> None:
    assert costs(data, None) == [None] * 4
    assert costs(data, FLAT) == [1.0, 0.5 * 4.5, 0.5 * 3, None]
    assert costs(data, BY_SERVER) == [1.0, 0.5 + 2 * 3.5, 2 * 2 + 0.5, None]
    # on Sunday, a profile is not known
    assert costs(data, BY_PROFILE) == [None, 2 * 2 + 0.5 * 1.5, 2 * 3, None]


def test_of_users_and_groups(data: History) -> None:
    priced = replace(data, prices=BY_PROFILE)
    days = (MONDAY, TUESDAY)

    assert {row.name: row.cost for row in people(priced, *days)} == {
        "user-1": 2 * 5,
        "user-2": 0.75,
        "user-3": 0.0,
    }
    [one, both] = groups(priced, *days, {"one": [2], "two": [1, 2]})
    assert (one.cost, both.cost) == (0.75, 10.75)
    assert {row.name: row.cost for row in people(priced, SUNDAY, TUESDAY)}["user-3"] is None
    assert groups(priced, SUNDAY, TUESDAY, {"all": [1, 3]})[0].cost is None
    assert [row.cost for row in people(priced, WEDNESDAY, WEDNESDAY)] == [None] * 3


def test_of_the_members_of_a_group(data: History) -> None:
    members = roster(
        replace(data, prices=FLAT), MONDAY, MONDAY, ["user-1", "user-2", "eve"]
    ).members

    assert {row.name: row.cost for row in members} == {
        "user-1": 1.0,
        "user-2": 1.25,
        "eve": 0.0,
    }


def test_of_sessions(data: History) -> None:
    sessions = own_use(replace(data, prices=BY_PROFILE).restricted({1}), MONDAY, TUESDAY).sessions

    assert [one.cost for one in sessions] == [2.0, 8.0]
    own = own_use(replace(data, prices=BY_PROFILE).restricted({3}), SUNDAY, TUESDAY).sessions
    assert [one.cost for one in own] == [None]


@pytest.mark.parametrize(
    ("kind", "prices", "expected"),
    [
        ("profile", BY_PROFILE, {"gpu": 10.0, "": 0.75, "free": 0.0, None: None}),
        ("profile", BY_SERVER, {"gpu": 2 * 4 + 0.5, "": 3.0, "free": 0.5, None: 1.0}),
        ("server", BY_SERVER, {"work": 2 * 5.5, "": 0.5 * 4}),
        ("server", BY_PROFILE, {"work": 2 * 4 + 0.75, "": None}),
        ("server", None, {"work": None, "": None}),
    ],
    ids=str,
)
def test_by_profile_and_by_server_name(
    data: History, kind: Kind, prices: Prices | None, expected: dict[str | None, float | None]
) -> None:
    whole = usage_by(replace(data, prices=prices), SUNDAY, TUESDAY, "days", kind).whole

    assert {row.name: row.cost for row in whole.usage or ()} == expected


def test_of_the_servers_whose_idle_time_is_shown(data: History) -> None:
    assert idle_period(replace(data, prices=FLAT), MONDAY, TUESDAY).cost == 0.5 * 7.5


def test_its_change_from_the_period_before() -> None:
    data = history(
        ZONE,
        [(clock("01 00:00"), clock("04 00:00"))],
        [
            session(1, clock("02 10:00"), clock("02 12:00")),
            session(1, clock("03 10:00"), clock("03 15:00")),
        ],
    )
    compared = comparison(replace(data, prices=FLAT), TUESDAY, TUESDAY).previous

    assert compared is not None
    assert vars(compared.cost) == {"value": 2.5, "earlier": 1.0, "change": 1.5}


def test_without_the_sessions_of_a_day_only_one_price_for_all_is_enough(data: History) -> None:
    kept = replace(data, sessions_from=clock("02 23:00"))

    assert costs(kept, BY_SERVER)[1] is None
    assert costs(kept, BY_SERVER)[2] == 4.5
    assert costs(kept, FLAT)[1] == 2.25
    priced = replace(kept, prices=BY_SERVER)
    assert {row.cost for row in people(priced, MONDAY, MONDAY) if row.server_seconds} == {None}


def test_a_session_that_changes_is_priced_again(data: History) -> None:
    priced = replace(data, prices=BY_PROFILE)
    assert period(priced, MONDAY, TUESDAY).cost == 10.75
    later = priced.updated(
        now=data.now,
        people=data.people.values(),
        coverage=data.coverage,
        observed_from=data.observed_from,
        sessions=[session(2, clock("02 09:00"), clock("02 10:00"))._replace(profile="gpu")],
    )

    assert period(later, MONDAY, TUESDAY).cost == 12.75


@given(small_hubs(), st.sampled_from([FLAT, BY_SERVER, Prices("x", 0, "server", {"": 3.0})]))
def test_users_profiles_and_days_add_up_to_the_period(hub: SmallHub, prices: Prices) -> None:
    data = replace(hub.history(), prices=prices)
    whole = period(data, hub.first, hub.last).cost
    if whole is None:
        return

    by_user = [row.cost or 0 for row in people(data, hub.first, hub.last)]
    by_name = usage_by(data, hub.first, hub.last, "days", "server").whole.usage or ()
    assert sum(by_user) == pytest.approx(whole, abs=0.001)
    assert sum(row.cost or 0 for row in by_name) == pytest.approx(whole, abs=0.001)
