"""The worked examples of ``docs/reference/figures.md``: facts and figures are read there."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.support.activity import small_hub
from tests.support.activity.documentation import PAGE, WEEKDAYS, table
from tests.support.activity.small_hub import at
from tests.support.activity.worked_example import (
    MONDAY,
    SUNDAY,
    ZONE,
    hours,
    known,
    worked_example,
)
from tornado_service.activity.domain.calendar import date_range
from tornado_service.activity.domain.prices import parse_prices
from tornado_service.activity.figures.comparison import comparison
from tornado_service.activity.figures.durations import lengths
from tornado_service.activity.figures.heatmap import heat_map
from tornado_service.activity.figures.periods import hourly, period
from tornado_service.activity.figures.servers.idle import idle_period
from tornado_service.activity.figures.servers.usage_by import Kind, usage_by
from tornado_service.activity.figures.trend import TrendDay, trend
from tornado_service.activity.history.history import History


@pytest.fixture(scope="module")
def example() -> History:
    return worked_example()


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


def test_cost(example: History) -> None:
    [profiles, servers] = cost_tables()
    priced = replace(example, prices=parse_prices(profiles))
    by_profile = usage_by(priced, MONDAY, SUNDAY, "days", "profile").whole.usage or ()
    labels = {"": "no profile", None: "unknown"}
    assert table("profile", "server-hours", "cost") == [
        {
            "profile": labels.get(row.name, row.name),
            "server-hours": known(hours(row.server_seconds)),
            "cost": known(row.cost, "{:.2f}"),
        }
        for row in by_profile
    ]
    for prices, head in ((profiles, "cost by profile"), (servers, "cost by server name")):
        priced = replace(
            example, prices=parse_prices(prices), derived_cache=type(example.derived_cache)()
        )
        rows = table("from", "to", "server-hours", "cost by profile", "cost by server name")
        assert len(rows) == 4
        for row in rows:
            days = date.fromisoformat(row["from"]), date.fromisoformat(row["to"])
            figures = period(priced, *days)
            part = "at least " if figures.at_least else ""
            assert row["server-hours"] == part + known(hours(figures.server_seconds))
            cost = known(figures.cost, "{:.2f}")
            assert row[head] == (cost if cost == "unknown" else part + cost)


def cost_tables() -> list[Any]:
    """The settings of the example."""
    lines = re.findall(r"^c\.Activity\.prices = (.*)$", PAGE, re.MULTILINE)
    return [ast.literal_eval(line) for line in lines]


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
