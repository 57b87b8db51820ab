from __future__ import annotations

import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page

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
