"""The overview: its first screen, its periods and its charts' units."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.activity import course
from tests.support.activity.course import RANGE
from tests.support.activity.pages import links, read
from tornado_service.testing import ServiceConfig, Visitor

TUESDAY = "from=2026-01-06&to=2026-01-06"
TERMS = [
    {"name": "Autumn", "first": "2026-01-05", "last": "2026-01-05"},
    {"name": "Winter", "first": "2026-01-06", "last": "2026-01-06"},
]


@pytest.fixture
def service_config(service_config: ServiceConfig, tmp_path: Path) -> ServiceConfig:
    return course.settings(tmp_path, terms=TERMS, academic_year_start="10-01")


async def test_headline_figures_come_first_with_their_changes(admin: Visitor) -> None:
    text = await read(admin, "", TUESDAY)

    assert (
        "6 January 2026 "
        "Active users 2 \u221233 % on 3 in the previous term "
        "Server-hours 4.0 h \u221273 % on 15.0 h in the previous term "
        "Peak concurrent servers 2 \u221233 % on 3 in the previous term "
        "New users 0 0 in the previous term "
        "The previous term: 5 January 2026. "
        "A year before, by weekday: 7 January 2025 (no data)."
    ) in text


async def test_what_would_mislead_is_not_compared(admin: Visitor) -> None:
    text = await read(admin, "", "from=2026-01-06&to=2026-01-07")

    assert "Active users 4 Server-hours" in text
    assert (
        "The previous period: 4 to 5 January 2026 (no comparison: data for 50 % of it)."
    ) in text


async def test_of_a_running_period_days_that_are_over_are_compared(admin: Visitor) -> None:
    text = await read(admin, "", "from=2026-01-07&to=2026-01-08")

    assert "7 to 8 January 2026, so far" in text
    assert "Changes are those of 7 January 2026. The previous period: 5 January 2026." in text
    assert "Changes appear once a day of this period is over." in await read(
        admin, "", "from=2026-01-08&to=2026-01-08"
    )


async def test_an_instructor_sees_changes_of_their_group(instructor: Visitor) -> None:
    text = await read(instructor, "", TUESDAY)

    assert "Active users 1 \u221250 % on 2 in the previous term" in text


async def test_each_headline_figure_has_a_small_line(admin: Visitor) -> None:
    await read(admin, "")

    lines = re.findall(r'<svg class="sparkline"[^>]*aria-hidden="true".*?</svg>', admin.page, re.S)
    assert len(lines) == 4
    assert all(line.count("<polyline") == 1 for line in lines)
    assert "style=" not in admin.page
    await read(admin, "", TUESDAY)
    assert "sparkline" not in admin.page


async def test_one_or_two_days_are_shown_by_hour(admin: Visitor) -> None:
    text = await read(admin, "", TUESDAY)

    assert "Concurrent servers per hour" in text
    assert "2026-01-06 10:00 2 2.0 100 % 3.0 (2026-01-05 10:00)" in text
    assert "2026-01-06 23:00" in text
    assert f"{admin.home}activity/api/hourly.csv?{TUESDAY}" in links(admin.page)


async def test_hours_to_come_are_not_called_missing(admin: Visitor) -> None:
    text = await read(admin, "", "from=2026-01-08&to=2026-01-08")

    assert "2026-01-08 12:00 yet to come yet to come 0 % 0.0 (2026-01-07" in text.replace(" ", " ")


async def test_the_unit_is_chosen(admin: Visitor) -> None:
    query = "from=2026-01-01&to=2026-02-28"
    await read(admin, "", query)
    for unit in ("days", "weeks", "months"):
        assert f"{admin.home}activity/?{query}&unit={unit}" in links(admin.page)
    assert "unit=hours" not in admin.page

    text = await read(admin, "", query + "&unit=weeks")

    assert "Active users per week" in text
    assert "2026-01-05 to 2026-01-11" in text
    assert f"{admin.home}activity/api/weeks.csv?{query}" in links(admin.page)
    assert re.search(r'<a href="[^"]*unit=weeks" aria-current="true">By week</a>', admin.page)


@pytest.mark.parametrize("unit", ["hours", "months", ""])
async def test_a_unit_that_does_not_suit_the_period_is_not_used(admin: Visitor, unit: str) -> None:
    assert "Active users per day" in await read(admin, "", f"{RANGE}&unit={unit}")


async def test_a_wrong_unit_is_said_in_words(admin: Visitor) -> None:
    text = await read(admin, "", f"{RANGE}&unit=year")

    assert "The charts cannot be shown that way. Showing the default." in text
    assert "5 to 7 January 2026" in text


async def test_a_day_and_a_week_lead_to_their_own_figures(admin: Visitor, visitor: Visitor) -> None:
    await read(admin, "")
    assert f"{admin.home}activity/?from=2026-01-06&to=2026-01-06" in links(admin.page)
    await read(admin, "", RANGE.replace("01-07", "02-07") + "&unit=weeks")
    assert f"{admin.home}activity/?from=2026-01-12&to=2026-01-18" in links(admin.page)
    await read(visitor, "me")
    assert f"{visitor.home}activity/?from=2026-01-06&to=2026-01-06" in links(visitor.page)


async def test_the_table_has_the_same_weekday_before_and_the_average(admin: Visitor) -> None:
    text = await read(admin, "", "from=2026-01-06&to=2026-01-12")

    assert re.search(r"2026-01-06 2 4.0.h 2 2 0.2 100.% not enough data no data no data", text)
    before = r"3 \(2026-01-05\) 15.0.h \(2026-01-05\) 0.6 \(2026-01-05\)"
    assert re.search(rf"2026-01-12 no data .*? {before}", text)


async def test_terms_and_years_are_periods_to_choose(admin: Visitor) -> None:
    await read(admin, "")

    chosen = {
        text: link for link, text in re.findall(r'<a href="([^"]*)"\s*>([^<]+)</a>', admin.page)
    }
    assert TUESDAY in chosen["Winter"].replace("&amp;", "&")
    assert "from=2026-01-05&amp;to=2026-01-05" in chosen["Autumn"]
    assert re.search(r"from=20\d\d-10-01&amp;to=20\d\d-09-30", chosen["Academic year"])
    assert "from=2026-01-05" in chosen["Since the beginning"]
