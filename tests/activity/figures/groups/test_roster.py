"""Rosters: who never came, who was last active when, and on which days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity.small_hub import SmallHub, at, history, session, small_hubs
from tornado_service.activity.access.queries import RosterQuery
from tornado_service.activity.domain.records import Account, Visit
from tornado_service.activity.figures.groups.roster import RosterMember, roster, strip_days
from tornado_service.activity.figures.users import people

ZONE = "Europe/Berlin"
HOUR = 3600
START, NOW = at("2026-05-01 00:00", ZONE), at("2026-05-08 12:00", ZONE)
WEEK = date(2026, 5, 1), date(2026, 5, 7)


def noon(day: int) -> int:
    return at(f"2026-05-{day:02} 12:00", ZONE)


def small(**more: object) -> object:
    return history(
        ZONE,
        [(START, noon(3)), (at("2026-05-05 00:00", ZONE), NOW)],
        [session(1, noon(1), noon(1) + HOUR), session(1, noon(6), noon(6) + 2 * HOUR)],
        people=[
            Account(1, "ada", START),
            Account(2, "bob", START),
            Account(3, "cy", START, last_activity=at("2026-04-20 12:00", ZONE)),
            Account(4, "dee", START, deleted=noon(6)),
        ],
        visits=[Visit(2, noon(5) // HOUR)],
        **more,
    )


def test_members_who_never_came_are_first_then_the_longest_inactive() -> None:
    data = small()

    result = roster(data, *WEEK, ["ada", "bob", "cy", "zoe", "Eve"])

    assert (result.strip_first, result.strip_last) == WEEK
    assert result.as_of is not None
    never = {"never_active": True, "last_active": None, "days_inactive": None}
    assert result.members == (
        # the fourth has no data
        RosterMember("Eve", False, **never, active_days=0, server_seconds=0, strip="...?..."),
        RosterMember("zoe", False, **never, active_days=0, server_seconds=0, strip="...?..."),
        RosterMember("cy", True, False, date(2026, 4, 20), 18, 0, 0, "...?..."),
        RosterMember("bob", True, False, date(2026, 5, 5), 3, 1, 0, "...?a.."),
        RosterMember("ada", True, False, date(2026, 5, 6), 2, 2, 3 * HOUR, "a..?.a."),
    )


def test_the_name_of_a_deleted_account_is_that_of_a_new_user() -> None:
    data = small()

    [dee] = roster(data, *WEEK, ["dee"]).members

    assert dee.never_active
    assert dee.active_days == 0


@pytest.mark.parametrize(
    "days", [(date(2025, 5, 1), date(2025, 5, 3)), (date(2027, 5, 1), date(2027, 5, 3))]
)
def test_without_data_the_period_is_not_known_and_the_last_activity_is(
    days: tuple[date, date],
) -> None:
    [ada] = roster(small(), *days, ["ada"]).members

    assert (ada.active_days, ada.server_seconds, ada.strip) == (None, None, "???")
    assert ada.last_active == date(2026, 5, 6)


@pytest.mark.parametrize(
    ("first", "last", "strip"),
    [
        ((2026, 5, 1), (2026, 5, 1), ((2026, 5, 1), (2026, 5, 1))),
        ((2026, 3, 1), (2026, 5, 1), ((2026, 3, 1), (2026, 5, 1))),  # 62 days
        ((2026, 2, 28), (2026, 5, 1), ((2026, 4, 4), (2026, 5, 1))),
        ((2026, 2, 1), (2026, 12, 31), ((2026, 4, 11), (2026, 5, 8))),
        ((2026, 6, 1), (2026, 12, 31), ((2026, 6, 1), (2026, 6, 28))),
    ],
)
def test_the_strip_has_the_period_or_the_last_28_days_of_it_up_to_today(
    first: tuple, last: tuple, strip: tuple
) -> None:
    expected = tuple(date(*day) for day in strip)

    assert strip_days(date(*first), date(*last), date(2026, 5, 8)) == expected


def names(query: str | None = None, **more: object) -> list[str]:
    rows = roster(small(), *WEEK, ["ada", "bob", "cy", "Eve"]).members
    fields = {"sort": query} if query else {}
    return [row.name for row in RosterQuery.model_validate(fields | more).select(rows)]


def test_the_orders_and_the_filters() -> None:
    assert names() == ["Eve", "cy", "bob", "ada"]
    assert names("inactive") == ["ada", "bob", "cy", "Eve"]
    assert names("name") == ["ada", "bob", "cy", "Eve"]
    assert names("-hours") == ["ada", "bob", "cy", "Eve"]
    assert names("-days") == ["ada", "bob", "cy", "Eve"]
    assert names(inactive_since=date(2026, 5, 6)) == ["Eve", "cy", "bob"]
    assert names(inactive_since=date(2026, 5, 7)) == ["Eve", "cy", "bob", "ada"]
    assert names(inactive_since=date(2026, 4, 20)) == ["Eve"]
    assert names(q="E") == ["Eve"]


@given(small_hubs(), st.integers(0, 5))
def test_a_roster_agrees_with_the_table_of_users(hub: SmallHub, days: int) -> None:
    data = hub.history()
    first = hub.first + timedelta(days)
    rows = {row.name: row for row in people(data, first, hub.last) if row.deleted is None}

    result = roster(data, first, hub.last, [*rows, "nobody"])

    assert {member.name for member in result.members} == {*rows, "nobody"}
    for member in result.members:
        if row := rows.get(member.name):
            assert (member.last_active, member.active_days, member.server_seconds) == (
                row.last_active, row.active_days, row.server_seconds,
            )  # fmt: skip
            # a session may have run through days without data
            assert member.strip.count("a") <= member.active_days
