"""The group filter on pages: chosen, shown, kept and removed."""

from __future__ import annotations

import asyncio
import html
import re

import pytest

from tests.support.activity import course
from tests.support.activity.course import RANGE
from tests.support.activity.pages import links, read, text_of
from tornado_service.activity import Activity
from tornado_service.activity.web import page_base
from tornado_service.testing import NewVisitor, StandInHub, Visitor

#: Pages that the filter is for.
FILTERED = ("", "now", "people", "groups", "months", "month/2026-01")

FILTER = f"{RANGE}&group=class-a"


def options(page: str) -> list[str]:
    """What the field of the groups offers."""
    field = re.search(r'<select [^>]*name="group".*?</select>', page, re.DOTALL)
    return re.findall(r"<option>(.*?)</option>", field[0]) if field else []


@pytest.mark.parametrize("path", FILTERED)
async def test_a_filter_is_chosen_shown_and_removed(admin: Visitor, path: str) -> None:
    await read(admin, path)
    assert options(admin.page) == ["class-a", "class-b"]

    text = await read(admin, path, FILTER)
    assert "Members of class-a: 2 users." in text
    assert options(admin.page) == ["class-b"]
    assert '<input type="hidden" name="group" value="class-a">' in admin.page
    (remove,) = re.findall(
        r'<a href="([^"]*)" aria-label="Remove the group filter class-a">', admin.page
    )
    assert html.unescape(remove) == f"{admin.home}activity/{path}?{RANGE}"

    text = await read(admin, path, f"{FILTER}&group=class-b")
    assert "Members of class-a or class-b: 5 users." in text
    assert options(admin.page) == []
    remaining = f"{admin.home}activity/{path}?{RANGE}&group=class-b"
    assert remaining in links(admin.page)


async def test_the_figures_of_each_page_are_those_of_the_group(admin: Visitor) -> None:
    figures = {
        "": "Active users 2", "people": "2 users, ", "groups": "1 group, ",
        "months": "January 2026 at least 2 at least 6.0 h", "month/2026-01": "class-a 2 2 6.0 h 3",
    }  # fmt: skip
    for path, said in figures.items():
        text = await read(admin, path, FILTER)
        assert said in text, path
        for hidden in ("bob", "bea", "17.0 h"):
            assert hidden not in text, path
    assert "class-b" not in text_of(admin.page).replace("Add a group None class-b", "")


async def test_the_filter_is_kept_from_page_to_page(admin: Visitor) -> None:
    for path in FILTERED:
        await read(admin, path, FILTER)
        home = f"{admin.home}activity/"
        for tab in ("", "now", "people", "groups", "months", "me"):
            assert f"{home}{tab}?{FILTER}" in links(admin.page), (path, tab)
        tables = [link for link in links(admin.page) if ".csv" in link]
        assert tables
        assert all("group=class-a" in link for link in tables), path
        presets = [link for link in links(admin.page) if RANGE not in link and "?from=" in link]
        assert all("group=class-a" in link for link in presets), path


async def test_every_link_of_a_filtered_page_leads_somewhere(admin: Visitor) -> None:
    paths = (*FILTERED, "me", "people/ada", "groups/class-a", "groups/class-a/roster")
    for path in paths:
        await read(admin, path, FILTER)
        for link in set(links(admin.page)):
            if link.startswith(f"{admin.home}activity/"):
                assert (await admin.get(link)).code == 200, (path, link)


async def test_no_times_for_maintenance_of_a_group(admin: Visitor) -> None:
    assert "Best times for maintenance" in await read(admin, "")
    for path in ("", "month/2026-01"):
        assert "Best times for maintenance" not in await read(admin, path, FILTER)


@pytest.mark.parametrize("path", FILTERED)
async def test_an_unknown_and_a_hidden_group_are_reported_alike(
    instructor: Visitor, path: str
) -> None:
    texts = set()
    for name in ("class-b", "class-x"):
        text = await read(instructor, path, f"{RANGE}&group={name}")
        assert f"Group “{name}” not found, or you do not have access to it." in text
        assert "Showing all users you may see." in text
        texts.add(text.replace(name, ""))
        assert not any("group=" in link for link in links(instructor.page))
    assert len(texts) == 1

    text = await read(instructor, path, f"{FILTER}&group=class-b")
    assert "Group “class-b” not found" in text
    assert "Members of class-a: 2 users you may see." in text


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [(("list:users",), "list:groups"), (("list:users", "list:groups"), "read:groups")],
)
async def test_the_scope_that_is_missing_for_groups_is_named(
    app: Activity,
    hub: StandInHub,
    new_visitor: NewVisitor,
    scopes: tuple[str, ...],
    missing: str,
) -> None:
    hub.grant("ines", *scopes)
    visitor = new_visitor("ines")

    for path in ("", "people", "now", "months"):
        assert f"No group filter: the scope {missing} is missing." in await read(visitor, path)
        assert options(visitor.page) == []
    text = await read(visitor, "people", FILTER)
    assert f"Groups are not shown to you: the scope {missing} is missing." in text


async def test_a_student_has_no_filter(app: Activity, visitor: Visitor) -> None:
    for path in FILTERED:
        await read(visitor, path)
        assert 'name="group"' not in visitor.page
        assert "No group filter" not in visitor.page
    assert "Group “class-a” not" in (await read(visitor, "", FILTER)) or (
        "the scope list:groups is missing" in text_of(visitor.page)
    )


async def test_while_the_hub_sends_no_groups_pages_go_on_without_a_filter(
    app: Activity, hub: StandInHub, admin: Visitor
) -> None:
    await admin.open("home")
    hub.fault = "error"

    text = await read(admin, "people")

    assert "No group filter: JupyterHub did not send the groups." in text
    assert "bob" in text
    # a filter is never left out because of that
    assert (await admin.open(f"activity/people?{FILTER}")).code == 503


async def test_a_slow_hub_delays_no_page_that_only_offers_groups(
    app: Activity, hub: StandInHub, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await admin.open("home")
    monkeypatch.setattr(page_base, "MAX_WAIT_FOR_GROUPS", 0.01)
    hub.gate = asyncio.Event()

    assert "No group filter: JupyterHub did not send the groups." in await read(admin, "people")

    monkeypatch.undo()
    hub.gate.set()
    await read(admin, "people")
    assert options(admin.page) == ["class-a", "class-b"]
    assert hub.calls["/hub/api/groups"] == 1


async def test_a_filter_that_is_too_long_is_ignored_in_words(admin: Visitor) -> None:
    text = await read(admin, "people", f"{RANGE}&group={'x' * 256}")

    assert "The group filter is not valid and was ignored." in text
    assert "5 users, " in text


async def test_a_month_has_the_groups_of_the_filter(admin: Visitor) -> None:
    text = await read(admin, "month/2026-01", FILTER)

    assert "class-a 2 2 6.0 h 3" in text
    assert "class-b 3" not in text
    assert course.CLASS_B[0] not in text
