"""The page Servers."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tests.support.activity.course import HOUR, MONDAY, RANGE
from tests.support.activity.pages import links, read
from tornado_service.activity import Activity
from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot
from tornado_service.activity.figures.servers.usage_by import NamedUsage, UsageBy, UsageByPeriod
from tornado_service.activity.web.servers.page import MAX_ROWS, TOP, stack, usage_tables
from tornado_service.testing import NewVisitor, StandInHub, Visitor

DAY = date(2026, 1, 5)


def usage(*days: dict[str | None, int] | None) -> UsageBy:
    """Seconds of each name on some days; the period has those of the first one."""
    periods = tuple(
        UsageByPeriod(
            DAY,
            DAY,
            1.0,
            True,
            False,
            None
            if names is None
            else tuple(NamedUsage(name, seconds, 1, 1) for name, seconds in names.items()),
        )
        for names in days
    )
    return UsageBy("UTC", periods[0], periods)


async def test_an_admin_reads_how_much_was_idle_and_by_which_profile(admin: Visitor) -> None:
    text = await read(admin, "servers")

    assert "Idle share of server-hours 64 %" in text
    assert "Idle server-hours 14.8 h" in text
    assert "Activity knows this for 23.0 h (100 %) of these server-hours" in text
    assert "class-b 17.0 h 73 % 4 3" in text
    assert "no profile 1.0 h 4 % 1 1" in text
    assert "All of these are default servers." in text
    assert "default server 23.0 h 100 % 7 5" in text


async def test_an_instructor_reads_of_the_group_alone(instructor: Visitor) -> None:
    text = await read(instructor, "servers")

    assert "Idle share of server-hours 41 %" in text
    assert "class-b" not in text


async def test_what_is_not_known_is_said_to_be_so(admin: Visitor, instructor: Visitor) -> None:
    text = await read(admin, "servers", "from=2025-06-01&to=2025-06-30")
    assert text.count("No data for this period.") == 3
    text = await read(admin, "servers", "from=2026-01-08&to=2026-01-08")
    assert "No servers ran in this period." in text
    assert "Idle share of server-hours not enough data yet" in text
    text = await read(instructor, "servers")  # whose users ran no server on the last day
    assert re.search(r"2026-01-07 no servers no servers 0\.0 h 100 %", text)


async def test_days_whose_sessions_are_gone_have_idle_time_only(
    app: Activity, admin: Visitor
) -> None:
    archive = app.recorder.archive
    object.__setattr__(archive.history, "sessions_from", MONDAY + 30 * HOUR)
    archive._figures._futures.clear()

    text = await read(admin, "servers")

    assert "Idle share of server-hours 64 %" in text
    assert text.count("its first sessions are no longer stored") == 2


async def test_the_tab_is_for_those_who_see_others(
    admin: Visitor, hub: StandInHub, new_visitor: NewVisitor
) -> None:
    await admin.open("activity/")
    assert any("activity/servers" in link for link in links(admin.page))
    alan = new_visitor("alan")  # who has used no profile
    await alan.open(f"activity/?{RANGE}")
    assert not any("activity/servers" in link for link in links(alan.page))
    assert (await alan.open(f"activity/servers?{RANGE}")).code == 200


async def test_a_student_with_profiles_finds_the_page(
    app: Activity, new_visitor: NewVisitor
) -> None:
    ada = new_visitor("ada")

    text = await read(ada, "")

    assert "default server small 2026-01-06 09:00" in text
    assert any("activity/servers" in link for link in links(ada.page))
    assert "small 5.0 h 100 %" in await read(ada, "servers")


async def test_names_are_text(app: Activity, admin: Visitor, hub: StandInHub) -> None:
    """Users write what they like into the options of their servers."""
    recorder = app.recorder
    name = "<script>alert(1)</script>"
    for at in (80, 81):
        server = ServerSnapshot(name, MONDAY + 80 * HOUR, MONDAY + at * HOUR, profile=f"={name}")
        users = (UserSnapshot("ada", servers=(server,)),)
        await recorder.store_sample(Sample(MONDAY + at * HOUR, False, users), HOUR)

    await admin.open("activity/servers?from=2026-01-08&to=2026-01-08")
    assert "<script>alert" not in admin.page
    assert "=&lt;script&gt;" in admin.page
    response = await admin.get("activity/api/usage-by/profile.csv?from=2026-01-08&to=2026-01-08")
    assert "'=<script>" in response.body.decode()


def test_the_largest_have_a_column_each_and_the_rest_is_one() -> None:
    names = {f"name-{n}": 100 - n for n in range(TOP + 3)}

    figures = stack(usage(names, {"name-1": 7, "name-9": 5, "new": 1}, None, {}), "server")

    assert figures.columns == [*(f"name-{n}" for n in range(TOP)), "other"]
    assert [values for _, values in figures.rows] == [
        [*range(100, 100 - TOP, -1), 92 + 91 + 90],
        [0, 7, *[0] * (TOP - 2), 6],
        [None] * (TOP + 1),
        [0] * (TOP + 1),
    ]


@pytest.mark.parametrize(
    ("kind", "name", "shown"),
    [("profile", "", "no profile"), ("server", "", "default server"), ("profile", None, "unknown")],
)
def test_what_has_no_name_is_called_so(kind, name: str | None, shown: str) -> None:
    figures = usage_tables(usage({name: 60, "x": 1}), kind)

    assert [label for label, _ in figures.names] == [shown, "x"]
    assert figures.stack.columns == [shown, "x"]
    assert (figures.is_named, figures.seconds) == (True, 61)


def test_a_long_table_is_cut() -> None:
    names = {f"name-{n}": 1 for n in range(MAX_ROWS + 1)}

    assert len(usage_tables(usage(names), "server").names) == MAX_ROWS
