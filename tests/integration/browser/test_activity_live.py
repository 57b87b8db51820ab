"""Activity's pages in a real browser while users sign out, and roles and servers change."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.integration.browser.course_pages import PATHS, address
from tests.integration.browser.page_checks import PHONE
from tests.support.activity import course
from tornado_service.testing import RealHub, ServiceConfig

#: Users of the course and of the hub whom the instructor may not see.
OTHERS = ("ada", "alan", "bob", "=bea", "x/y <b>", "kim", "guest")


@pytest.fixture
def service_config(course_directory: Path) -> ServiceConfig:
    return {
        "TornadoService": {"apps": ["tests.support.frequent_activity:FrequentActivity"]},
        "FrequentActivity": course.settings(course_directory)["Activity"],
        "ServiceAuth": {"cache_max_age": 1},
    }


def test_a_new_server_appears_without_a_reload(open_page, real_hub, complaints) -> None:
    page = open_page("activity/now", "ada")
    expect(page.get_by_text("Updates automatically.")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("No servers running.")

    real_hub.ask("POST", "users/sam/server")
    try:
        status = page.get_by_role("status")
        expect(status).to_have_text("1 server running.", timeout=60_000)  # two samples
        expect(page.locator("tbody").get_by_role("link", name="sam")).to_be_visible()
    finally:
        real_hub.ask("DELETE", "users/sam/server")
    assert complaints == []


def test_a_table_that_is_updated_keeps_its_focus_and_its_columns(open_page, real_hub) -> None:
    page = open_page("activity/now", "ada", viewport=PHONE)
    real_hub.ask("POST", "users/sam/server")
    try:
        table, note = page.locator(".table-responsive"), page.locator("#running p").first
        expect(table).to_contain_text("sam", timeout=60_000)  # two samples
        table.evaluate("(table) => { table.scrollTo(100, 0); table.focus(); }")

        note.evaluate("(note) => { note.textContent = 'Replaced with the next sample.'; }")

        expect(note).not_to_have_text("Replaced with the next sample.", timeout=60_000)
        expect(table).to_be_focused()
        assert table.evaluate("(table) => table.scrollLeft") == 100
    finally:
        real_hub.ask("DELETE", "users/sam/server")


def sign_out_elsewhere(page: Page, real_hub: RealHub) -> None:
    """Sign out in another tab of the same browser."""
    other = page.context.new_page()
    other.goto(f"{real_hub.service_public_url}logout")
    other.get_by_role("button", name="Logout").click()


def test_a_sign_out_in_another_tab_clears_the_page(open_page, real_hub) -> None:
    page = open_page("activity/now", "ada")
    expect(page.get_by_text("Updates automatically.")).to_be_visible()
    expect(page.locator("#running")).to_contain_text("As of 20")

    sign_out_elsewhere(page, real_hub)

    expect(page.get_by_text("You are signed out, or may not see this any more")).to_be_visible()
    expect(page.locator("#running")).to_be_empty()


def test_a_response_that_arrives_after_signing_out_is_not_shown(open_page, real_hub) -> None:
    """The response to the script's request arrives after a sign-out in another tab."""
    page = open_page("activity/now", "ada")
    expect(page.locator("#running")).to_contain_text("As of 20")
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if route.request.resource_type == "document":
            route.continue_()
        else:
            held.append((route, route.fetch()))

    page.route(re.compile("/activity/now$"), hold)
    page.reload()
    held.clear()  # requests of the previous page never finish
    page.evaluate(
        """() => {
          const parse = DOMParser.prototype.parseFromString;
          DOMParser.prototype.parseFromString = function (...args) {
            window.hasArrived = true;
            return parse.apply(this, args);
          };
        }"""
    )
    while not held:
        page.wait_for_timeout(50)

    sign_out_elsewhere(page, real_hub)
    expect(page.get_by_text("You are signed out, or may not see this any more")).to_be_visible()
    route, response = held[0]  # another sample may have been taken since
    assert "As of 20" in response.text()
    route.fulfill(response=response)
    page.wait_for_function("() => window.hasArrived")  # a function, as in `expect_to_fit`

    expect(page.locator("#running")).to_be_empty()


@pytest.fixture
def change_group(real_hub) -> Iterator[Callable[[str, str], None]]:
    """Add ines to a group (``POST``) or remove her (``DELETE``); undone after the test."""

    def change(method: str, group: str) -> None:
        real_hub.ask(method, f"groups/{group}/users", {"users": ["ines"]})

    yield change
    change("POST", "instructors")
    change("DELETE", "class-b")


def test_a_revoked_role_hides_the_other_users(open_page, real_hub, change_group) -> None:
    change_group("POST", "class-b")  # whose students may see the page, and no other user
    of_sam = re.compile(r"\bsam\b")
    page = open_page(address("people"), "ines")
    expect(page.locator("tbody")).to_contain_text(of_sam)
    real_hub.ask("POST", "users/sam/server")
    try:
        page.goto(address("now"))
        running = page.locator("#running")
        expect(running).to_contain_text(of_sam, timeout=60_000)  # two samples

        change_group("DELETE", "instructors")

        expect(page.get_by_role("status")).to_have_text("No servers running.", timeout=60_000)
        assert names_in(page, "sam", *OTHERS) == []
        for path in PATHS:
            page.goto(address(path))
            assert names_in(page, "sam", "class-a", *OTHERS) == [], path
        page.goto(address(""))
        expect(page.get_by_role("heading", level=1)).to_have_text("My usage")
        assert page.goto(address("people/sam")).status == 404
    finally:
        real_hub.ask("DELETE", "users/sam/server")


def test_a_user_who_loses_access_sees_nothing_on_the_page(open_page, change_group) -> None:
    page = open_page("activity/now", "ines")
    expect(page.get_by_text("Updates automatically.")).to_be_visible()

    change_group("DELETE", "instructors")

    reported = page.get_by_text("You are signed out, or may not see this any more")
    expect(reported).to_be_visible(timeout=60_000)
    expect(page.locator("#running")).to_be_empty()


def names_in(page: Page, *names: str) -> list[str]:
    """Which of these names are in a page, visible or not."""
    text = page.locator("main").text_content() or ""
    return [name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]
