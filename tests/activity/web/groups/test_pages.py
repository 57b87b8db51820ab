"""Pages of groups: one, its roster, several next to each other."""

from __future__ import annotations

import re

import pytest

from tests.support.activity.course import RANGE
from tests.support.activity.pages import links, read, text_of
from tornado_service.activity.access.queries import MAX_COMPARED
from tornado_service.testing import StandInHub, Visitor


def main_part(page: str) -> str:
    return page[page.index("<main") : page.index("</main>")]


async def test_a_group_has_a_page(admin: Visitor) -> None:
    text = await read(admin, "groups/class-b")

    for said in (
        "Members of class-b: 3 users.", "Active users 3", "Server-hours 17.0 h",
        "0 of 3 members were never active.", "=bea 2 days ago (2026-01-06) 1 2.0 h",
        "active on 2 of 3 days with data",
    ):  # fmt: skip
        assert said in text
    home = f"{admin.home}activity/"
    for path in ("people", "now", "months"):
        assert f"{home}{path}?{RANGE}&group=class-b" in links(admin.page)
    assert f"{home}groups/class-b/roster?{RANGE}" in links(admin.page)
    assert f"{home}api/days.csv?{RANGE}&group=class-b" in links(admin.page)
    assert f"{home}groups?{RANGE}" in links(admin.page)


async def test_names_of_groups_are_links(admin: Visitor) -> None:
    for path in ("groups", "month/2026-01", "people/ada"):
        await read(admin, path)
        address = f"{admin.home}activity/groups/class-a"
        assert any(link.startswith(address) for link in links(admin.page)), path
    assert "Member of class-a" in await read(admin, "people/ada")


async def test_a_group_without_data_and_one_without_members(
    hub: StandInHub, admin: Visitor
) -> None:
    hub.directory.add_group("empty")
    hub.directory.add_group('<b> & "c"/d')

    assert "No data for this period." in await read(
        admin, "groups/class-a", "from=2025-01-01&to=2025-01-31"
    )
    assert "This group has no members whom you may see." in await read(admin, "groups/empty")
    await read(admin, "groups")
    (odd,) = [link for link in links(admin.page) if "%3Cb%3E" in link]
    assert (await admin.open(odd)).code == 200
    assert "<b>" not in main_part(admin.page)


async def test_a_group_may_have_the_name_of_the_comparison(hub: StandInHub, admin: Visitor) -> None:
    hub.directory.add_user("cora", groups=["compare"])

    await read(admin, "groups")
    (page,) = [link for link in links(admin.page) if "ompare?" in link]
    await admin.open(page)
    assert "Members of compare: 1 user." in text_of(admin.page)
    assert "cora" in await read(admin, "groups/compare/roster")


@pytest.mark.parametrize("path", ["groups/{}", "groups/{}/roster"])
async def test_pages_of_hidden_and_unknown_groups_are_the_same(
    instructor: Visitor, visitor: Visitor, path: str
) -> None:
    for who in (instructor, visitor):
        pages = set()
        for name in ("class-b", "class-x"):
            response = await who.open(f"activity/{path.format(name)}?{RANGE}")
            assert response.code == 404
            pages.add(text_of(who.page).replace(name, ""))
        assert len(pages) == 1
        assert "Group not found, or you do not have access to it." in pages.pop()


async def test_the_roster_names_those_who_never_came_first(
    hub: StandInHub, instructor: Visitor
) -> None:
    hub.directory.add_user("zoe", groups=["class-a"], created=None)

    text = await read(instructor, "groups/class-a/roster")

    assert "3 members, " in text
    assert "1 of all 3 were never active." in text
    assert re.search(r"zoe never 0 0.0 h .*alan 3 days ago .*ada 2 days ago", text)
    assert "active on 0 of 3 days with data" in text
    roster = f"{instructor.home}activity/groups/class-a/roster"
    assert f"{roster}?{RANGE}&sort=inactive" in links(instructor.page)
    assert f"{roster}?{RANGE}&sort=-hours" in links(instructor.page)

    text = await read(instructor, "groups/class-a/roster", f"{RANGE}&inactive_since=2026-01-06")
    assert "2 members not active since 6 January 2026, " in text
    assert "ada" not in text
    (saved,) = [link for link in links(instructor.page) if ".csv" in link]
    assert saved.endswith(f"roster.csv?{RANGE}&sort=-inactive&inactive_since=2026-01-06")
    assert (await instructor.get(saved)).body.count(b"\r\n") == 3

    text = await read(instructor, "groups/class-a/roster", f"{RANGE}&inactive_since=6.1.2026")
    assert "“Not active since” is not a valid date (use YYYY-MM-DD)." in text
    assert 'value="6.1.2026"' in instructor.page


async def test_who_is_a_member_without_an_account_yet_has_no_page_but_is_listed(
    hub: StandInHub, instructor: Visitor
) -> None:
    hub.directory.add_user("zoe", groups=["class-a"], created=None)

    await read(instructor, "groups/class-a/roster")

    assert not any("people/zoe" in link for link in links(instructor.page))
    for link in set(links(instructor.page)):
        if link.startswith(f"{instructor.home}activity/"):
            assert (await instructor.get(link)).code == 200, link


async def test_groups_are_selected_and_compared(hub: StandInHub, admin: Visitor) -> None:
    hub.directory.groups["class-b"]["users"].append("ada")
    await read(admin, "groups")
    assert f'<form method="get" action="{admin.home}activity/groups/compare' in admin.page
    boxes = re.findall(r'type="checkbox" name="group" value="([^"]*)"', admin.page)
    assert boxes == ["class-a", "class-b"]

    text = await read(admin, "groups/compare", f"{RANGE}&group=class-a&group=class-b")

    for said in (
        "Figure class-a class-b Together", "Members 2 4 5", "Active users 2 4 5",
        "Server-hours 6.0 h 22.0 h 23.0 h",
        "1 user is a member of more than one of these groups and included in each of them.",
        "2026-01-05 4.0 h 14.0 h",
    ):  # fmt: skip
        assert said in text
    query = f"{RANGE}&group=class-a&group=class-b"
    for path in ("compare.csv", "compare/periods.csv"):
        assert f"{admin.home}activity/api/groups/{path}?{query}" in links(admin.page)


async def test_a_comparison_of_too_few_and_of_too_many(hub: StandInHub, admin: Visitor) -> None:
    assert "Choose at least two groups" in await read(admin, "groups/compare")
    text = await read(admin, "groups/compare", f"{RANGE}&group=class-a&group=class-x")
    assert "Group “class-x” not found" in text
    assert "Choose at least two groups" in text
    for number in range(MAX_COMPARED + 1):
        hub.directory.add_group(f"g{number}")
    query = "&".join(f"group=g{number}" for number in range(MAX_COMPARED + 1))
    text = await read(admin, "groups/compare", f"{RANGE}&{query}")
    assert f"Showing the first {MAX_COMPARED} of the groups." in text


async def test_one_group_cannot_be_compared(instructor: Visitor) -> None:
    await read(instructor, "groups")

    assert 'type="checkbox"' not in instructor.page
