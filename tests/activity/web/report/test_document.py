"""The file: nothing from elsewhere, everything escaped, what is not known left out or said."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import date
from html import unescape
from typing import Any

import pytest

from tests.support.activity.pages import text_of
from tests.support.activity.reports import october
from tornado_service.activity.domain.notes import Note
from tornado_service.activity.domain.prices import Prices
from tornado_service.activity.domain.terms import Term
from tornado_service.activity.figures.reports.report import Report
from tornado_service.activity.web.formatting import MINUS, NBSP
from tornado_service.activity.web.report.document import (
    MAX_GROUPS,
    MAX_LABELS,
    MAX_NOTES,
    Context,
    Image,
    content_security_policy,
    render_report,
    style,
    title,
)

HUB = Context("Example University")
EVIL = "<script>alert('x')</script>\"&"
GROUPS = {"class-a": {1}, EVIL: {1, 2}}


def page(report: Report | None = None, context: Context = HUB) -> str:
    return render_report(report or october(), context)


def text(report: Report | None = None, context: Context = HUB) -> str:
    return text_of(page(report, context)).replace(NBSP, " ").replace(MINUS, "-")


def references(document: str) -> list[str]:
    """Everything that a browser may load."""
    attributes = re.findall(
        r"""\b(?:src|href|srcset|data|action|poster|xlink:href)\s*=\s*["']?([^"'\s>]+)""", document
    )
    return attributes + re.findall(r"url\(([^)]*)\)|@import\s+(\S+)", document)


def test_it_needs_nothing_from_elsewhere() -> None:
    logo = Image(b"\x89PNG", "image/png")
    document = page(october(members_of=GROUPS), replace(HUB, logo=logo))

    encoded = base64.b64encode(b"\x89PNG").decode()
    assert references(document) == [f"data:image/png;base64,{encoded}"]
    assert "http://" not in document
    assert "https://" not in document
    assert "<script" not in document
    assert "<link" not in document
    assert " style=" not in document
    assert not re.search(r"\son\w+=", document)


def test_its_policy_allows_its_own_style_and_images_only() -> None:
    document = page()

    [content] = re.findall("<style>(.*?)</style>", document, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:"
    assert content == style()
    assert content_security_policy() == policy
    [of_file] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', document)
    assert unescape(of_file) == policy


@pytest.mark.parametrize(
    "context",
    [
        replace(HUB, hub_name=EVIL), replace(HUB, user=EVIL), replace(HUB, reader=EVIL),
        replace(HUB, members_of=[EVIL]),
        replace(HUB, notes=[Note(EVIL, date(2026, 10, 5), date(2026, 10, 5))]),
        replace(HUB, terms=[Term(EVIL, date(2026, 10, 1), date(2026, 10, 31))]),
    ],
)  # fmt: skip
def test_names_are_escaped(context: Context) -> None:
    document = page(october(members_of=GROUPS, prices=Prices(EVIL, 1)), context)

    assert "<script" not in document
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&#34;&amp;" in document


def test_the_figures_each_with_its_changes() -> None:
    said = text(october(prices=Prices("EUR", 0.5)))

    for figure in (
        "Active users 2 +100 % on 1 ±0 % on 2", "Server-hours 6.0 h +50 % on 4.0 h -50 % on 12.0 h",
        "Cost 3.00 EUR +50 % on 2.00 EUR -50 % on 6.00 EUR", "Sessions 3 +200 % on 1 +50 % on 2",
        "Peak concurrent servers 1 ±0 % on 1 ±0 % on 1", "Median session length 2.0 h",
        "The previous month September 2026", "A year before 2 October to 1 November 2025",
        "October 2026 2 2 6.0 h 12.0 h 3.00", "September 2026 1 0 4.0 h 0.0 h 2.00",
    ):  # fmt: skip
        assert figure in said


def test_its_name_is_that_of_the_hub_and_the_period() -> None:
    document = page()

    assert "<title>Usage: October 2026 - Example University</title>" in document
    assert "<h1>Usage: October 2026</h1>" in document
    assert title(october(), HUB) == "Usage: October 2026"
    term = replace(HUB, terms=[Term("Autumn", date(2026, 10, 1), date(2026, 10, 31))])
    assert "<h1>Usage: Autumn</h1>" in page(context=term)
    assert "<p>October 2026</p>" in page(context=term)


def test_without_prices_there_is_no_cost() -> None:
    assert "ost" not in re.sub("most", "", text(october(members_of=GROUPS)))
    assert "Cost (EUR)" in text(october(members_of=GROUPS, prices=Prices("EUR", 1)))


def test_whose_usage_it_is() -> None:
    def about(**more: Any) -> str:
        found = re.search('<p class="about[^>]*>(.*?)</p>', page(context=replace(HUB, **more)))
        return found[1] if found else ""

    assert about() == ""
    assert about(members_of=["a", "b"]) == "Only current members of a, b."
    assert about(members_of=["a"], reader="ines") == (
        "Only current members of a whom ines may see."
    )
    assert about(reader="ines") == "Only users whom ines may see."
    assert about(is_synthetic=True) == "<strong>Demo data</strong>"
    assert about(user="ada", reader="ada") == "Only usage by ada."


def test_the_report_of_one_user_has_no_figures_of_many() -> None:
    said = text(context=replace(HUB, user="ada", reader="ada"))

    assert "Server-hours per day" in said
    for word in ("Active users", "New users", "Peak", "Groups"):
        assert word not in said


def test_a_period_without_data_has_the_sentence_alone() -> None:
    said = text(october(days=(date(2028, 10, 1), date(2028, 10, 31)), members_of=GROUPS))

    assert "There is no data for October 2028." in said
    assert "Twelve months" not in said
    assert "Groups" not in said
    assert "Figures" not in said


def test_without_a_year_before_there_are_no_columns_of_it() -> None:
    young = page(october(start="2026-05-10 00:00"))

    assert "Year before" not in young
    assert 'class="earlier"' not in young
    assert "the year before" not in young
    assert "no data" in young
    assert "≥ 0" in young, "May"
    assert "Year before" in page()


def test_lower_bounds_and_running_periods_say_so() -> None:
    bound = text(october(start="2026-10-04 00:00", members_of=GROUPS))
    running = text(october(now="2026-10-08 12:00"))

    assert "Data covers 90 % of this period, so totals are lower bounds." in bound
    assert "Active users at least 2" in bound
    assert "class-a 1 ≥ 1 ≥ 3.0 h ≥ 2" in bound
    assert "no comparison: data for 90 % of this period" not in bound, "September has no data"
    assert "The previous month September 2026: no data" in bound
    assert "This period, so far" in running
    assert "Changes compare 1 to 7 October 2026." in running


def test_weeks_that_overlap_the_period_are_named() -> None:
    assert "Weeks that overlap the period are shown in full." in text(october(unit="weeks"))
    assert "overlap" not in text()


def test_long_lists_are_cut() -> None:
    groups = {f"group-{number:02}": {1} for number in range(MAX_GROUPS + 2)}
    notes = [Note(f"note {day}", *(date(2026, 10, day),) * 2) for day in range(1, 31)]
    said = text(october(members_of=groups), replace(HUB, notes=notes))

    assert f"The {MAX_GROUPS} groups with the most server-hours, of {MAX_GROUPS + 2}." in said
    assert said.count("group-") == MAX_GROUPS
    assert f"{MAX_NOTES} October 2026: note {MAX_NOTES}" in said
    assert f"{30 - MAX_NOTES} more" in said


def test_a_year_has_a_bar_for_each_week_and_few_labels() -> None:
    year = (date(2025, 11, 1), date(2026, 10, 31))
    document = page(october(days=year, unit="weeks"))
    [chart] = re.findall('aria-label="Active users per week">\n(.*?)</svg>', document, re.DOTALL)

    assert chart.count("<rect") == 53
    assert chart.count('text-anchor="middle"') <= MAX_LABELS


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("unavailable", "JupyterHub did not send them."),
        ("list:groups", "the permission to list them is missing."),
    ],
)
def test_groups_that_are_missing_are_named(missing: str, reason: str) -> None:
    assert f"Groups are left out: {reason}" in text(october(groups_missing=missing))
    assert "Groups" not in text()
