"""The report of a period in a real browser: on screen, on a phone, and printed."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from tests.integration.browser.course_pages import RANGE
from tests.integration.browser.page_checks import PHONE, WIDE, fits, of_pages, violations
from tests.support.activity import course
from tests.support.activity.reports import october
from tornado_service.activity.domain.notes import Note
from tornado_service.activity.domain.prices import Prices
from tornado_service.activity.domain.terms import Term
from tornado_service.activity.web.report.document import MAX_GROUPS, Context, Image, render_report
from tornado_service.testing import ServiceConfig

SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 100" width="300" height="100">
<rect width="300" height="100" fill="teal"/></svg>"""
TERM = Term("Winter term 2026", date(2026, 4, 1), date(2026, 10, 31))


@pytest.fixture
def service_config(course_directory: Path) -> ServiceConfig:
    return course.settings(course_directory, prices={"currency": "EUR", "default": 0.5})


@pytest.mark.parametrize("name", ["ada", "ines", "sam"])
def test_it_is_accessible_and_fits_a_phone(open_page, complaints, name: str) -> None:
    page = open_page("activity/now", name)

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.goto(f"activity/report.html?{RANGE}").status == 200
        # the style sheet in the file is applied
        expect(page.locator("header")).to_have_css("border-bottom-style", "solid")
        for size in (WIDE, PHONE):
            page.set_viewport_size(size)
            assert fits(page), size
            assert of_pages(complaints) == [], size
            assert violations(page) == [], (scheme, size)


@pytest.fixture(scope="module")
def long_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with everything that a report can have, as one that was sent."""
    names = [f"{n:02} course {'with a long name <b> ' * (n % 9)}" for n in range(MAX_GROUPS + 9)]
    notes = [
        Note(f"Exams of week {n} {'in all rooms' * (n % 5)}", TERM.first, TERM.last)
        for n in range(25)
    ]
    report = october(
        days=(TERM.first, TERM.last),
        terms=[Term("Summer term 2026", date(2025, 10, 1), date(2026, 3, 31)), TERM],
        unit="weeks",
        prices=Prices("EUR", 4321.5),
        members_of={name: {1, 2} for name in names},
    )
    logo = Image(SVG, "image/svg+xml")
    context = Context("JupyterHub of Example University", logo, [TERM], notes)
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(render_report(report, context), encoding="utf-8")
    return file


@pytest.fixture
def opened(chromium: Browser, long_report: Path) -> Page:
    page = chromium.new_page(viewport=WIDE)
    page.goto(long_report.as_uri())
    return page


def test_a_file_that_was_saved_shows_the_same(opened: Page) -> None:
    expect(opened.get_by_role("heading", level=1)).to_have_text("Usage: Winter term 2026")
    logo = opened.locator("header img")
    assert logo.evaluate("image => image.naturalWidth") == 300
    assert violations(opened) == []
    for size in (WIDE, PHONE):
        opened.set_viewport_size(size)
        assert fits(opened), size
    table = opened.get_by_role("region", name="Usage by group")
    assert table.evaluate("element => element.scrollWidth > element.clientWidth")
    edge = "element => getComputedStyle(element).backgroundImage"
    assert "linear-gradient" in table.evaluate(edge), "nothing shows that there is more"
    assert opened.evaluate("performance.getEntriesByType('resource').length") <= 1, "the logo"


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_is_printed_on_at_most_four_pages(opened: Page, tmp_path: Path, paper: str) -> None:
    opened.pdf(path=tmp_path / "report.pdf", format=paper, prefer_css_page_size=True)

    pages = [
        page.extract_text().replace("\u00a0", " ")
        for page in PdfReader(tmp_path / "report.pdf").pages
    ]
    assert 2 <= len(pages) <= 4
    for number, text in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in text
    for essential in ("Usage: Winter term 2026", "2 users were active", "Active users", "Cost"):
        assert essential in pages[0]
    assert "A part of the time has no data" in pages[-1]
    # the name and the figures of a row are on one page, and each page has the heads
    row = re.compile(r"^\d\d course.*?2 2 10\.0 h 43,215\.00 4$", re.MULTILINE | re.DOTALL)
    rows = [row.findall(text) for text in pages]
    assert sum(map(len, rows)) == MAX_GROUPS
    for text, of_groups in zip(pages, rows, strict=True):
        assert not of_groups or "Group Members Active users" in text


def test_no_row_is_wider_than_the_paper(opened: Page) -> None:
    """A4 without its margins is 180 mm wide."""
    opened.emulate_media(media="print")
    opened.set_viewport_size({"width": 680, "height": 900})

    assert fits(opened)
    for part in opened.locator(".scroll").all():
        assert part.evaluate("element => element.scrollWidth <= element.clientWidth")
