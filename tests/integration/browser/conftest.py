from __future__ import annotations

import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 320, "height": 640}

expect.set_options(timeout=30_000)  # a machine that runs tests is slow at times

AXE = Path(sys.prefix) / "lib/node_modules/axe-core/axe.min.js"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker("browser")
            item.add_marker("hub")


def violations(page: Page) -> list[str]:
    """What axe-core finds, by WCAG 2.2 A and AA and its own best practices."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("() => axe.run()")["violations"]
    return [
        f"{item['id']}: {item['help']}: {[node['html'] for node in item['nodes']]}"
        for item in found
    ]


def fits(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def assert_fit_for_everybody(page: Page, complaints: list[str], scheme: str) -> None:
    """A page has its theme, fits its screen, and neither the console nor axe-core complains."""
    unexpected = [text for text in complaints if "the server responded with a status" not in text]
    assert page.locator("html").get_attribute("data-bs-theme") == scheme
    assert fits(page)
    assert unexpected == []
    assert violations(page) == []
