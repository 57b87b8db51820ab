"""A real Chromium with a real hub. Requires Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from .real_hub import RealHub

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

#: Names of a system's own Chromium; else Playwright's is used. The shell has no windows, and takes
#: half the time: https://developer.chrome.com/blog/chrome-headless-shell
CHROMIUM_COMMANDS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

#: The fixture ``open_page``.
OpenPage = Callable[..., "Page"]


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """A Chromium; one for each test, as Playwright's loop must not outlive it."""
    sync_api = pytest.importorskip(
        "playwright.sync_api",
        reason="a browser needs Playwright: pip install 'tornado-service[test-browser]'",
    )
    system = next(filter(None, map(shutil.which, CHROMIUM_COMMANDS)), None)
    with sync_api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=system, args=["--no-sandbox", "--disable-background-networking"]
            )
        except sync_api.Error as error:
            if system:
                raise
            pytest.skip(f"there is no Chromium: playwright install chromium ({error.name})")
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """The errors and warnings of all pages of ``open_page``, such as CSP violations.

    ::

        def test_the_page_has_no_errors(signed_in_page, complaints):
            signed_in_page.goto("reports/")
            assert complaints == []
    """
    return []


@pytest.fixture
def open_page(chromium: Browser, real_hub: RealHub, complaints: list[str]) -> OpenPage:
    """Open a URL in a new window, signed in if a user's name is given.

    ::

        def test_a_student_reads_the_reports(open_page):
            page = open_page("reports/", "sam")
            assert page.get_by_role("heading", level=1).inner_text() == "Reports"
    """

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.text} ({message.location.get('url')})")

    def open_page(path: str, name: str = "", **options: Any) -> Page:
        context = chromium.new_context(base_url=real_hub.service_public_url, **options)
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.goto(path)
        if name:
            page.get_by_label("Username").fill(name)
            page.get_by_label("Password").fill("x")
            page.locator("#login_submit").click()
            page.wait_for_url(lambda url: "/hub/" not in url or "authorize" in url)
        context.on("console", on_console)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        return page

    return open_page


@pytest.fixture
def signed_in_page(open_page: OpenPage) -> Page:
    """Playwright's page with the service's home page, signed in as ada.

    ::

        def test_a_report_is_shown(signed_in_page):
            signed_in_page.goto("reports/")
            signed_in_page.get_by_label("What happened?").fill("Disk is full")
            signed_in_page.get_by_role("button", name="Report").click()
            assert signed_in_page.get_by_text("Disk is full").is_visible()
    """
    return open_page("", "ada")
