"""Activity by keyboard: charts are read value by value, and tables are searched while typing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.integration.browser.course_pages import RANGE, address
from tests.integration.browser.page_checks import PHONE, fits, violations
from tests.support.activity import course
from tornado_service.testing import ServiceConfig


@pytest.fixture
def service_config(course_directory: Path) -> ServiceConfig:
    return course.settings(course_directory)


def charts(page: Page) -> Locator:
    return page.locator("figure[data-chart]").get_by_role("img")


def reader_of(page: Page, caption: str) -> Locator:
    return page.get_by_role("application", name=re.compile(f"Values of the chart: {caption}"))


def press(reader: Locator, *keys: str) -> list[str]:
    """What is read out after each key."""
    heard = []
    for key in keys:
        reader.press(key)
        heard.append(reader.locator("[aria-live=polite]").inner_text())
    return heard


def test_a_chart_is_read_value_by_value(open_page, complaints) -> None:
    page = open_page(address(""), "ada")
    reader = reader_of(page, "Active users per day")
    expect(charts(page).first).to_be_visible()

    heard = press(reader, "ArrowRight", "ArrowRight", "End", "ArrowRight", "Home", "ArrowLeft")

    assert [words.partition(",")[0] for words in heard] == [
        "2026-01-05: Active users 5",
        "2026-01-06: Active users 2",
        "2026-01-07: Active users 3",
        "2026-01-07: Active users 3",
        "2026-01-05: Active users 5",
        "2026-01-05: Active users 5",
    ]
    assert violations(page) == []
    assert [text for text in complaints if not text.endswith(" ()")] == []


def test_all_lines_of_a_chart_are_read(open_page) -> None:
    page = open_page(address(""), "ada")
    expect(charts(page).nth(1)).to_be_visible()

    [heard] = press(reader_of(page, "Concurrent servers per day"), "ArrowLeft")

    assert re.match(r"2026-01-07: Peak servers 3, Average servers 0\.3", heard)


def test_the_days_of_the_heat_map_are_above_each_other(open_page) -> None:
    page = open_page(address(""), "ada")
    expect(charts(page).nth(2)).to_be_visible()
    reader = reader_of(page, "Average concurrent servers in each hour of the week")

    assert press(reader, "ArrowDown", "ArrowDown", "ArrowRight", "End", "ArrowUp", "ArrowUp") == [
        "Monday 0:00 to 1:00: Concurrent servers 0.0",
        "Tuesday 0:00 to 1:00: Concurrent servers 0.0",
        "Tuesday 1:00 to 2:00: Concurrent servers 0.0",
        "Tuesday 23:00 to 24:00: Concurrent servers 0.0",
        "Monday 23:00 to 24:00: Concurrent servers 0.0",
        "Monday 23:00 to 24:00: Concurrent servers 0.0",
    ]
    reader.press("Home")
    assert (
        press(reader, *["ArrowDown"] * 6)[-1] == "Sunday 0:00 to 1:00: Concurrent servers no data"
    )


def test_the_tip_points_at_the_value_until_the_focus_leaves(open_page) -> None:
    page = open_page(address(""), "ada")
    chart = charts(page).first
    expect(chart).to_be_visible()
    tip = chart.get_by_text("Active users: 5")
    reader = reader_of(page, "Active users per day")

    reader.press("ArrowRight")
    expect(tip).to_be_visible()
    reader.press("Escape")
    expect(tip).to_have_count(0)
    reader.press("Home")
    expect(tip).to_be_visible()
    page.keyboard.press("Tab")
    expect(tip).to_have_count(0)


def test_the_keys_work_after_a_chart_has_been_drawn_again(open_page) -> None:
    page = open_page(address(""), "ada")
    chart = charts(page).first
    expect(chart).to_be_visible()
    reader = reader_of(page, "Active users per day")
    reader.press("ArrowRight")

    page.set_viewport_size(PHONE)
    expect(chart).to_have_attribute("width", re.compile("^3"))

    [heard] = press(reader, "ArrowRight")
    assert heard.startswith("2026-01-06: Active users 2")
    expect(chart.get_by_text("Active users: 2")).to_be_visible()
    assert fits(page)


def test_the_reader_is_on_the_way_of_the_tab_key_and_shows_what_it_says(open_page) -> None:
    page = open_page(address(""), "ada", viewport=PHONE)
    expect(charts(page).first).to_be_visible()
    page.locator(".list-inline a").last.focus()

    page.keyboard.press("Tab")

    reader = reader_of(page, "Active users per day")
    expect(reader).to_be_focused()
    expect(reader).to_have_text("Use the arrow keys to read the values.")
    assert reader.bounding_box()["height"] > 20
    assert fits(page)


def test_enter_opens_the_page_of_a_value(open_page) -> None:
    page = open_page("activity/months", "ada")
    expect(charts(page).first).to_be_visible()
    reader = reader_of(page, "Active users per month")
    assert press(reader, "Home")[0].startswith("January 2026: Active users")

    reader.press("Enter")

    expect(page).to_have_url(re.compile("/activity/month/2026-01$"))


def searches(page: Page) -> list[str]:
    """The searches that a script makes from now on."""
    urls: list[str] = []
    page.on(
        "request",
        lambda request: urls.append(request.url) if request.resource_type == "fetch" else None,
    )
    return urls


@pytest.mark.parametrize(
    ("path", "part", "found", "said"),
    [
        ("people", "bob", ["bob"], "1 user with “bob” in the name"),
        ("groups", "class-b", ["class-b"], "1 group with “class-b” in the name"),
    ],
)
def test_a_table_is_searched_while_typing(
    open_page, complaints, path: str, part: str, found: list[str], said: str
) -> None:
    page = open_page(address(path), "ada")
    field, names = page.get_by_label("Part of the name"), page.locator("tbody th")
    everything = names.all_inner_texts()
    urls = searches(page)

    field.press_sequentially(part)

    expect(names).to_have_text(found)
    expect(page.locator("[aria-live=polite]").get_by_text(said)).to_be_visible()
    expect(field).to_be_focused()
    assert len([url for url in urls if "q=" in url]) < len(part)
    expect(page).to_have_url(re.compile(rf"/activity/{path}\?{RANGE}&.*q={part}"))
    saved = page.get_by_role("link", name="Save as CSV")
    expect(saved).to_have_attribute("href", re.compile(f"q={part}"))
    expect(page.get_by_role("link", name="7 days")).to_have_attribute(
        "href", re.compile(f"q={part}")
    )

    page.reload()
    expect(names).to_have_text(found)
    expect(field).to_have_value(part)
    field.fill("")
    expect(names).to_have_text(everything)
    assert complaints == []


def test_what_is_typed_while_a_search_is_under_way_wins(open_page) -> None:
    page = open_page(address("people"), "ada")
    names, held = page.locator("tbody th"), []
    page.route(
        re.compile("q=al"),
        lambda route: (
            route.continue_() if route.request.resource_type == "document" else held.append(route)
        ),
    )
    field = page.get_by_label("Part of the name")

    field.fill("al")
    while not held:
        page.wait_for_timeout(50)
    field.fill("bob")
    expect(names).to_have_text(["bob"])
    expect(page).to_have_url(re.compile("q=bob"))


def test_running_servers_are_filtered_while_typing(open_page, complaints) -> None:
    page = open_page(address("now"), "ada")
    page.get_by_label("Part of the name").press_sequentially("zoe")
    matches = page.locator("#matches")

    expect(matches).to_have_text("0 of a user with “zoe” in the name.")
    page.get_by_label("Idle longer than").select_option("2h")

    expect(matches).to_have_text("0 of a user with “zoe” in the name, idle for longer than 2 h.")
    expect(page).to_have_url(
        re.compile(r"now\?q=zoe&sort=name&from=2026-01-05&to=2026-01-07&idle_over=2h$")
    )
    assert complaints == []


def test_who_is_signed_out_meanwhile_signs_in_again(open_page, real_hub) -> None:
    page = open_page(address("people"), "ada")
    other = page.context.new_page()
    other.goto(f"{real_hub.service_public_url}logout")
    other.get_by_role("button", name="Logout").click()
    expect(other.get_by_role("heading").first).to_be_visible()

    page.get_by_label("Part of the name").fill("bob")

    expect(page.get_by_label("Username")).to_be_visible()
