"""Filters of running servers by duration: the example of figures.md, and what is no duration."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.support.activity.documentation import table
from tests.support.activity.small_hub import at
from tornado_service.activity.access.server_filter import ServerFilter, to_seconds
from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot
from tornado_service.activity.figures.servers.running import Running, running

ROWS = table(
    "server since", "last activity", "idle", "running", "`idle_over=30m`", "`running_over=1d`",
    "marked without a filter",
)  # fmt: skip


def server(row: dict[str, str]) -> Running:
    active = None if row["last activity"] == "unknown" else at(row["last activity"])
    ada = UserSnapshot("ada", servers=(ServerSnapshot("", at(row["server since"]), active),))
    [shown] = running(Sample(at("2026-03-03 12:00"), True, (ada,)))
    return shown


def hours(seconds: int | None) -> str:
    return "unknown" if seconds is None else f"{seconds / 3600:g} h"


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_worked_example(row: dict[str, str]) -> None:
    shown, plain = server(row), ServerFilter()
    marks = {"idle": plain.marks_idle(shown), "running": plain.marks_running(shown)}

    assert (hours(shown.idle), hours(shown.seconds)) == (row["idle"], row["running"])
    for query in ({"idle_over": "30m"}, {"running_over": "1d"}):
        ((name, duration),) = query.items()
        is_shown = ServerFilter(**query).includes(shown)
        assert row[f"`{name}={duration}`"] == ("yes" if is_shown else "no")
    assert row["marked without a filter"] == (", ".join(filter(marks.get, marks)) or "none")
    assert plain.includes(shown)


def test_a_server_has_to_exceed_both_durations() -> None:
    shown = server(ROWS[2])  # idle for 2 hours, running for 25

    assert ServerFilter(idle_over="1h", running_over="1d").includes(shown)
    assert not ServerFilter(idle_over="2h", running_over="1d").includes(shown)
    assert not ServerFilter(idle_over="1h", running_over="25h").includes(shown)


def test_a_filter_moves_the_marks() -> None:
    shown = server(ROWS[2])

    assert ServerFilter(idle_over="119m").marks_idle(shown)
    assert not ServerFilter(idle_over="120m").marks_idle(shown)
    assert not ServerFilter(running_over="2d").marks_running(shown)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1m", 60), ("30m", 1800), ("2h", 7200), ("1d", 86400)]
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert to_seconds(ServerFilter(idle_over=text).idle_limit) == seconds


@pytest.mark.parametrize("text", ["", "0m", "30", "1.5h", "-1h", "1 h", "1H", "2w", "1h30m", "٣h"])
def test_everything_else_is_none(text: str) -> None:
    with pytest.raises(ValidationError):
        ServerFilter(idle_over=text)
