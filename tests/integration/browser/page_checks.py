"""Accessibility and layout of a page in each colour scheme and size."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 320, "height": 640}
PHONE = {"width": 360, "height": 740}
SCHEMES = ("light", "dark")

AXE = Path(sys.prefix) / "lib/node_modules/axe-core/axe.min.js"


def violations(page: Page, *rules: str) -> list[str]:
    """Violations of WCAG 2.2 A and AA and of axe-core's best practices, or of some rules."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text())
    options = {"runOnly": list(rules)} if rules else {}
    findings = page.evaluate("(options) => axe.run(options)", options)["violations"]
    return [
        f"{item['id']}: {item['help']}: {[node['html'] for node in item['nodes']]}"
        for item in findings
    ]


def fits(page: Page) -> bool:
    """Whether the page needs no horizontal scrolling."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def renderings(
    page: Page, load: Callable[[], Any], sizes: tuple[dict[str, int], ...] = (WIDE, NARROW)
) -> Iterator[tuple[str, dict[str, int]]]:
    """Load a page in each colour scheme, each time in another size; then show it in the others."""
    for scheme, order in zip(SCHEMES, (sizes, sizes[::-1]), strict=True):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(order[0])
        load()
        for size in order:
            page.set_viewport_size(size)
            yield scheme, size


def of_pages(complaints: list[str]) -> list[str]:
    """Without errors of axe-core: scripts that a test evaluates have no URL."""
    return [text for text in complaints if not text.endswith(" ()")]


def assert_accessible(page: Page, complaints: list[str], scheme: str) -> None:
    """A page has its theme and fits; the console and axe-core report nothing."""
    where = f"{page.url} {scheme} {page.viewport_size}"
    unexpected = [
        text for text in of_pages(complaints) if "the server responded with a status" not in text
    ]
    assert page.locator("html").get_attribute("data-bs-theme") == scheme, where
    assert fits(page), where
    assert unexpected == [], where
    assert violations(page) == [], where
