from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity.small_hub import SmallHub, at, history, session, small_hubs
from tornado_service.activity.domain.records import Account, Visit
from tornado_service.activity.figures.periods import period
from tornado_service.activity.figures.users import (
    GroupUse,
    PersonRow,
    groups,
    never_returned,
    new_users,
    people,
    people_counts,
    returning,
)
from tornado_service.activity.history.history import History

HOUR = 3600
ZONE = "Europe/Berlin"
START = at("2026-01-01 00:00", ZONE)
NOW = at("2026-06-01 12:00", ZONE)
MAY = date(2026, 5, 1), date(2026, 5, 31)


def on(day: str, user: int, hours: float = 1) -> object:
    """A session at noon."""
    noon = at(f"{day} 12:00", ZONE)
    return session(user, noon, noon + int(hours * HOUR))


def hub(sessions: list, people: list[Account], **more: object) -> History:
    return history(ZONE, [(START, NOW)], sessions, people=people, **more)


def rows_by_id(data: History) -> dict[int, PersonRow]:
    return dict(zip(sorted(data.people), people(data, *MAY), strict=True))


def row(data: History, user: int) -> PersonRow:
    return rows_by_id(data)[user]


def test_a_user_in_a_period() -> None:
    data = hub(
        [on("2026-04-30", 1), on("2026-05-02", 1), on("2026-05-02", 1, 2), on("2026-05-09", 1)],
        [Account(1, "ada", START)],
    )

    assert row(data, 1) == PersonRow(
        "ada",
        arrived=None,
        last_active=date(2026, 5, 9),
        active_days=2,
        server_seconds=4 * HOUR,
        sessions=3,
        is_new=False,
        is_returning=True,
        never_returned=False,
        deleted=None,
        is_away=False,
        is_earlier=False,
    )


def test_all_users_are_listed_also_those_without_usage() -> None:
    data = hub([], [Account(2, "bob", START), Account(1, "ada", START)])

    assert [(row.name, row.active_days) for row in people(data, *MAY)] == [
        ("ada", 0),
        ("bob", 0),
    ]


@pytest.mark.parametrize(
    ("person", "is_new"),
    [
        (Account(1, "a", first_seen=at("2026-05-01 00:00", ZONE)), True),
        (Account(1, "a", first_seen=at("2026-05-31 23:59", ZONE)), True),
        (Account(1, "a", first_seen=at("2026-04-30 23:59", ZONE)), False),
        (Account(1, "a", first_seen=at("2026-06-01 00:00", ZONE)), False),
        (
            Account(1, "a", at("2026-05-02 00:00", ZONE), created=at("2026-04-01 00:00", ZONE)),
            False,
        ),
        (Account(1, "a", at("2026-06-01 00:10", ZONE), created=at("2026-05-31 23:59", ZONE)), True),
    ],
)
def test_new_users_are_those_who_arrived_in_the_period(person: Account, is_new: bool) -> None:
    assert new_users(hub([], [person]), *MAY) == ({1} if is_new else set())


def test_a_user_of_the_first_sample_is_not_new() -> None:
    january = date(2026, 1, 1), date(2026, 1, 31)
    people = [Account(1, "a", START), Account(2, "b", START + 60, created=START + 60)]

    assert new_users(hub([], people), *january) == {2}
    assert people_counts(hub([], people), *january).new == 1


def test_accounts_and_new_users_are_unknown_before_all_users_were_listed() -> None:
    listed = at("2026-05-10 12:00", ZONE)
    people = [
        Account(1, "seen with a server", START),
        Account(2, "there in the first list", listed),
        Account(3, "created before it", listed, created=at("2026-05-02 00:00", ZONE)),
        Account(4, "seen later", listed + HOUR),
    ]
    data = replace(hub([], people), listed_from=listed)

    before = people_counts(data, date(2026, 5, 1), date(2026, 5, 9))
    assert (before.accounts, before.new) == (None, None)
    of_may = people_counts(data, *MAY)
    assert (of_may.accounts, of_may.new) == (4, 2)


def test_returning_users_were_active_in_the_period_and_before_it() -> None:
    data = hub(
        [
            *(on("2026-04-30", 1), on("2026-05-01", 1)),
            *(on("2026-05-01", 2), on("2026-05-03", 2)),
            *(on("2026-01-02", 3), on("2026-06-01", 3)),
        ],
        [Account(user, str(user), START) for user in (1, 2, 3)],
    )

    assert returning(data, *MAY) == {1}
    assert people_counts(data, *MAY).returning == 1
    assert people_counts(data, date(2026, 1, 1), date(2026, 1, 31)).returning is None


def test_never_returned_users_were_active_once_long_ago() -> None:
    came = at("2026-03-02 11:00", ZONE)
    data = hub(
        [on("2026-03-02", user) for user in (1, 2, 3, 4, 5)]
        + [on("2026-03-04", 2), on("2026-05-31", 6)],
        [
            Account(1, "came once", came),
            Account(2, "came again", came),
            Account(3, "was there before", START),
            Account(4, "may have come before", came, created=START - 1),
            Account(5, "deleted", came, deleted=at("2026-04-03 00:00", ZONE)),
            Account(6, "still has time", at("2026-05-31 00:00", ZONE)),
            Account(7, "never came at all", came),
        ],
    )

    assert never_returned(data, date(2026, 6, 1)) == {1}
    assert never_returned(data, date(2026, 4, 1)) == frozenset()
    assert never_returned(data, date(2026, 4, 2)) == {1, 5}
    assert never_returned(data, date(2026, 4, 3)) == {1}
    assert [id_ for id_, row in rows_by_id(data).items() if row.never_returned] == [1]
    assert people_counts(data, *MAY).never_returned == 1


def test_a_user_with_two_visits_on_one_day_has_not_returned() -> None:
    came = at("2026-03-02 00:00", ZONE)
    twice = [on("2026-03-02", 1), session(1, came, came + 60)]

    assert never_returned(hub(twice, [Account(1, "a", came)]), date(2026, 6, 1)) == {1}


def test_never_returned_is_unknown_before_a_month_of_data() -> None:
    data = hub([], [])

    assert people_counts(data, date(2026, 1, 1), date(2026, 1, 31)).never_returned is None
    assert people_counts(data, date(2026, 1, 1), date(2026, 2, 1)).never_returned == 0


def test_accounts_are_those_at_the_end_of_the_range() -> None:
    june = at("2026-06-01 00:00", ZONE)
    data = hub(
        [],
        [
            Account(1, "a", START),
            Account(2, "b", START, deleted=june - 1),
            Account(3, "c", START, deleted=june),
            Account(4, "d", june),
        ],
    )

    assert people_counts(data, *MAY).accounts == 2


def test_last_active_is_what_is_known_or_what_the_hub_reports() -> None:
    late = at("2026-05-30 23:30", ZONE)
    data = hub(
        [on("2026-02-02", 1), on("2026-02-02", 2)],
        [
            Account(1, "a", START, last_activity=at("2026-02-01 10:00", ZONE)),
            Account(2, "b", START, last_activity=late),
            Account(3, "c", START, last_activity=START - 30 * 86400),
            Account(4, "d", START),
            Account(5, "e", START, last_activity=START, deleted=late),
        ],
    )

    assert {id_: (row.last_active, row.is_away) for id_, row in rows_by_id(data).items()} == {
        1: (date(2026, 2, 2), True),
        2: (date(2026, 5, 30), False),
        3: (date(2025, 12, 2), True),
        4: (None, False),
        5: (date(2026, 1, 1), False),
    }


def test_a_user_is_inactive_after_90_days() -> None:
    today = date(2026, 6, 1)
    days = {1: today - timedelta(days=90), 2: today - timedelta(days=91)}
    data = hub(
        [on(str(day), user) for user, day in days.items()],
        [Account(user, str(user), START) for user in days],
    )

    assert [row.is_away for row in people(data, *MAY)] == [False, True]


def test_groups_by_name_and_no_user_counts_twice_in_one() -> None:
    data = hub(
        [on("2026-05-02", 1), on("2026-05-03", 1), on("2026-05-03", 2, 3), on("2026-04-01", 3)],
        [Account(user, str(user), START) for user in (1, 2, 3)],
        visits=[Visit(3, at("2026-05-04 12:00", ZONE) // HOUR)],
    )

    assert groups(data, *MAY, {"b": {2, 3, 99}, "a": [1, 2], "c": ()}) == [
        GroupUse("a", 2, active_users=2, server_seconds=5 * HOUR, sessions=3),
        GroupUse("b", 3, active_users=2, server_seconds=3 * HOUR, sessions=1),
        GroupUse("c", 0, active_users=0, server_seconds=0, sessions=0),
    ]
    assert groups(data, date(2025, 5, 1), date(2025, 5, 2), {"a": {1}}) == [
        GroupUse("a", 1, active_users=None, server_seconds=None, sessions=None)
    ]


def test_rows_of_a_view_are_its_users_only() -> None:
    data = hub(
        [on("2026-05-02", 1), on("2026-05-03", 2)], [Account(1, "a", START), Account(2, "b", START)]
    )

    assert [row.name for row in people(data.restricted({2}), *MAY)] == ["b"]
    assert people_counts(data.restricted({2}), *MAY).accounts == 1


@given(small_hubs(), st.integers(0, 5))
def test_users_add_up_to_the_period(hub: SmallHub, days: int) -> None:
    data = hub.history()
    first = hub.first + timedelta(days=days)
    rows = people(data, first, hub.last)
    total = period(data, first, hub.last)
    counts = people_counts(data, first, hub.last)

    assert sum(row.active_days > 0 for row in rows) == total.active_users
    assert sum(row.server_seconds for row in rows) == total.server_seconds
    assert sum(row.sessions for row in rows) == total.sessions
    assert sum(row.is_new for row in rows) == counts.new
    if counts.returning is not None:
        assert sum(row.is_returning for row in rows) == counts.returning
    [group] = groups(data, first, hub.last, {"all": range(1, 6)})
    assert (group.active_users, group.server_seconds) == (total.active_users, total.server_seconds)
