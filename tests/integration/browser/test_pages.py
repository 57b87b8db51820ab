"""The service's own pages in a real browser."""

import re
from functools import partial

import pytest
from playwright.sync_api import expect

from tests.integration.browser.page_checks import NARROW, assert_accessible, renderings


@pytest.fixture
def home(real_hub) -> str:
    return real_hub.service_prefix


def test_a_user_signs_in_sees_their_page_and_signs_out(open_page, home, complaints) -> None:
    page = open_page(home, "sam")

    expect(page.get_by_role("heading", level=1)).to_have_text("tornado-service")
    expect(page.get_by_role("main")).to_contain_text("class-a")
    assert page.url.endswith(home)

    page.get_by_role("button", name="Logout").click()
    page.wait_for_url(re.compile("/hub/"))
    page.goto(home)
    expect(page.get_by_label("Username")).to_be_visible()
    assert complaints == []


def test_a_user_without_access_gets_a_page_that_says_so(open_page, home) -> None:
    page = open_page(home, "guest")

    expect(page.locator("body")).to_contain_text("You do not have permission")


def test_every_page_is_accessible_and_fits(open_page, home, complaints) -> None:
    page = open_page(home, "ada")
    for path in ("", "status", "nothing/here", "oauth_callback", "logout"):
        load = partial(page.goto, home + path, wait_until="networkidle")
        for scheme, _ in renderings(page, load):
            assert_accessible(page, complaints, scheme)


def test_the_theme_can_be_switched_and_the_hub_keeps_it(open_page, home) -> None:
    page = open_page(home, "sam", color_scheme="light")

    page.get_by_role("button", name="switch between light and dark").click()

    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.goto("/hub/home")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_the_menu_opens_on_a_narrow_screen_by_keyboard(open_page, home) -> None:
    page = open_page(home, "sam", viewport=NARROW)
    menu = page.get_by_role("button", name="Menu")
    expect(page.get_by_role("button", name="Logout")).to_be_hidden()

    menu.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("button", name="Logout")).to_be_visible()


def test_the_first_tab_leads_past_the_menu(open_page, home) -> None:
    page = open_page(home, "sam")
    page.goto(home)

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")

    assert page.evaluate("location.hash") == "#main"


def test_everything_can_be_read_without_javascript(open_page, home) -> None:
    page = open_page(home, "sam", java_script_enabled=False, viewport=NARROW)

    expect(page.get_by_role("heading", level=1)).to_have_text("tornado-service")
    expect(page.get_by_role("button", name="Logout")).to_be_visible()
    expect(page.locator("#dark-theme-toggle")).to_be_hidden()


def test_scripts_of_a_page_use_the_api_by_the_helper(open_page, home) -> None:
    page = open_page(home, "sam")

    status = page.evaluate("serviceFetch('api/user').then((response) => response.status)")
    bare = page.evaluate(f"fetch('{home}api/user').then((response) => response.status)")

    assert (status, bare) == (200, 403)
