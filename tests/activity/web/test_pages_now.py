"""*Now*: filters and marks of servers that run or idle for long, and the hub's admin page."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from tests.support.activity.course import HOUR, MONDAY
from tests.support.activity.pages import links, read
from tornado_service.activity import Activity
from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot
from tornado_service.testing import Visitor

NOW = MONDAY + 80 * HOUR

#: Running and idle, in hours.
SERVERS = {"ada": (30, 3), "alan": (30, 0.5), "bob": (2, 1.5), "=bea": (1, None)}

ADMIN_PAGE = "Manage servers on the hub's admin page"


@pytest.fixture(autouse=True)
async def busy(app: Activity) -> None:
    users = [
        UserSnapshot(name, servers=(ServerSnapshot("", NOW - hours * HOUR, active),))
        for name, (hours, idle) in SERVERS.items()
        for active in [None if idle is None else NOW - int(idle * HOUR)]
    ]
    app.recorder.collector.latest = Sample(NOW, True, tuple(users))


def rows(page: str) -> dict[str, list[bool]]:
    """By user: whether the running time and the idle time are marked."""
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return {
        re.search(r">([^<]+)</a>", row)[1]: [
            "over-limit" in cell for cell in re.findall(r'<td class="num">(.*?)</td>', row, re.S)
        ]
        for row in body.split("</tr>")[:-1]
    }


async def test_servers_that_run_or_idle_for_long_are_marked(admin: Visitor) -> None:
    text = await read(admin, "now", "")

    assert rows(admin.page) == {
        "=bea": [False, False], "ada": [True, True], "alan": [True, False], "bob": [False, True],
    }  # fmt: skip
    assert "running for longer than 1 day, or idle for longer than 1 h" in text


@pytest.mark.parametrize(
    ("query", "names", "said"),
    [
        ("idle_over=1h", ["ada", "bob"], "2 idle for longer than 1 h."),
        ("idle_over=89m", ["ada", "bob"], "2 idle for longer than 89 min."),
        ("idle_over=90m", ["ada"], "1 idle for longer than 90 min."),
        ("running_over=1d", ["ada", "alan"], "2 running for longer than 1 day."),
        ("running_over=1d&idle_over=1h", ["ada"],
         "1 idle for longer than 1 h, running for longer than 1 day."),
        ("running_over=1d&q=L", ["alan"],
         "1 of a user with “L” in the name, running for longer than 1 day."),
        ("running_over=2d", [], "0 running for longer than 2 days."),
    ],
)  # fmt: skip
async def test_page_api_and_csv_have_the_same_servers(
    admin: Visitor, query: str, names: list[str], said: str
) -> None:
    text = await read(admin, "now", query)
    assert "4 servers running." in text
    assert said in text
    assert list(rows(admin.page)) == names

    of_name = query.partition("&q=")[0]
    listed = json.loads((await admin.get(f"activity/api/now?{of_name}")).body)["servers"]
    assert {row["user"] for row in listed} >= set(names)
    (address,) = [link for link in links(admin.page) if "now.csv" in link]
    saved = (await admin.get(address)).body.decode()
    assert [row["user"] for row in csv.DictReader(io.StringIO(saved, newline=""))] == names
    if of_name == query:
        assert [row["user"] for row in listed] == names


async def test_a_filter_stays_in_the_form_and_in_the_links(admin: Visitor) -> None:
    await read(admin, "now", "idle_over=45m&running_over=1d&sort=-idle")

    for option in ('value="45m" selected>45\u00a0min', 'value="1d" selected>1\u00a0day'):
        assert option in admin.page
    sorting = [link for link in links(admin.page) if "sort=name" in link]
    assert sorting
    assert all("idle_over=45m&running_over=1d" in link for link in sorting)


@pytest.mark.parametrize("text", ["90", "1w", "x"])
async def test_an_invalid_duration_is_ignored_and_said(admin: Visitor, text: str) -> None:
    said = await read(admin, "now", f"idle_over={text}")

    assert "“Idle longer than” is ignored: use a duration such as 30m, 2h or 1d." in said
    assert len(rows(admin.page)) == 4
    assert (await admin.get(f"activity/api/now?idle_over={text}")).code == 400


async def test_only_hub_admins_have_the_link_to_the_hubs_admin_page(
    admin: Visitor, instructor: Visitor
) -> None:
    assert ADMIN_PAGE in await read(admin, "now", "")
    assert "/hub/admin?state=active" in links(admin.page)
    assert ADMIN_PAGE not in await read(instructor, "now", "")


async def test_a_filter_shows_no_server_that_the_hub_hides(instructor: Visitor) -> None:
    text = await read(instructor, "now", "idle_over=1h")

    assert list(rows(instructor.page)) == ["ada"]
    assert "2 servers running." in text
