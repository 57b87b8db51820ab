"""The worked examples of ``docs/reference/figures.md``: facts and figures are read there."""

from __future__ import annotations

from datetime import date

import pytest

from tests.support.activity import small_hub
from tests.support.activity.documentation import PAGE, WEEKDAYS, table
from tests.support.activity.small_hub import at
from tornado_service.activity.access.queries import RosterQuery
from tornado_service.activity.domain.calendar import date_range
from tornado_service.activity.domain.idle import ObservedTimes
from tornado_service.activity.domain.records import Account, Interval, Visit
from tornado_service.activity.figures.comparison import comparison
from tornado_service.activity.figures.durations import lengths
from tornado_service.activity.figures.groups.comparison import compare_groups
from tornado_service.activity.figures.groups.roster import roster
from tornado_service.activity.figures.heatmap import heat_map
from tornado_service.activity.figures.idle import idle_period
from tornado_service.activity.figures.periods import hourly, period
from tornado_service.activity.figures.person import own_use
from tornado_service.activity.figures.trend import TrendDay, trend
from tornado_service.activity.figures.usage_by import Kind, usage_by
from tornado_service.activity.figures.users import groups, never_returned, people_counts
from tornado_service.activity.history.history import History

ZONE = "Europe/Berlin"
NAMES = {"ada": 1, "bob": 2, "cy": 3, "dee": 4}
MONDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 8)
START = at("2026-03-02 00:00", ZONE)
NOW = at("2026-03-08 18:00", ZONE)
#: What is no name of a profile.
PROFILES = {"no profile": "", "unknown": None}


def observed_times() -> list[ObservedTimes]:
    """What is known of idle time in the example."""

    def interval(text: str) -> list[Interval]:
        return [Interval(*(at(end, ZONE) for end in text.split(" to ")))] if text else []

    return [
        ObservedTimes(NAMES[row["who"]], interval(row["known"]), interval(row["idle"]))
        for row in table("who", "server", "known", "idle")
    ]


def known(value: float | int | None, form: str = "{:g}") -> str:
    return "unknown" if value is None else form.format(value)


def hours(seconds: float | int | None) -> float | None:
    return None if seconds is None else seconds / 3600


@pytest.fixture(scope="module")
def example() -> History:
    sessions = []
    profiles = {
        (row["who"], row["server"]): PROFILES.get(row["profile"], row["profile"])
        for row in table("who", "server", "profile")
    }
    for row in table("who", "server", "began", "ended"):
        user, start = NAMES[row["who"]], at(row["began"], ZONE)
        if row["ended"] == "running":
            sessions.append(small_hub.running(user, start, NOW, row["server"]))
        else:
            sessions.append(small_hub.session(user, start, at(row["ended"], ZONE), row["server"]))
    people = {number: name for name, number in NAMES.items()}
    sessions = [
        session._replace(profile=profiles[people[session.user], session.server])
        for session in sessions
    ]
    visit = at("2026-03-03 12:30", ZONE)
    return small_hub.history(
        ZONE,
        [(START, at("2026-03-04 12:00", ZONE)), (at("2026-03-06 00:00", ZONE), NOW)],
        sessions,
        people=[
            Account(id_, name, visit if name == "dee" else START) for name, id_ in NAMES.items()
        ],
        visits=[Visit(NAMES["dee"], visit // 3600)],
        observed=observed_times(),
    )


def test_usage_over_time(example: History) -> None:
    rows = table(
        "from", "to", "data coverage", "active users", "server-hours", "sessions", "peak", "average"
    )
    assert len(rows) == 8
    for row in rows:
        figures = period(example, date.fromisoformat(row["from"]), date.fromisoformat(row["to"]))
        part = "at least " if figures.at_least else "" if figures.is_over else "so far "
        assert row == {
            "from": str(figures.first),
            "to": str(figures.last),
            "data coverage": f"{figures.share:.0%}".replace("%", " %"),
            "active users": (part if figures.share else "") + known(figures.active_users),
            "server-hours": (part if figures.share else "") + known(hours(figures.server_seconds)),
            "sessions": (part if figures.share else "") + known(figures.sessions),
            "peak": (part if figures.share else "") + known(figures.peak_servers),
            "average": known(figures.mean_servers, "{:.3f}"),
        }


def test_idle_time(example: History) -> None:
    rows = table(
        "from", "to", "server-hours", "known server-hours", "idle server-hours", "idle share"
    )
    assert len(rows) == 6
    for row in rows:
        figures = idle_period(
            example, date.fromisoformat(row["from"]), date.fromisoformat(row["to"])
        )
        part = "at least " if figures.at_least else ""
        share = figures.idle_share
        assert row == {
            "from": str(figures.first),
            "to": str(figures.last),
            "server-hours": part + known(hours(figures.server_seconds)),
            "known server-hours": known(hours(figures.observed_seconds)),
            "idle server-hours": known(hours(figures.idle_seconds)),
            "idle share": "unknown" if share is None else f"{100 * share:.1f} %",
        }


@pytest.mark.parametrize(
    ("kind", "head"), [("profile", "profile"), ("server", "server name")], ids=str
)
def test_usage_by(example: History, kind: Kind, head: str) -> None:
    whole = usage_by(example, MONDAY, SUNDAY, "days", kind).whole
    labels = {"": "no profile" if kind == "profile" else "default server", None: "unknown"}

    assert table(head, "server-hours", "sessions", "active users") == [
        {
            head: labels.get(row.name, row.name),
            "server-hours": known(hours(row.server_seconds)),
            "sessions": str(row.sessions),
            "active users": str(row.active_users),
        }
        for row in whole.usage or ()
    ]


def test_hours(example: History) -> None:
    for row in table("hour from", "data coverage", "average", "peak"):
        day, _, clock = row["hour from"].partition(" ")
        hours = hourly(example, *[date.fromisoformat(day)] * 2)
        [hour] = [each for each in hours if each.start.timestamp() == at(row["hour from"], ZONE)]
        assert row == {
            "hour from": f"{day} {clock}",
            "data coverage": f"{hour.share:.0%}".replace("%", " %"),
            "average": known(hour.mean_servers),
            "peak": known(hour.peak_servers),
        }


def test_comparison(example: History) -> None:
    names = ("active_users", "server_seconds", "sessions", "peak_servers", "new_users")
    rows = table(
        "from", "to", "compared days", "with", "data of both", "active users", "server-hours",
        "sessions", "peak", "new",
    )  # fmt: skip
    assert len(rows) == 4
    for row in rows:
        days = date.fromisoformat(row["from"]), date.fromisoformat(row["to"])
        figures = comparison(example, *days).previous
        if figures is None:
            assert list(row.values())[2:] == ["none"] * 3 + ["unknown"] * 5
            continue
        assert list(row.values())[2:] == [
            f"{figures.first} to {figures.last}",
            f"{figures.earlier_first} to {figures.earlier_last}",
            f"{figures.share:.0%}, {figures.earlier_share:.0%}".replace("%", " %"),
            *(known(getattr(figures, name).change, "{:.3f}") for name in names),
        ]
    tuesday = comparison(example, *[date(2026, 3, 3)] * 2).previous
    assert tuesday is not None
    assert (tuesday.new_users.value, tuesday.new_users.earlier) == (1, 0)


def test_trend() -> None:
    start, now = at("2026-03-01 00:00", ZONE), at("2026-04-01 18:00", ZONE)
    weekdays = [day for day in date_range(date(2026, 3, 1), date(2026, 4, 1)) if day.weekday() < 5]
    sessions = [
        small_hub.session(user, at(f"{day} 09:00", ZONE), at(f"{day} 10:00", ZONE))
        for day in weekdays
        for user in ([1, 2] if day.weekday() == 0 else [1])
    ]
    hub = small_hub.history(ZONE, [(start, now)], sessions)
    for row in table("day", "DAU", "WAU", "MAU", "7-day average", "DAU/MAU"):
        [day] = trend(hub, *[date.fromisoformat(row["day"])] * 2).days

        def count(value: int | None, at_least: bool, day: TrendDay = day) -> str:
            return f"{'at least ' if at_least else '' if day.is_over else 'so far '}{value}"

        assert row == {
            "day": str(day.day),
            "DAU": count(day.daily_active_users, day.daily_at_least),
            "WAU": count(day.weekly_active_users, day.weekly_at_least),
            "MAU": count(day.monthly_active_users, day.monthly_at_least),
            "7-day average": known(day.daily_average_7, "{:.3f}"),
            "DAU/MAU": known(day.stickiness, "{:.3f}"),
        }


def test_lengths_of_sessions(example: History) -> None:
    [row] = table("finished", "average", "median", "longest", "running", "longest so far")

    figures = lengths(example, MONDAY, SUNDAY)

    assert figures is not None
    assert row == {
        "finished": str(figures.finished),
        "average": known(hours(figures.mean)) + " h",
        "median": known(hours(figures.median)) + " h",
        "longest": known(hours(figures.longest)) + " h",
        "running": str(figures.running),
        "longest so far": known(hours(figures.longest_running)) + " h",
    }


def test_hours_of_the_week(example: History) -> None:
    week = heat_map(example, MONDAY, SUNDAY)

    for row in table("weekday", "hour", "data coverage", "average", "peak"):
        hour = week.hours[24 * WEEKDAYS.index(row["weekday"]) + int(row["hour"])]
        assert row == {
            "weekday": WEEKDAYS[hour.weekday],
            "hour": str(hour.hour),
            "data coverage": f"{hour.share:.0%}".replace("%", " %"),
            "average": known(hour.mean_servers),
            "peak": known(hour.peak_servers),
        }
    assert f"{week.days_missing} days are missing, {week.weeks_missing:g} weeks" in PAGE
    assert week.quietest is None


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
