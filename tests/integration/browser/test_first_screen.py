"""The first screen of the overview in a browser, and how its charts are opened and read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.integration.browser.course_pages import address
from tests.integration.browser.page_checks import PHONE, SCHEMES, WIDE, fits, violations
from tests.support.activity import course
from tornado_service.testing import ServiceConfig

#: Two days of which the days before have data, in part: the longest texts.
DAYS = "activity/?from=2026-01-06&to=2026-01-08"

#: The relative luminance of a colour, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
LUMINANCE = """(colour) => {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const parts = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => part / 255);
  const [red, green, blue] = parts.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}"""


@pytest.fixture
def service_config(course_directory: Path) -> ServiceConfig:
    notes = [{"text": "Upgrade", "first": "2026-01-06"}]
    return course.settings(course_directory, notes=notes)


@pytest.mark.parametrize("name", ["ada", "ines"])
def test_the_first_screen_has_what_a_dean_asks_for(open_page, name: str) -> None:
    page = open_page(DAYS, name, viewport=WIDE)
    shown = [
        page.get_by_role("heading", name="6 to 8 January 2026"),
        *(page.locator("dt", has_text=label) for label in (
            "Active users", "Server-hours", "Peak concurrent servers", "New users",
        )),
        page.locator("dl.headline .note").first,
        page.get_by_text("The previous period: "),
        page.get_by_role("img", name=re.compile("^Active users per day")),
    ]  # fmt: skip

    for element in shown:
        expect(element.first).to_be_visible()
        box = element.first.bounding_box()
        assert box["y"] + box["height"] <= WIDE["height"], element


def test_the_small_lines_need_no_script(open_page) -> None:
    page = open_page(address(""), "ada", java_script_enabled=False)

    expect(page.locator("svg.sparkline:visible")).to_have_count(4)


def test_a_bar_opens_its_day(open_page, complaints) -> None:
    page = open_page(address(""), "ada", viewport=WIDE)
    chart = page.get_by_role("img", name=re.compile("^Active users per day"))
    box = chart.bounding_box()

    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 100)

    expect(page.get_by_role("heading", name="6 January 2026", exact=True)).to_be_visible()
    hours = page.get_by_role("img", name=re.compile("^Concurrent servers per hour"))
    expect(hours).to_have_accessible_name(re.compile("Average in the previous period"))
    assert complaints == []
    assert violations(page) == []


def test_a_finger_reads_a_bar_before_it_opens_its_day(open_page) -> None:
    page = open_page(address(""), "ada", viewport=PHONE, has_touch=True)
    chart = page.get_by_role("img", name=re.compile("^Active users per day"))
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + 100

    page.touchscreen.tap(*middle)
    expect(chart).to_contain_text("Active users: 2")
    page.touchscreen.tap(*middle)

    expect(page.get_by_role("heading", name="6 January 2026", exact=True)).to_be_visible()


def test_a_day_opens_by_keyboard_in_the_table(open_page) -> None:
    page = open_page(address(""), "ada")
    page.locator("summary", has_text="Show as table").first.press("Enter")

    page.get_by_role("link", name="2026-01-06").press("Enter")

    expect(page.get_by_role("heading", name="6 January 2026", exact=True)).to_be_visible()


def test_the_unit_of_the_charts_is_switched(open_page) -> None:
    page = open_page("activity/?from=2026-01-01&to=2026-01-31", "ada")

    page.get_by_role("link", name="By week").click()

    expect(page.get_by_role("img", name=re.compile("^Active users per week"))).to_be_visible()
    expect(page.get_by_role("link", name="By week")).to_have_attribute("aria-current", "true")


def test_the_previous_period_and_the_average_are_drawn_and_read_out(open_page) -> None:
    page = open_page("activity/?from=2026-01-06&to=2026-01-12", "ada")
    figure = page.locator("figure", has_text="Active users per day")

    expect(figure).to_contain_text("same weekday before")
    servers = page.locator("figure", has_text="Concurrent servers per day")
    expect(servers).to_contain_text("same weekday before")
    expect(figure.locator("path[stroke-dasharray], [stroke-dasharray] path")).not_to_have_count(0)
    expect(figure.get_by_role("img")).to_have_accessible_name(
        re.compile("Active users on the same weekday before, 2026-01-06 up to 2026-01-12")
    )


def test_a_note_has_its_number_in_the_charts(open_page) -> None:
    page = open_page(address(""), "ada")
    figure = page.locator("figure", has_text="Active users per day")

    expect(page.get_by_role("list", name="Notes")).to_have_text(
        re.compile("6 January 2026: Upgrade")
    )
    expect(figure.locator("svg text", has_text=re.compile("^1$")).first).to_be_visible()


def contrast(page: Page, first: str, second: str) -> float:
    high, low = sorted((page.evaluate(LUMINANCE, each) for each in (first, second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def variable(page: Page, name: str) -> str:
    style = "(name) => getComputedStyle(document.documentElement).getPropertyValue(name)"
    return page.evaluate(style, name).strip()


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_step_of_the_heat_map_is_seen_and_its_number_read(
    open_page, scheme: str, media: Any
) -> None:
    page = open_page(address(""), "ada", color_scheme=scheme)
    page.emulate_media(media=media, color_scheme=scheme)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")

    for step in range(1, 6):
        colour = variable(page, f"--heat-{step}")
        ink = variable(page, f"--heat-ink-{'low' if step < 3 else 'high'}")
        assert contrast(page, colour, background) >= 3, (step, colour, background)
        assert contrast(page, colour, ink) >= 4.5, (step, colour, ink)


@pytest.mark.parametrize(("size", "has_numbers"), [(WIDE, True), (PHONE, False)])
def test_the_heat_map_has_a_legend_and_numbers_where_they_fit(
    open_page, size: dict[str, int], has_numbers: bool
) -> None:
    page = open_page(address(""), "ada", viewport=size)
    figure = page.locator("figure", has_text="Average concurrent servers in each hour")

    expect(figure.locator("small")).to_have_text(
        ["0", "over 0 to 1", "over 1 to 2", "over 2 to 3", "over 3 to 4", "over 4 to 5", "no data"]
    )
    expect(figure.locator("[fill^='url(#hatch-'] rect")).to_have_count(96)
    numbers = figure.locator("svg text", has_text=re.compile(r"^\d\.\d$"))
    expect(numbers).to_have_count(72 if has_numbers else 0)
    assert fits(page)


def test_the_table_of_the_heat_map_has_its_steps_without_a_script(open_page) -> None:
    page = open_page(address(""), "ada", java_script_enabled=False)

    steps = page.locator("#heat td[data-step]").evaluate_all(
        "(cells) => cells.map(({ dataset }) => [dataset.step, dataset.value])"
    )

    assert len(steps) == 72
    assert {step for step, value in steps if float(value) == 0} == {"0"}
