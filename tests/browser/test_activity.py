"""Activity in a real browser: charts, without scripts, by keyboard, live, on paper."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.activity import course
from tests.browser.conftest import violations
from tests.browser.test_pages import fits
from tornado_service.testing import ServiceConfig

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 320, "height": 640}
RANGE = "from=2026-01-05&to=2026-01-07"
PATHS = (
    "", "now", "people", "people/bob", "groups", "me", "months", "month/2026-01", "?from=x",
)  # fmt: skip


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("activity")
    asyncio.run(course.write(directory / "activity.sqlite"))
    return directory


@pytest.fixture
def service_config(database: Path) -> ServiceConfig:
    return course.settings(database, interval=30)


def address(path: str) -> str:
    return f"activity/{path}{'' if '?' in path else '?' + RANGE}"


def name_of(chart: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(chart)}")


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", WIDE), ("dark", NARROW)], ids=["light-wide", "dark-narrow"]
)
def test_every_page_is_fit_for_everybody(
    open_page, complaints, scheme: str, size: dict[str, int]
) -> None:
    page = open_page("activity/", "ada", viewport=size, color_scheme=scheme)
    for path in PATHS:
        page.goto(address(path))
        for figure in page.locator("figure[data-chart]").all():
            expect(figure.get_by_role("img")).to_be_visible()
        assert fits(page), path
        assert complaints == [], path
    for path in PATHS:
        page.goto(address(path))
        assert violations(page) == [], path


def test_a_student_finds_their_own_use(open_page, complaints) -> None:
    page = open_page("activity/", "sam", viewport=NARROW)

    expect(page.get_by_role("heading", level=1)).to_have_text("My use")
    expect(page.get_by_role("link", name="People")).to_have_count(0)
    assert complaints == []


def test_a_chart_says_in_words_what_it_shows(open_page) -> None:
    page = open_page(address(""), "ada")

    users = page.get_by_role("img", name=name_of("Active users a day"))
    expect(users).to_have_accessible_name(re.compile("the most is 3.*the least 2"))
    expect(
        page.get_by_role("img", name=name_of("Servers at a time: most and mean"))
    ).to_be_visible()
    hours = page.get_by_role("img", name=name_of("Servers at a time in each hour of the week"))
    expect(hours).to_have_accessible_name(re.compile("96 of 168 were not watched"))


def test_a_gap_is_drawn_as_a_gap(open_page) -> None:
    page = open_page("activity/?from=2026-01-03&to=2026-01-07", "ada")
    chart = page.locator("figure", has_text="Active users a day")

    expect(chart).to_contain_text("not watched")
    expect(chart.locator("[fill='var(--chart-gap)'] rect")).to_have_count(2)
    expect(chart.locator("[fill='var(--chart)'] rect")).to_have_count(3)


def test_the_table_of_a_chart_opens_by_keyboard(open_page) -> None:
    page = open_page(address(""), "ada")
    table = page.locator("#periods")
    expect(table).to_be_hidden()

    page.locator("summary", has_text="The same as a table").first.focus()
    page.keyboard.press("Enter")

    expect(table).to_be_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.contains(document.getElementById('periods'))")


def test_charts_follow_the_theme_and_the_width(open_page) -> None:
    page = open_page(address(""), "ada", viewport=WIDE, color_scheme="light")
    chart = page.get_by_role("img", name=name_of("Active users a day"))
    bar = chart.locator("[fill='var(--chart)']")
    colour = "(bar) => getComputedStyle(bar).fill"
    light, wide = bar.evaluate(colour), chart.bounding_box()["width"]

    page.get_by_role("button", name="switch between light and dark").click()
    page.set_viewport_size(NARROW)

    expect(chart).to_have_attribute("width", re.compile("^2"))
    assert bar.evaluate(colour) != light
    assert chart.bounding_box()["width"] < wide


def test_without_javascript_all_figures_are_there_to_read(open_page) -> None:
    page = open_page(address(""), "ada", java_script_enabled=False, viewport=NARROW)

    expect(page.locator("#periods")).to_be_visible()
    expect(page.locator("#heat")).to_be_visible()
    expect(page.locator("figure")).to_have_count(3)
    expect(page.locator("figure").first).to_be_hidden()
    page.get_by_label("From").fill("2026-01-06")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="6 January 2026 to 7 January 2026")).to_be_visible()


def test_without_what_draws_charts_the_tables_are_shown(open_page, complaints) -> None:
    page = open_page("activity/now", "ada")
    page.route("**/plot/**", lambda route: route.abort())
    page.goto(address(""))

    expect(page.locator("#periods")).to_be_visible()
    expect(page.locator("figure").first).to_be_hidden()
    assert [each for each in complaints if "ERR_FAILED" not in each] == []


def test_people_are_sorted_by_keyboard(open_page) -> None:
    page = open_page(address("people"), "ada")

    page.get_by_role("link", name="Name").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute(
        "aria-sort", "ascending"
    )
    expect(page.locator("tbody th").first).to_have_text("=bea")
    page.get_by_role("link", name="x/y <b>").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("x/y <b>")


def test_a_server_that_starts_appears_by_itself(open_page, real_hub, complaints) -> None:
    page = open_page("activity/now", "ada")
    expect(page.get_by_text("New servers appear here by themselves.")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("No server runs now.")

    real_hub.ask("POST", "users/sam/server")
    try:
        status = page.get_by_role("status")
        expect(status).to_have_text("1 server runs now.", timeout=60_000)  # two looks at the hub
        expect(page.locator("tbody").get_by_role("link", name="sam")).to_be_visible()
    finally:
        real_hub.ask("DELETE", "users/sam/server")
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_of_a_month_prints_well(open_page, complaints, scheme: str) -> None:
    page = open_page("activity/month/2026-01", "ada", color_scheme=scheme)
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    page.emulate_media(media="print")

    for shown in (page.get_by_role("heading", level=1), *page.get_by_role("img").all()):
        expect(shown).to_be_visible()
    for hidden in ("nav", "#days", "#thenavbar", "[data-print]", "a[download]"):
        for each in page.locator(hidden).all():
            expect(each).to_be_hidden()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").startswith(b"%PDF")
    assert is_on_paper(page)
    assert complaints == []


def is_on_paper(page: Page) -> bool:
    """Whether all of it fits between the margins of A4."""
    page.set_viewport_size({"width": 680, "height": 900})
    return fits(page)
