"""Activity in a real browser: charts, without scripts, by keyboard, on paper."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.integration.browser.course_pages import PATHS, address
from tests.integration.browser.page_checks import (
    NARROW,
    PHONE,
    SCHEMES,
    WIDE,
    fits,
    of_pages,
    renderings,
    violations,
)
from tests.support.activity import course
from tornado_service.testing import ServiceConfig

#: Each user, and a user whose page they may open.
VISITORS = {"ada": "bob", "ines": "sam", "sam": "sam"}


@pytest.fixture
def service_config(course_directory: Path) -> ServiceConfig:
    return course.settings(course_directory)


def name_of(chart: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(chart)}")


@pytest.mark.parametrize("name", VISITORS)
def test_every_page_is_accessible_and_fits(open_page, complaints, name: str) -> None:
    page = open_page("activity/now", name)
    for path in (*PATHS, f"people/{VISITORS[name]}"):
        for scheme, size in renderings(
            page, lambda path=path: open_well(page, path), (WIDE, PHONE)
        ):
            where = (path, scheme, size)
            assert page.locator("html").get_attribute("data-bs-theme") == scheme, where
            expect_to_fit(page)
            if size == PHONE:
                page.set_viewport_size(NARROW)
                expect_to_fit(page)
                page.set_viewport_size(PHONE)
            assert of_pages(complaints) == [], where
            if (scheme, size) in (("light", WIDE), ("dark", PHONE)):  # each scheme and size once
                assert violations(page) == [], where


def open_well(page: Page, path: str) -> None:
    """Open a page, and wait for all its charts."""
    assert page.goto(address(path)).status == 200, path
    for figure in page.locator("figure[data-chart]").all():
        expect(figure.get_by_role("img")).to_be_visible()
    assert fits(page), path


def expect_to_fit(page: Page) -> None:
    """Wait until the charts are drawn again after a change of the width."""
    # a function: polling an expression would need eval, which the page's policy refuses
    page.wait_for_function("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_a_student_finds_their_own_usage(open_page, complaints) -> None:
    page = open_page("activity/", "sam", viewport=NARROW)

    expect(page.get_by_role("heading", level=1)).to_have_text("My usage")
    expect(page.get_by_role("link", name="Users")).to_have_count(0)
    assert complaints == []


def test_a_chart_has_a_text_alternative(open_page) -> None:
    page = open_page(address(""), "ada")

    users = page.get_by_role("img", name=name_of("Active users per day"))
    expect(users).to_have_accessible_name(re.compile("the maximum is 5.*the minimum 2"))
    expect(
        page.get_by_role("img", name=name_of("Concurrent servers per day: peak and average"))
    ).to_be_visible()
    hours = page.get_by_role(
        "img", name=name_of("Average concurrent servers in each hour of the week")
    )
    expect(hours).to_have_accessible_name(re.compile("96 of 168 have no data"))


def test_a_gap_is_drawn_as_a_gap(open_page) -> None:
    page = open_page("activity/?from=2026-01-03&to=2026-01-07", "ada")
    chart = page.locator("figure", has_text="Active users per day")

    expect(chart).to_contain_text("no data")
    expect(chart).to_contain_text("no data: 2026-01-03 to 2026-01-04")
    expect(chart.locator("[fill^='url(#hatch-'] rect")).to_have_count(2)
    expect(chart.locator("[fill='var(--chart)'] rect")).to_have_count(3)


def test_the_table_of_a_chart_opens_by_keyboard(open_page) -> None:
    page = open_page(address(""), "ada")
    table = page.locator("#periods")
    expect(table).to_be_hidden()

    page.locator("summary", has_text="Show as table").first.focus()
    page.keyboard.press("Enter")

    expect(table).to_be_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.contains(document.getElementById('periods'))")


def test_charts_follow_the_theme_and_the_width(open_page) -> None:
    page = open_page(address(""), "ada", viewport=WIDE, color_scheme="light")
    chart = page.get_by_role("img", name=name_of("Active users per day"))
    bar = chart.locator("[fill='var(--chart)']")
    colour = "(bar) => getComputedStyle(bar).fill"
    light, wide = bar.evaluate(colour), chart.bounding_box()["width"]

    page.get_by_role("button", name="switch between light and dark").click()
    page.set_viewport_size(NARROW)

    expect(chart).to_have_attribute("width", re.compile("^2"))
    assert bar.evaluate(colour) != light
    assert chart.bounding_box()["width"] < wide


def test_all_figures_can_be_read_without_javascript(open_page) -> None:
    page = open_page(address(""), "ada", java_script_enabled=False, viewport=NARROW)

    expect(page.locator("#periods")).to_be_visible()
    expect(page.locator("#heat")).to_be_visible()
    expect(page.locator("figure")).to_have_count(4)
    expect(page.locator("figure").first).to_be_hidden()
    page.get_by_label("From").fill("2026-01-06")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="6 to 7 January 2026")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "reported"),
    [("people", "14.0 h"), ("groups", "(current members)"), ("people/bob", "default server"),
     ("month/2026-01", "2026-01-05 to 2026-01-11"), ("now", "As of 20"),
     ("cohorts", "Week of arrival")],
)  # fmt: skip
def test_each_page_can_be_read_without_javascript(open_page, path: str, reported: str) -> None:
    page = open_page(address(path), "ada", java_script_enabled=False, viewport=NARROW)

    expect(page.get_by_text(reported).first).to_be_visible()
    for table in page.locator("table").all():
        expect(table).to_be_visible()
    for link in page.get_by_role("link", name="Save as CSV").all():
        expect(link).to_be_visible()
    expect(
        page.locator("[data-needs-script]:visible, figure:visible, #live:visible")
    ).to_have_count(0)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_table_is_saved_however_its_link_is_opened(
    open_page, tmp_path: Path, scripts: bool
) -> None:
    page = open_page(address("people"), "ada", java_script_enabled=scripts)
    link = page.get_by_role("link", name="Save as CSV")

    for opens in (link.click, lambda: link.press("Enter")):
        with page.expect_download() as saved:
            opens()
        assert saved.value.suggested_filename.endswith(".csv")
        saved.value.save_as(tmp_path / "people.csv")
        assert "bob" in (tmp_path / "people.csv").read_text()


def test_users_are_searched_without_javascript(open_page) -> None:
    page = open_page(address("people"), "ada", java_script_enabled=False)

    page.get_by_label("Part of the name").fill("BO")
    page.get_by_role("button", name="Show").click()

    expect(page.locator("tbody th")).to_have_text(["bob"])


def test_without_the_chart_library_the_tables_are_shown(open_page, complaints) -> None:
    page = open_page("activity/now", "ada")
    page.route("**/plot/**", lambda route: route.abort())
    page.goto(address(""))

    expect(page.locator("#periods")).to_be_visible()
    expect(page.locator("figure").first).to_be_hidden()
    assert [text for text in complaints if "ERR_FAILED" not in text] == []


def test_users_are_sorted_by_keyboard(open_page) -> None:
    page = open_page(address("people"), "ada")

    page.get_by_role("link", name="Name").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute(
        "aria-sort", "ascending"
    )
    expect(page.locator("tbody th").first).to_have_text("=bea")
    page.get_by_role("link", name="x/y <b>").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("x/y <b>")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_report_of_a_month_prints_well(open_page, complaints, scheme: str) -> None:
    page = open_page("activity/month/2026-01", "ada", color_scheme=scheme)
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    page.emulate_media(media="print")

    for shown in (page.get_by_role("heading", level=1), *page.get_by_role("img").all()):
        expect(shown).to_be_visible()
    for hidden in ("nav", "#days", "#thenavbar", "[data-print]", "a[download]"):
        for element in page.locator(hidden).all():
            expect(element).to_be_hidden()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").startswith(b"%PDF")
    assert is_on_paper(page)
    assert complaints == []


def test_the_report_breaks_neither_borders_nor_single_rows(open_page) -> None:
    page = open_page("activity/month/2026-01", "ada")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 900})
    breaks = """(rows) => rows.map((row) => {
      const { breakBefore, breakAfter } = getComputedStyle(row);
      return [breakBefore, breakAfter];
    })"""

    rows = page.locator("#weeks-table tbody tr").evaluate_all(breaks)
    head = page.locator("#weeks-table thead").evaluate_all(breaks)

    assert [after for _, after in [*head, *rows[:2]]] == ["avoid"] * 3
    assert [before for before, _ in rows[-2:]] == ["avoid"] * 2
    # paper cuts at its edge, by fractions of a pixel too
    edge = (
        "(card) => document.body.getBoundingClientRect().right - card.getBoundingClientRect().right"
    )
    distances = [card.evaluate(edge) for card in page.locator("dl.figures > div").all()]
    assert min(distances) >= 1


def is_on_paper(page: Page) -> bool:
    """Whether the page fits between the margins of A4."""
    page.set_viewport_size({"width": 680, "height": 900})
    return fits(page)
