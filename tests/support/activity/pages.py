"""The pages, and their texts."""

from __future__ import annotations

import html
import re

from tests.support.activity.course import RANGE
from tornado_service.testing import Visitor

PATHS = (
    "", "now", "people", "people/ada", "groups", "servers", "cohorts", "me", "months",
    "month/2026-01",
    "month/2025-12",
)  # fmt: skip


async def read(visitor: Visitor, path: str, query: str = RANGE) -> str:
    """The text of a page, without its tags."""
    response = await visitor.open(f"activity/{path}?{query}")
    assert response.code == 200, visitor.page
    return text_of(visitor.page)


def text_of(page: str) -> str:
    main = page[page.index("<main") : page.index("</main>")]
    text = html.unescape(re.sub(r"<[^>]*>", " ", main))
    return re.sub(r"\s+", " ", text)


def links(page: str) -> list[str]:
    return [html.unescape(link) for link in re.findall(r'href="([^"]*)"', page)]
