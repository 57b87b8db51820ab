"""A person in a real Chromium, before a real hub. It needs Playwright."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from .real_hub import RealHub

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, WebError

#: What a system's own Chromium may be called; else it is Playwright's.
CHROMIUM_COMMANDS = ("chromium", "chromium-browser", "google-chrome")

#: The fixture ``open_page``.
OpenPage = Callable[..., "Page"]


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """A Chromium; one for each test, as Playwright's loop must not outlive it."""
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("a browser needs Playwright: pip install 'tornado-service[test-browser]'")
    from playwright.sync_api import Error, sync_playwright

    system = next(filter(None, map(shutil.which, CHROMIUM_COMMANDS)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=system, args=["--no-sandbox", "--disable-background-networking"]
            )
        except Error as error:
            if system:
                raise
            pytest.skip(f"there is no Chromium: playwright install chromium ({error.name})")
        yield browser
        browser.close()


class ConsoleErrors(list[str]):
    """Errors and warnings of the browser's console."""

    def watch(self, context: BrowserContext) -> None:
        """Collect those of all pages of a context."""
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.append(f"{message.text} ({message.location.get('url')})")

    def _on_error(self, error: WebError) -> None:
        self.append(str(error.error))


@pytest.fixture
def complaints() -> ConsoleErrors:
    """The errors and warnings of all pages of ``open_page``; such as of the security policy.

    ::

        def test_the_page_has_no_errors(signed_in_page, complaints):
            signed_in_page.goto("reports/")
            assert complaints == []
    """
    return ConsoleErrors()


@pytest.fixture
def open_page(chromium: Browser, real_hub: RealHub, complaints: ConsoleErrors) -> OpenPage:
    """Open an address in a new window, signed in as somebody if a name is given.

    ::

        def test_a_student_reads_the_reports(open_page):
            page = open_page("reports/", "sam")
            assert page.get_by_role("heading", level=1).inner_text() == "Reports"
    """

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
        complaints.watch(context)
        return page

    return open_page


@pytest.fixture
def signed_in_page(open_page: OpenPage) -> Page:
    """Playwright's page, in which ada sees the service's home page.

    ::

        def test_a_report_is_shown(signed_in_page):
            signed_in_page.goto("reports/")
            signed_in_page.get_by_label("What happened?").fill("Disk is full")
            signed_in_page.get_by_role("button", name="Report").click()
            assert signed_in_page.get_by_text("Disk is full").is_visible()
    """
    return open_page("", "ada")
