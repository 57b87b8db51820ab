"""Worked examples of users and groups in ``docs/reference/figures.md``, which is read here."""

from __future__ import annotations

from datetime import date

import pytest

from tests.support.activity.documentation import PAGE, table
from tests.support.activity.small_hub import at
from tests.support.activity.worked_example import (
    MONDAY,
    NAMES,
    START,
    SUNDAY,
    ZONE,
    hours,
    known,
    worked_example,
)
from tornado_service.activity.access.queries import RosterQuery
from tornado_service.activity.domain.records import Interval, Visit
from tornado_service.activity.figures.groups.comparison import compare_groups
from tornado_service.activity.figures.groups.roster import roster
from tornado_service.activity.figures.person import own_use
from tornado_service.activity.figures.users import groups, never_returned, people_counts
from tornado_service.activity.history.history import History


@pytest.fixture(scope="module")
def example() -> History:
    return worked_example()


def test_users(example: History) -> None:
    for row in table("from", "to", "accounts", "new", "returning", "never returned"):
        counts = people_counts(
            example, date.fromisoformat(row["from"]), date.fromisoformat(row["to"])
        )
        assert (
            row
            | {
                "accounts": known(counts.accounts),
                "new": known(counts.new),
                "returning": known(counts.returning),
                "never returned": known(counts.never_returned),
            }
            == row
        )


def test_never_returned_when_the_example_continues(example: History) -> None:
    assert "have returned from 3 April on" in PAGE.replace("\n", " ")
    later = example.updated(
        now=at("2026-04-04 00:00", ZONE),
        people=example.people.values(),
        coverage=[Interval(START, at("2026-04-04 00:00", ZONE))],
        observed_from=START,
        visits=[Visit(NAMES["dee"], at("2026-03-03 12:30", ZONE) // 3600)],
    )

    assert never_returned(later, date(2026, 4, 3)) == {NAMES["dee"]}
    assert never_returned(later, date(2026, 4, 2)) == frozenset()


def test_groups(example: History) -> None:
    members_of = {
        "class-b": {NAMES["bob"], NAMES["dee"]},
        "class-a": {NAMES["ada"], NAMES["cy"]},
    }

    rows = groups(example, MONDAY, SUNDAY, members_of)

    assert table("group", "members", "active users", "server-hours", "sessions") == [
        {
            "group": row.name,
            "members": str(row.members),
            "active users": known(row.active_users),
            "server-hours": known(hours(row.server_seconds)),
            "sessions": known(row.sessions),
        }
        for row in rows
    ]


def test_groups_next_to_each_other(example: History) -> None:
    members_of = {
        "class-a": {NAMES["ada"], NAMES["cy"]},
        "lab": {NAMES["ada"], NAMES["bob"]},
    }

    result = compare_groups(example, MONDAY, SUNDAY, "days", members_of)

    assert f"`in_several` is {result.in_several}." in PAGE
    assert table("compared", "members", "active users", "server-hours", "sessions", "peak") == [
        {
            "compared": group.name or "together",
            "members": str(group.members),
            "active users": known(group.whole.active_users),
            "server-hours": known(hours(group.whole.server_seconds)),
            "sessions": known(group.whole.sessions),
            "peak": known(group.whole.peak_servers),
        }
        for group in (*result.groups, result.together)
    ]


def test_the_roster(example: History) -> None:
    group = example.restricted({NAMES["ada"], NAMES["dee"]})

    rows = roster(group, MONDAY, SUNDAY, ["ada", "dee", "eve"]).members

    head = ("member", "last active", "days inactive", "active days", "server-hours", "strip")
    assert table(*head) == [
        {
            "member": row.name,
            "last active": str(row.last_active or "never"),
            "days inactive": "" if row.days_inactive is None else str(row.days_inactive),
            "active days": known(row.active_days),
            "server-hours": known(hours(row.server_seconds)),
            "strip": f"`{row.strip}`",
        }
        for row in rows
    ]
    query = RosterQuery.model_validate({"inactive_since": "2026-03-05"})
    assert " and ".join(row.name for row in query.select(rows)) + " are left." in PAGE


def test_one_user(example: History) -> None:
    use = own_use(example.restricted({NAMES["ada"]}), MONDAY, SUNDAY)

    assert use.whole.server_seconds == 8 * 3600
    assert use.whole.sessions == len(use.sessions) == 3
    assert use.longest is not None
    assert (use.longest.started, use.longest.ended) == (at("2026-03-08 14:00", ZONE), None)
    assert use.longest.seconds == 4 * 3600
    assert use.hours[10] == pytest.approx(1.75 / 6)
    assert f"{use.hours[10]:.2f}." in PAGE
