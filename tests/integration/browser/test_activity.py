"""Activity in a real browser: charts, without scripts, by keyboard, live, on paper."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.integration.browser.conftest import NARROW, WIDE, fits, violations
from tests.support.activity import course
from tornado_service.testing import RealHub, ServiceConfig

PHONE = {"width": 360, "height": 740}
RANGE = "from=2026-01-05&to=2026-01-07"
PATHS = ("", "now", "people", "groups", "me", "months", "month/2026-01", "?from=x")

#: Who looks at them, and at whom.
VISITORS = {"ada": "bob", "ines": "sam", "sam": "sam"}

#: Of the course and of the hub, but for those whom the instructor may see.
OTHERS = ("ada", "alan", "bob", "=bea", "x/y <b>", "kim", "guest")

#: When those ran a server whom the real hub has, in hours after the course's Monday.
RUNS = {"sam": [(9, 12), (57, 60)], "ines": [(10, 11)]}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("activity")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "RUNS", course.RUNS | RUNS)
        asyncio.run(course.write(directory / "activity.sqlite"))
    return directory


@pytest.fixture
def service_config(database: Path) -> ServiceConfig:
    soon_forgotten = {"ServiceAuth": {"cache_max_age": 1}}  # what the hub said of somebody
    return course.settings(database, interval=30) | soon_forgotten


def address(path: str) -> str:
    return f"activity/{path}{'' if '?' in path else '?' + RANGE}"


def name_of(chart: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(chart)}")


@pytest.mark.parametrize("name", VISITORS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_every_page_is_fit_for_everybody(
    open_page, complaints, name: str, scheme: str, size: dict[str, int]
) -> None:
    page = open_page("activity/now", name, viewport=size, color_scheme=scheme)
    addresses = [address(path) for path in (*PATHS, f"people/{VISITORS[name]}")]
    for each in addresses:
        answer = page.goto(each)
        assert answer.status == 200, each
        for figure in page.locator("figure[data-chart]").all():
            expect(figure.get_by_role("img")).to_be_visible()
        assert page.locator("html").get_attribute("data-bs-theme") == scheme
        assert fits(page), each
        if size == PHONE:
            page.set_viewport_size(NARROW)
            expect_to_fit(page)
            page.set_viewport_size(PHONE)
        assert complaints == [], each
    if (scheme, size) in (("light", WIDE), ("dark", PHONE)):  # each look and each size once
        for each in addresses:
            page.goto(each)
            assert violations(page) == [], each


def expect_to_fit(page: Page) -> None:
    """It does, a moment after it has changed its width: then the charts are drawn anew."""
    # a function: an expression would be evaluated again and again, which the page's policy refuses
    page.wait_for_function("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_a_student_finds_their_own_use(open_page, complaints) -> None:
    page = open_page("activity/", "sam", viewport=NARROW)

    expect(page.get_by_role("heading", level=1)).to_have_text("My usage")
    expect(page.get_by_role("link", name="People")).to_have_count(0)
    assert complaints == []


def test_a_chart_says_in_words_what_it_shows(open_page) -> None:
    page = open_page(address(""), "ada")

    users = page.get_by_role("img", name=name_of("Active users a day"))
    expect(users).to_have_accessible_name(re.compile("the most is 5.*the least 2"))
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


@pytest.mark.parametrize(
    ("path", "said"),
    [("people", "14.0 h"), ("groups", "class-a"), ("month/2026-01", "2026-01-05 to 2026-01-11"),
     ("people/bob", "default server"), ("now", "As the hub showed it")],
)  # fmt: skip
def test_each_page_is_there_to_read_without_javascript(open_page, path: str, said: str) -> None:
    page = open_page(address(path), "ada", java_script_enabled=False, viewport=NARROW)

    expect(page.get_by_text(said).first).to_be_visible()
    for table in page.locator("table").all():
        expect(table).to_be_visible()
    for link in page.get_by_role("link", name="Save as CSV").all():
        expect(link).to_be_visible()
    expect(
        page.locator("[data-needs-script]:visible, figure:visible, #live:visible")
    ).to_have_count(0)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_table_is_saved_however_its_link_is_opened(open_page, scripts: bool) -> None:
    page = open_page(address("people"), "ada", java_script_enabled=scripts)
    link = page.get_by_role("link", name="Save as CSV")

    for opens in (link.click, lambda: link.press("Enter")):
        with page.expect_download() as saved:
            opens()
        assert saved.value.suggested_filename.endswith(".csv")
        assert "bob" in Path(saved.value.path()).read_text()


def test_people_are_searched_without_javascript(open_page) -> None:
    page = open_page(address("people"), "ada", java_script_enabled=False)

    page.get_by_label("Part of the name").fill("BO")
    page.get_by_role("button", name="Show").click()

    expect(page.locator("tbody th")).to_have_text(["bob"])


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


def sign_out_elsewhere(page: Page, real_hub: RealHub) -> None:
    """In another tab of the same browser."""
    other = page.context.new_page()
    other.goto(f"{real_hub.service_public_url}logout")
    other.get_by_role("button", name="Logout").click()


def test_who_signs_out_in_another_tab_leaves_nothing_to_be_read(open_page, real_hub) -> None:
    page = open_page("activity/now", "ada")
    expect(page.get_by_text("New servers appear here by themselves.")).to_be_visible()
    expect(page.locator("#running")).to_contain_text("As the hub showed it")

    sign_out_elsewhere(page, real_hub)

    expect(page.get_by_text("You are signed out, or may not see this any more")).to_be_visible()
    expect(page.locator("#running")).to_be_empty()


def test_an_answer_that_arrives_after_signing_out_is_not_shown(open_page, real_hub) -> None:
    """What the script had asked for comes when somebody has signed out in another tab."""
    page = open_page("activity/now", "ada")
    expect(page.locator("#running")).to_contain_text("As the hub showed it")
    held = []

    def hold(route: Route) -> None:
        if route.request.resource_type == "document":
            route.continue_()
        else:
            held.append((route, route.fetch()))

    page.route(re.compile("/activity/now$"), hold)
    page.reload()
    page.evaluate(
        """() => {
          const parse = DOMParser.prototype.parseFromString;
          DOMParser.prototype.parseFromString = function (...args) {
            window.hasArrived = true;
            return parse.apply(this, args);
          };
        }"""
    )
    while not held:
        page.wait_for_timeout(50)

    sign_out_elsewhere(page, real_hub)
    expect(page.get_by_text("You are signed out, or may not see this any more")).to_be_visible()
    route, answer = held[0]  # another sample may have come since
    assert "As the hub showed it" in answer.text()
    route.fulfill(response=answer)
    page.wait_for_function("() => window.hasArrived")  # a function, as in `expect_to_fit`

    expect(page.locator("#running")).to_be_empty()


@pytest.fixture
def change_group(real_hub) -> Iterator[Callable[[str, str], None]]:
    """Put ines into a group (``POST``) or out of it (``DELETE``); the end is as the beginning."""

    def change(method: str, group: str) -> None:
        real_hub.ask(method, f"groups/{group}/users", {"users": ["ines"]})

    yield change
    change("POST", "instructors")
    change("DELETE", "class-b")


def test_a_role_that_is_taken_away_takes_the_others_with_it(
    open_page, real_hub, change_group
) -> None:
    change_group("POST", "class-b")  # whose students may see the page, and nobody else
    of_sam = re.compile(r"\bsam\b")
    page = open_page(address("people"), "ines")
    expect(page.locator("tbody")).to_contain_text(of_sam)
    real_hub.ask("POST", "users/sam/server")
    try:
        page.goto(address("now"))
        running = page.locator("#running")
        expect(running).to_contain_text(of_sam, timeout=60_000)  # two looks at the hub

        change_group("DELETE", "instructors")

        expect(page.get_by_role("status")).to_have_text("No server runs now.", timeout=60_000)
        assert names_in(page, "sam", *OTHERS) == []
        for path in PATHS:
            page.goto(address(path))
            assert names_in(page, "sam", "class-a", *OTHERS) == [], path
        page.goto(address(""))
        expect(page.get_by_role("heading", level=1)).to_have_text("My usage")
        assert page.goto(address("people/sam")).status == 404
    finally:
        real_hub.ask("DELETE", "users/sam/server")


def test_who_may_not_open_the_page_any_more_is_left_with_nothing(open_page, change_group) -> None:
    page = open_page("activity/now", "ines")
    expect(page.get_by_text("New servers appear here by themselves.")).to_be_visible()

    change_group("DELETE", "instructors")

    said = page.get_by_text("You are signed out, or may not see this any more")
    expect(said).to_be_visible(timeout=60_000)
    expect(page.locator("#running")).to_be_empty()


def names_in(page: Page, *names: str) -> list[str]:
    """Those of some names that are to be read in a page, shown or not."""
    text = page.locator("main").text_content() or ""
    return [name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]


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
    # paper cuts what is at its edge, in parts of a pixel too
    edge = (
        "(card) => document.body.getBoundingClientRect().right - card.getBoundingClientRect().right"
    )
    distances = [card.evaluate(edge) for card in page.locator("dl.figures > div").all()]
    assert min(distances) >= 1


def is_on_paper(page: Page) -> bool:
    """Whether all of it fits between the margins of A4."""
    page.set_viewport_size({"width": 680, "height": 900})
    return fits(page)
