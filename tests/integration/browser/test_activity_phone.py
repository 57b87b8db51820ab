"""Activity on a phone: nothing is cut off without a hint, and each target is large enough."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.integration.browser.course_pages import PATHS, address
from tests.integration.browser.page_checks import PHONE, WIDE, fits, violations
from tests.support.activity import course
from tornado_service.testing import ServiceConfig

#: A period of many days.
LONG = "?from=2025-11-01&to=2026-01-07"

#: https://www.w3.org/TR/WCAG22/#target-size-minimum
SMALLEST = 24

#: What can be pressed; links within a sentence may be smaller, and are not.
TARGETS = "main :is(a, button, select, summary, input:not([type=hidden])), .tabs a"

PEOPLE = "people/bob"


@pytest.fixture
def service_config(course_directory: Path) -> ServiceConfig:
    return course.settings(course_directory)


@pytest.fixture(params=[True, False], ids=["with scripts", "without"])
def phone(open_page, request: pytest.FixtureRequest) -> Page:
    return open_page("activity/now", "ada", viewport=PHONE, java_script_enabled=request.param)


def small_targets(page: Page) -> list[tuple[str, float, float]]:
    boxes = [
        (target.evaluate("(target) => target.outerHTML"), target.bounding_box())
        for target in page.locator(TARGETS).all()
        if target.is_visible()
    ]
    assert len(boxes) > 5
    return [
        (text, box["width"], box["height"])
        for text, box in boxes
        if round(min(box["width"], box["height"]), 1) < SMALLEST
    ]


def test_every_target_is_large_enough(phone: Page) -> None:
    for path in (*PATHS, PEOPLE):
        phone.goto(address(path))
        assert small_targets(phone) == [], path


def test_axe_finds_no_small_target(open_page) -> None:
    page = open_page("activity/now", "ada", viewport=PHONE)
    for path in (*PATHS, PEOPLE):
        page.goto(address(path))
        assert violations(page, "target-size") == [], path


def test_every_column_is_there_or_has_a_hint(phone: Page) -> None:
    """A table that is too wide shows an edge and scrolls up to its last column; the first stays."""
    wide = 0
    for path in (*PATHS, PEOPLE):
        phone.goto(address(path))
        assert fits(phone), path
        for place in phone.locator(".table-responsive").all():
            if place.is_visible():
                wide += see_that_it_scrolls(place)
    assert wide >= 4


def see_that_it_scrolls(place: Locator) -> bool:
    """Whether it has to; the cells let the edge through that lies behind them."""
    last = place.locator("tbody tr").first.locator(":scope > *").last
    first = place.locator("tbody tr").first.locator(":scope > *").first
    if place.evaluate("(place) => place.scrollWidth <= place.clientWidth"):
        return False
    look = "(cell) => getComputedStyle(cell)"
    assert "linear-gradient" in place.evaluate(f"{look}.backgroundImage")
    assert last.evaluate(f"{look}.backgroundColor") == "rgba(0, 0, 0, 0)"

    begin = first.bounding_box()["x"]
    place.evaluate("(place) => place.scrollTo(place.scrollWidth, 0)")

    box, end = place.bounding_box(), last.bounding_box()
    assert (
        first.bounding_box()["x"] == pytest.approx(begin, abs=1) == pytest.approx(box["x"], abs=1)
    )
    assert end["x"] + end["width"] <= box["x"] + box["width"] + 1
    assert end["x"] >= first.bounding_box()["x"] + first.bounding_box()["width"] - 1
    return True


def test_the_tabs_are_in_one_line_and_the_current_one_is_in_view(open_page) -> None:
    page = open_page("activity/now", "ada", viewport=PHONE)
    for path, name in {"": "Overview", "cohorts": "Cohorts", "me": "My usage"}.items():
        page.goto(address(path))
        tabs = page.locator(".tabs a")
        assert len({box["y"] for box in (tab.bounding_box() for tab in tabs.all())}) == 1
        assert page.locator(".tabs").evaluate("(tabs) => tabs.scrollWidth > tabs.clientWidth")
        expect(tabs.get_by_text(name, exact=True)).to_be_in_viewport(ratio=0.99)


@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
def test_the_head_of_a_long_table_stays(open_page, size: dict[str, int]) -> None:
    page = open_page(f"activity/{LONG}", "ada", viewport=size)
    page.locator("summary").first.click()
    table = page.locator("#periods")
    head, row = table.locator("thead th").nth(1), table.locator("tbody tr").nth(60)

    row.scroll_into_view_if_needed()

    expect(row).to_be_in_viewport()
    expect(head).to_be_in_viewport(ratio=0.99)
    assert head.bounding_box()["y"] < row.bounding_box()["y"]
    on_top = head.evaluate(
        """(head) => {
          const { left, top, width, height } = head.getBoundingClientRect();
          return head.contains(document.elementFromPoint(left + width / 2, top + height / 2));
        }"""
    )
    assert on_top


def test_a_row_that_has_the_focus_is_not_under_the_head(open_page) -> None:
    page = open_page(
        address("people"), "ada", viewport={"width": 360, "height": 300}, reduced_motion="reduce"
    )
    table = page.locator("table")
    links = table.locator("tbody a")

    links.last.focus()
    links.first.focus()

    head = table.locator("thead th").first.bounding_box()
    assert links.first.bounding_box()["y"] >= head["y"] + head["height"] - 1
