from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.prepare import BROWSERS
from tests.real_hub.conftest import real_hub, start_hub  # noqa: F401 - fixtures

AXE = Path(sys.prefix) / "lib/node_modules/axe-core/axe.min.js"
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker("browser")
            item.add_marker("hub")


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A Chromium; one for each test, as Playwright's loop must not outlive it."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield chromium
        chromium.close()


class Complaints(list[str]):
    """What the browser's console said that nobody should have to read."""

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self.append(str(error.error)))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.append(f"{message.text} ({message.location.get('url')})")


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def open_page(
    browser: Browser,
    real_hub: Any,  # noqa: F811
    complaints: Complaints,
) -> Callable[..., Page]:
    """Open an address of the hub in a new window, signed in as somebody if a name is given."""

    def open_page(path: str, name: str = "", **options: Any) -> Page:
        context = browser.new_context(base_url=f"http://127.0.0.1:{real_hub.port}", **options)
        context.set_default_timeout(10_000)
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


def violations(page: Page) -> list[str]:
    """What axe-core finds, by WCAG 2.2 A and AA and its own best practices."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("() => axe.run()")["violations"]
    return [
        f"{item['id']}: {item['help']}: {[node['html'] for node in item['nodes']]}"
        for item in found
    ]
