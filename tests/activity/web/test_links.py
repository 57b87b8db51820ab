"""Invalid input in the URL and the forms of a page."""

from __future__ import annotations

import html
import re

import pytest

from tests.support.activity.course import RANGE
from tests.support.activity.pages import links, read, text_of
from tornado_service.testing import Visitor

FIELD = re.compile(r'<input[^>]*? id="(from|to|q)"[^>]*>', re.DOTALL)
#: Terms of schemas and parameters, which must not be in messages for users.
FOR_PROGRAMS = re.compile(
    r"Input should|String should|valid integer|validation|'from'|'name'|'-hours'|“(sort|page|q)”"
)


def fields(page: str) -> dict[str, str]:
    """The value of each field of a form that a browser shows: a date field shows only dates."""
    values = {}
    for field in FIELD.finditer(page):
        value = html.unescape(re.search(r'value="([^"]*)"', field[0])[1])
        is_shown = 'type="date"' not in field[0] or re.fullmatch(r"\d{4}-\d\d-\d\d", value)
        values[field[1]] = value if is_shown else ""
    return values


@pytest.mark.parametrize(
    ("first", "last", "reported"),
    [
        ("31.1.2026", "2026-02-01", "“From” is not a valid date (use YYYY-MM-DD)."),
        ("2026-01-01", "<soon>", "“To” is not a valid date (use YYYY-MM-DD)."),
        ("20260101", "2026-02-30", "“To” is not a valid date"),
        ("0001-01-01", "2026-01-31", "“From”: enter a date between 1990 and 2199."),
        ("2026-02-01", "2026-01-01", "The start date must not be after the end date"),
        ("1990-01-01", "2190-01-01", "(at most 3,700 days)."),
    ],
)
@pytest.mark.parametrize("path", ["", "people", "groups", "me", "people/bob"])
async def test_an_invalid_period_stays_in_the_form(
    admin: Visitor, path: str, first: str, last: str, reported: str
) -> None:
    text = await read(admin, path, f"from={first}&to={last}")

    assert reported in text
    assert "Showing the last 30 days." in text
    shown = fields(admin.page)
    assert (shown["from"], shown["to"]) == (first, last)
    assert 'aria-invalid="true"' in admin.page
    assert not FOR_PROGRAMS.search(text)


async def test_an_invalid_period_leaves_the_search_and_the_order(admin: Visitor) -> None:
    text = await read(admin, "people", "from=x&q=B&sort=-name")

    assert "3 users with “B” in the name" in text
    assert 'aria-sort="descending"' in admin.page
    assert fields(admin.page)["q"] == "B"


@pytest.mark.parametrize("path", ["people", "groups", "now"])
@pytest.mark.parametrize(
    ("query", "reported"),
    [
        ("sort=x", "This table cannot be sorted that way."),
        ("page=x", "This is not a page of the table."),
        ("page=0", "This is not a page of the table."),
        (f"q={'y' * 101}", "The search text is too long."),
    ],
)
async def test_errors_name_no_api_parameters(
    admin: Visitor, path: str, query: str, reported: str
) -> None:
    text = await read(admin, path, f"{RANGE}&{query}")

    assert reported in text
    assert not FOR_PROGRAMS.search(text)
    if query.startswith("q="):
        assert fields(admin.page)["q"] == "y" * 101
    if path != "now":
        assert "5 to 7 January 2026" in text


@pytest.mark.parametrize("path", ["people", "groups"])
async def test_a_preset_keeps_the_search_and_the_order(admin: Visitor, path: str) -> None:
    await read(admin, path, f"{RANGE}&q=A%26b&sort=-sessions")

    presets = [link for link in links(admin.page) if link.endswith("sort=-sessions&q=A%26b")]
    assert len([link for link in presets if f"/{path}?from=" in link and RANGE not in link]) == 8
    await admin.open(presets[0])
    assert "“A&b” in" in text_of(admin.page)


@pytest.mark.parametrize("path", ["", "me", "people/bob"])
async def test_a_page_without_a_search_has_plain_presets(admin: Visitor, path: str) -> None:
    await read(admin, path)

    assert not any("sort=" in link or "q=" in link for link in links(admin.page))
