"""Groups next to each other: each by its own members, all together with each user once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity.small_hub import SmallHub, at, history, session, small_hubs
from tornado_service.activity.figures.durations import lengths
from tornado_service.activity.figures.groups.comparison import compare_groups
from tornado_service.activity.figures.periods import period, periods
from tornado_service.activity.figures.users import groups, people_counts
from tornado_service.activity.history.history import History

HOUR = 3600
MONDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 8)


def at_hour(day: int, hour: int) -> int:
    return at(f"2026-03-{day:02} {hour:02}:00")


@pytest.fixture(scope="module")
def data() -> History:
    return history(
        "UTC",
        [(at_hour(2, 0), at_hour(7, 0))],
        [
            session(1, at_hour(2, 9), at_hour(2, 12)),
            session(2, at_hour(2, 10), at_hour(2, 11)),
            session(2, at_hour(4, 10), at_hour(4, 16)),
            session(3, at_hour(4, 23), at_hour(5, 1)),
        ],
    )


def test_a_user_of_two_groups_counts_in_each_and_once_in_all(data: History) -> None:
    result = compare_groups(data, MONDAY, SUNDAY, "days", {"b": [2, 3], "a": [1, 2, 2], "c": []})

    assert [group.name for group in result.groups] == ["b", "a", "c"]
    assert [group.members for group in result.groups] == [2, 2, 0]
    assert [group.whole.active_users for group in result.groups] == [2, 2, 0]
    hours = [group.whole.server_seconds / HOUR for group in result.groups]
    assert hours == [1 + 6 + 2, 3 + 1 + 6, 0]
    assert result.in_several == 1
    together = result.together
    assert (together.name, together.members, together.whole.active_users) == (None, 3, 3)
    assert together.whole.server_seconds == 12 * HOUR
    assert together.whole.peak_servers == 2
    assert result.groups[1].lengths.longest == 6 * HOUR


def test_each_day_of_each_group(data: History) -> None:
    result = compare_groups(data, MONDAY, SUNDAY, "days", {"a": [1, 2], "b": [2, 3]})

    by_day = [[day.server_seconds for day in group.periods] for group in result.groups]
    assert by_day == [
        [4 * HOUR, 0, 6 * HOUR, 0, 0, None, None],
        [HOUR, 0, 7 * HOUR, HOUR, 0, None, None],
    ]
    [week] = compare_groups(data, MONDAY, SUNDAY, "weeks", {"a": [1, 2]}).groups[0].periods
    assert (week.first, week.last, week.at_least) == (MONDAY, SUNDAY, False)
    assert result.weight == 3 * 8


def test_without_data_nothing_is_known(data: History) -> None:
    result = compare_groups(data, date(2025, 1, 1), date(2025, 1, 2), "days", {"a": [1], "b": [2]})

    for group in (*result.groups, result.together):
        assert group.members in (1, 2)
        assert group.whole.active_users is None
        assert group.lengths is None
        assert group.people.new is None


@given(small_hubs(), st.integers(0, 5), st.lists(st.sets(st.integers(1, 5)), min_size=2))
def test_every_figure_of_a_group_is_that_of_its_members_alone(
    hub: SmallHub, days: int, members: list[set[int]]
) -> None:
    data = hub.history()
    span = hub.first + timedelta(days), hub.last
    names = {str(number): users for number, users in enumerate(members)}

    result = compare_groups(data, *span, "days", names)

    everyone = set().union(*members)
    for group, users in zip((*result.groups, result.together), (*members, everyone), strict=True):
        alone = data.restricted(users)
        assert group.whole == period(alone, *span)
        assert group.periods == tuple(periods(alone, *span, "days"))
        assert group.lengths == lengths(alone, *span)
        assert group.people == people_counts(alone, *span)
    for row in groups(data, *span, names):
        group = result.groups[int(row.name)]
        assert (group.whole.active_users, group.whole.server_seconds, group.whole.sessions) == (
            row.active_users, row.server_seconds, row.sessions,
        )  # fmt: skip
    assert sum(group.members for group in result.groups) >= result.together.members


def test_only_what_was_derived_for_the_latest_groups_is_kept(data: History) -> None:
    results = [
        compare_groups(data, MONDAY, SUNDAY, "days", {str(user): [user] for user in users})
        for users in ([1, 2], [2, 3], [2, 3])
    ]

    assert results[1] == results[2]
    kept = data.derived_cache.get("compared groups", (), dict)
    assert kept.keys() == {frozenset([2]), frozenset([3]), frozenset([2, 3])}
