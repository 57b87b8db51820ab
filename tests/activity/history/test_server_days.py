from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given

from tests.support.activity.small_hub import SmallHub, at, history, running, session, small_hubs
from tornado_service.activity.history.history import History
from tornado_service.activity.history.server_days import ServerDay, server_days

SUNDAY, MONDAY, TUESDAY = (date(2026, 3, day) for day in (1, 2, 3))
HOUR = 3600


def clock(text: str) -> int:
    return at(f"2026-03-{text}")


@pytest.fixture
def data() -> History:
    return history(
        "UTC",
        [(clock("01 12:00"), clock("03 12:00"))],
        [
            session(1, clock("02 22:00"), clock("03 02:00"), "work")._replace(profile="gpu"),
            session(2, clock("02 23:00"), clock("03 00:00"), "work")._replace(profile="gpu"),
            session(2, clock("02 09:00"), clock("02 10:00")),
            running(1, clock("03 11:00"), clock("03 12:00"), "work")._replace(profile="gpu"),
        ],
    )


def rows(data: History, first: date, last: date) -> list[tuple[object, ...]]:
    found = server_days(data, first, last)
    return sorted((*row[:-2], list(row.users), list(row.user_seconds)) for row in found)


def test_a_session_over_midnight_is_on_both_days_and_begins_on_the_first(data: History) -> None:
    assert rows(data, MONDAY, MONDAY) == [
        (MONDAY, "", None, HOUR, 1, [2], [HOUR]),
        (MONDAY, "work", "gpu", 3 * HOUR, 2, [1, 2], [2 * HOUR, HOUR]),
    ]
    assert rows(data, TUESDAY, TUESDAY) == [
        (TUESDAY, "work", "gpu", HOUR, 1, [1], [HOUR]),  # the running one
        (TUESDAY, "work", "gpu", 2 * HOUR, 0, [1], [2 * HOUR]),
    ]
    assert rows(data, SUNDAY, SUNDAY) == []


def test_a_session_that_changes_is_counted_anew(data: History) -> None:
    assert len(rows(data, SUNDAY, TUESDAY)) == 4
    ended = session(1, clock("03 11:00"), clock("03 11:30"), "work")._replace(profile="gpu")
    later = data.updated(
        now=data.now,
        people=data.people.values(),
        coverage=data.coverage,
        observed_from=data.observed_from,
        sessions=[ended],
    )

    assert rows(later, TUESDAY, TUESDAY) == [
        (TUESDAY, "work", "gpu", 2 * HOUR + 1800, 1, [1, 1], [2 * HOUR, 1800])
    ]


@given(small_hubs())
def test_each_user_has_the_usage_of_their_days(hub: SmallHub) -> None:
    data = hub.history()
    seconds: Counter[tuple[date, int]] = Counter()
    sessions: Counter[date] = Counter()
    row: ServerDay
    for row in server_days(data, hub.first, hub.last):
        assert row.seconds == sum(row.user_seconds)
        sessions[row.day] += row.sessions
        for user, ran in zip(row.users, row.user_seconds, strict=True):
            seconds[row.day, user] += ran

    days = {day: usage for day, usage in data.days.items() if hub.first <= day <= hub.last}
    assert +sessions == +Counter({day: usage.sessions for day, usage in days.items()})
    assert +seconds == +Counter(
        {
            (day, user): ran
            for day, usage in days.items()
            for user, ran in zip(usage.rows.users, usage.rows.seconds, strict=True)
        }
    )
