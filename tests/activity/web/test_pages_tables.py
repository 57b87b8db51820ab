"""The tables of the pages: all can be saved, long ones are sorted, searched and paginated."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator

import pytest

from tests.support.activity.course import HOUR, MONDAY, RANGE
from tests.support.activity.pages import PATHS, links, read, text_of
from tornado_service.activity import Activity
from tornado_service.testing import StandInHub, Visitor

SAVE = re.compile(r'<a href="([^"]*)">Save as CSV</a>')


@pytest.fixture
async def busy(app: Activity, hub: StandInHub) -> None:
    """Running servers whose order differs by name, by server and by age."""
    for name, server, hour in (("alan", "b", 1), ("ada", "c", 3), ("bob", "a", 2)):
        hub.directory.add_server(name, server, started=f"2026-01-08T0{hour}:00:00Z")
    hub.date = ""
    await app.recorder.collector.collect(MONDAY + 80 * HOUR)


def tables(page: str) -> Iterator[tuple[int, str, bool]]:
    """The rows of each table, and the download link next to it, before the next table.

    Last, whether the file has several rows for each: one for each of its columns.
    """
    for part in page.split("<table")[1:]:
        table, _, after = part.partition("</table>")
        body = table.partition("<tbody>")[2]
        is_square = "heat" in table.partition(">")[0]  # a cell for each hour of the week
        match = SAVE.search(after)
        is_stacked = "stacked" in table.partition(">")[0]
        rows = body.count("<td" if is_square else "<tr")
        yield rows, html.unescape(match[1]) if match else "", is_stacked


@pytest.fixture
def visitors(admin: Visitor, instructor: Visitor, visitor: Visitor) -> dict[str, Visitor]:
    return {"admin": admin, "instructor": instructor, "student": visitor}


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("who", ["admin", "instructor", "student"])
async def test_every_table_can_be_saved_row_by_row(visitors: dict[str, Visitor], who: str) -> None:
    visitor, seen = visitors[who], 0
    for path in (*PATHS, "people/bob"):
        response = await visitor.open(f"activity/{path}?{RANGE}")
        for rows, address, is_stacked in tables(visitor.page) if response.code == 200 else ():
            seen += 1
            assert address, (path, "a table without a download")
            saved = await visitor.get(address)
            assert saved.headers["Content-Type"] == "text/csv; charset=utf-8", (path, address)
            in_file = saved_rows(saved.body)
            if is_stacked:
                in_file = list({row["first"]: row for row in in_file}.values())
            assert rows == len(in_file) > 0, (path, address)
    assert seen >= 12


def saved_rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


async def test_a_users_days_and_hours_can_be_saved(admin: Visitor) -> None:
    async def saved(sheet: str) -> list[dict[str, str]]:
        response = await admin.get(f"activity/api/people/bob/{sheet}.csv?{RANGE}")
        assert f"-person-bob-{sheet}-2026-01-05-to-" in response.headers["Content-Disposition"]
        return saved_rows(response.body)

    await admin.open("activity/people/bob")
    days, hours, sessions = [await saved(sheet) for sheet in ("days", "hours", "sessions")]
    assert [(row["day"], row["server_hours"], row["sessions"]) for row in days] == [
        ("2026-01-05", "11.0", "1"), ("2026-01-06", "0.0", "0"), ("2026-01-07", "3.0", "1"),
    ]  # fmt: skip
    assert [row["mean_servers"] for row in hours if row["hour"] in ("8", "9", "12")] == [
        "0.0", "0.6667", "0.3333",
    ]  # fmt: skip
    assert [row["hours"] for row in sessions] == ["3.0", "11.0"]


@pytest.mark.parametrize(
    ("query", "reported"),
    [
        ("from=2025-06-01&to=2025-06-30", "no data"),
        ("from=2099-01-01&to=2099-02-01", "yet to come"),
    ],
)
async def test_users_have_no_figures_of_a_period_without_data(
    admin: Visitor, query: str, reported: str
) -> None:
    text = await read(admin, "people", f"{query}&sort=-hours")
    assert text.count(reported) == 5 * 3
    assert "0.0 h" not in text

    listed = json.loads((await admin.get(f"activity/api/people?{query}&sort=-hours")).body)
    saved = saved_rows((await admin.get(f"activity/api/people.csv?{query}&sort=-hours")).body)
    flags = ("is_new", "is_returning", "never_returned")
    assert len(listed["people"]) == len(saved) == 5
    for row in listed["people"]:
        sums = ("server_seconds", "active_days", "sessions")
        assert {row[name] for name in (*sums, *flags)} == {None}
    for row in saved:
        sums = ("server_hours", "active_days", "sessions")
        assert {row[name] for name in (*sums, *flags)} == {""}


async def test_a_user_has_no_sessions_in_a_period_to_come(
    app: Activity, admin: Visitor, hub: StandInHub
) -> None:
    hub.directory.add_server("bob", started="2026-01-08T00:00:00Z")
    hub.date = ""
    await app.recorder.collector.collect(MONDAY + 80 * HOUR)
    await app.recorder.refresh()

    assert "running" in await read(admin, "people/bob", "")
    for path in ("people/bob", "api/people/bob"):
        assert (
            "2026-01-08" not in (await admin.get(f"activity/{path}?from=2099-01-01")).body.decode()
        )
    assert "This period has not begun." in await read(admin, "people/bob", "from=2099-01-01")
    assert "No data for this period." in await read(admin, "people/bob", "to=2025-01-01")
    assert "No sessions in this period." in await read(
        admin, "people/alan", "from=2026-01-06&to=2026-01-07"
    )


@pytest.fixture
def many_groups(app: Activity, hub: StandInHub) -> None:
    """Sixty more, each with ada in it."""
    hub.directory.add_user("ada", groups=["class-a", *map(group, range(60))])


def group(number: int) -> str:
    return f"lab-{number:02}"


@pytest.mark.usefixtures("many_groups")
async def test_many_groups_are_on_several_pages(admin: Visitor) -> None:
    assert "62 groups, " in await read(admin, "groups")
    assert "Page 1 of 2" in text_of(admin.page)
    (following,) = [link for link in links(admin.page) if "page=2" in link]
    assert "lab-59" in text_of((await admin.get(following)).body.decode())

    page = await admin.get(f"activity/api/groups?{RANGE}&q=LAB&sort=-name&page=2")
    response = json.loads(page.body)
    assert (response["total"], response["page"], response["pages"]) == (60, 2, 2)
    assert [group["name"] for group in response["groups"]] == [group(9 - n) for n in range(10)]
    table = await admin.get(f"activity/api/groups.csv?{RANGE}&q=LAB&sort=-name")
    assert [row["group"] for row in saved_rows(table.body)] == [group(59 - n) for n in range(60)]


async def test_groups_are_sorted_and_searched(admin: Visitor) -> None:
    def shown() -> list[str]:
        return re.findall(r'<th scope="row"><a [^>]*>(class-.)</a></th>', admin.page)

    await read(admin, "groups")
    assert shown() == ["class-a", "class-b"]
    for column in ("members", "users", "hours", "sessions"):
        assert f"{admin.home}activity/groups?{RANGE}&sort=-{column}" in links(admin.page)
        await read(admin, "groups", f"{RANGE}&sort=-{column}")
        assert shown() == ["class-b", "class-a"], column
        assert admin.page.count('aria-sort="descending"') == 1

    text = await read(admin, "groups", f"{RANGE}&q=B")
    assert "1 group with “B” in the name" in text
    assert shown() == ["class-b"]
    assert f"{admin.home}activity/api/groups.csv?{RANGE}&sort=name&q=B" in links(admin.page)
    assert "0 groups with “<b>” in the name" in await read(admin, "groups", "q=<b>")
    assert "<b>" not in admin.page


@pytest.mark.usefixtures("busy")
async def test_running_servers_are_sorted_and_searched(admin: Visitor) -> None:
    for order, names in {
        "": "ada alan bob", "-name": "bob alan ada", "server": "bob alan ada",
        "started": "alan bob ada", "-started": "ada bob alan",
    }.items():  # fmt: skip
        await read(admin, "now", f"{RANGE}&sort={order}")
        assert re.findall(r">(ada|alan|bob)</a>", admin.page) == names.split(), order

    text = await read(admin, "now", f"{RANGE}&q=A&sort=-name")
    assert "3 servers running." in text
    assert "2 of a user with “A” in the name" in text
    assert re.findall(r">(ada|alan|bob)</a>", admin.page) == ["alan", "ada"]
    assert '<input type="hidden" name="from" value="2026-01-05">' in admin.page
    (address,) = [link for link in links(admin.page) if "now.csv" in link]
    assert [row["user"] for row in saved_rows((await admin.get(address)).body)] == ["alan", "ada"]
    assert "cannot be sorted that way" in await read(admin, "now", "sort=x")
