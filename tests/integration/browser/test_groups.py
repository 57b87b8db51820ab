"""Groups in a real browser: filter, comparison and roster."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.integration.browser.course_pages import RANGE, address
from tests.integration.browser.page_checks import (
    PHONE,
    WIDE,
    fits,
    of_pages,
    renderings,
    violations,
)
from tests.support.activity import course
from tornado_service.testing import ServiceConfig

COMPARISON = f"groups/compare?{RANGE}&group=class-a&group=class-b"
PATHS = {
    "ada": ("groups/class-a", "groups/class-a/roster", COMPARISON, f"?{RANGE}&group=class-a"),
    "ines": ("groups", "groups/class-a/roster", ""),
}


@pytest.fixture
def service_config(course_directory: Path) -> ServiceConfig:
    return course.settings(course_directory)


def expect_charts(page: Page) -> None:
    for figure in page.locator("figure[data-chart]").all():
        expect(figure.get_by_role("img")).to_be_visible()


@pytest.mark.parametrize("name", PATHS)
def test_every_page_of_groups_is_accessible(open_page, complaints, name: str) -> None:
    page = open_page("activity/now", name)

    def load(path: str) -> None:
        assert page.goto(address(path)).status == 200, path
        expect_charts(page)

    for path in PATHS[name]:
        for scheme, size in renderings(page, lambda path=path: load(path), (WIDE, PHONE)):
            where = (path, scheme, size)
            page.wait_for_function(
                "() => document.documentElement.scrollWidth <= window.innerWidth"
            )
            assert fits(page), where
            assert of_pages(complaints) == [], where
            if (scheme, size) in (("light", WIDE), ("dark", PHONE)):
                assert violations(page) == [], where


def test_groups_are_compared_by_keyboard(open_page) -> None:
    page = open_page(address("groups"), "ada")

    for group in ("class-a", "class-b"):
        page.get_by_role("checkbox", name=f"Compare {group}").press("Space")
    page.get_by_role("button", name="Compare the selected groups").press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Compare groups")
    hours = page.get_by_role("img", name="Server-hours per day")
    expect(hours).to_be_visible()
    # a bar for each day and each class with usage, in a color of its own
    for color in ("var(--chart-1)", "var(--chart-2)"):
        assert hours.locator(f"rect[fill='{color}']").count() == 3, color
    users = page.get_by_role("img", name="Active users per day")
    expect(users.locator("[stroke^='var(--chart-'] path")).to_have_count(2)


def test_a_group_is_chosen_and_removed_without_javascript(open_page) -> None:
    page = open_page(address("people"), "ada", java_script_enabled=False)

    page.get_by_label("Group", exact=True).select_option("class-a")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Members of class-a")).to_be_visible()
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_text("Members of class-a")).to_be_visible()
    page.get_by_role("link", name="Remove the group filter class-a").click()
    expect(page.get_by_text("All users of this hub")).to_be_visible()


def test_a_roster_is_filtered_and_read_without_javascript(open_page) -> None:
    page = open_page(address(""), "ines", java_script_enabled=False, viewport=PHONE)

    page.get_by_role("link", name="Roster of class-a").click()
    # the usage of the history is that of an earlier account of this name
    sam = page.get_by_role("row", name="sam")
    expect(sam).to_contain_text("never")
    expect(sam).to_contain_text("active on 0 of 3 days with data")
    page.get_by_label("Not active since").fill("2026-01-09")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("not active since 9 January 2026")).to_be_visible()


def test_a_live_page_keeps_its_filter(open_page) -> None:
    page = open_page(f"activity/?{RANGE}&group=class-b", "ada")

    with page.expect_response(lambda response: "activity/now?" in response.url) as refreshed:
        page.reload()
    assert "group=class-b" in refreshed.value.url
