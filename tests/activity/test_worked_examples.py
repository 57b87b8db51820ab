"""The worked examples of ``docs/activity.md``: facts and figures are read there."""

from __future__ import annotations

from datetime import date

import pytest

from tests.support.activity import small_hub
from tests.support.activity.documentation import PAGE, WEEKDAYS, table
from tests.support.activity.small_hub import at
from tornado_service.activity.domain.records import Account, Interval, Visit
from tornado_service.activity.figures.durations import lengths
from tornado_service.activity.figures.heatmap import heat_map
from tornado_service.activity.figures.periods import period
from tornado_service.activity.figures.person import own_use
from tornado_service.activity.figures.users import groups, never_returned, people_counts
from tornado_service.activity.history.history import History

ZONE = "Europe/Berlin"
NAMES = {"ada": 1, "bob": 2, "cy": 3, "dee": 4}
MONDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 8)
START = at("2026-03-02 00:00", ZONE)
NOW = at("2026-03-08 18:00", ZONE)


def known(value: float | int | None, form: str = "{:g}") -> str:
    return "unknown" if value is None else form.format(value)


def hours(seconds: float | int | None) -> float | None:
    return None if seconds is None else seconds / 3600


@pytest.fixture(scope="module")
def example() -> History:
    sessions = []
    for row in table("who", "server", "began", "ended"):
        user, start = NAMES[row["who"]], at(row["began"], ZONE)
        if row["ended"] == "running":
            sessions.append(small_hub.running(user, start, NOW, row["server"]))
        else:
            sessions.append(small_hub.session(user, start, at(row["ended"], ZONE), row["server"]))
    visit = at("2026-03-03 12:30", ZONE)
    return small_hub.history(
        ZONE,
        [(START, at("2026-03-04 12:00", ZONE)), (at("2026-03-06 00:00", ZONE), NOW)],
        sessions,
        people=[
            Account(id_, name, visit if name == "dee" else START) for name, id_ in NAMES.items()
        ],
        visits=[Visit(NAMES["dee"], visit // 3600)],
    )


def test_use_over_time(example: History) -> None:
    rows = table(
        "from", "to", "watched", "active users", "server-hours", "sessions", "peak", "mean"
    )
    assert len(rows) == 8
    for row in rows:
        of = period(example, date.fromisoformat(row["from"]), date.fromisoformat(row["to"]))
        part = "at least " if of.at_least else "" if of.is_over else "so far "
        assert row == {
            "from": str(of.first),
            "to": str(of.last),
            "watched": f"{of.share:.0%}".replace("%", " %"),
            "active users": (part if of.share else "") + known(of.active_users),
            "server-hours": (part if of.share else "") + known(hours(of.server_seconds)),
            "sessions": (part if of.share else "") + known(of.sessions),
            "peak": (part if of.share else "") + known(of.peak_servers),
            "mean": known(of.mean_servers, "{:.3f}"),
        }


def test_lengths_of_sessions(example: History) -> None:
    [row] = table("finished", "mean", "median", "longest", "running", "longest so far")

    of = lengths(example, MONDAY, SUNDAY)

    assert of is not None
    assert row == {
        "finished": str(of.finished),
        "mean": known(hours(of.mean)) + " h",
        "median": known(hours(of.median)) + " h",
        "longest": known(hours(of.longest)) + " h",
        "running": str(of.running),
        "longest so far": known(hours(of.longest_running)) + " h",
    }


def test_hours_of_the_week(example: History) -> None:
    of = heat_map(example, MONDAY, SUNDAY)

    for row in table("weekday", "hour", "watched", "mean", "peak"):
        hour = of.hours[24 * WEEKDAYS.index(row["weekday"]) + int(row["hour"])]
        assert row == {
            "weekday": WEEKDAYS[hour.weekday],
            "hour": str(hour.hour),
            "watched": f"{hour.share:.0%}".replace("%", " %"),
            "mean": known(hour.mean_servers),
            "peak": known(hour.peak_servers),
        }
    assert f"{of.days_missing} days are missing, {of.weeks_missing:g} weeks" in PAGE
    assert of.quietest is None


def test_people(example: History) -> None:
    for row in table("from", "to", "accounts", "new", "returning", "never returned"):
        of = people_counts(example, date.fromisoformat(row["from"]), date.fromisoformat(row["to"]))
        assert (
            row
            | {
                "accounts": known(of.accounts),
                "new": known(of.new),
                "returning": known(of.returning),
                "never returned": known(of.never_returned),
            }
            == row
        )


def test_who_never_returned_when_the_example_goes_on(example: History) -> None:
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

    of = groups(example, MONDAY, SUNDAY, members_of)

    assert table("group", "members", "active users", "server-hours", "sessions") == [
        {
            "group": each.name,
            "members": str(each.members),
            "active users": known(each.active_users),
            "server-hours": known(hours(each.server_seconds)),
            "sessions": known(each.sessions),
        }
        for each in of
    ]


def test_one_person(example: History) -> None:
    of = own_use(example.restricted({NAMES["ada"]}), MONDAY, SUNDAY)

    assert of.whole.server_seconds == 8 * 3600
    assert of.whole.sessions == len(of.sessions) == 3
    assert of.longest is not None
    assert (of.longest.started, of.longest.ended) == (at("2026-03-08 14:00", ZONE), None)
    assert of.longest.seconds == 4 * 3600
    assert of.hours[10] == pytest.approx(1.75 / 6)
    assert f"{of.hours[10]:.2f}." in PAGE
