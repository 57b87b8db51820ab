"""The pages of a user who sees no other user: their own usage, once."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from tests.support.activity.course import RANGE
from tests.support.activity.pages import links, read
from tornado_service.testing import Visitor

pytestmark = pytest.mark.usefixtures("app")

#: Figures that make no sense for one user.
OF_MANY = re.compile(
    r"Accounts|New users|Returning users|Never returned|Active users|Peak concurrent"
    r"|Mean servers|Groups|±"
)


def tabs(page: str) -> list[str]:
    navigation = page[page.index('aria-label="Activity"') :].partition("</nav>")[0]
    return re.findall(r">([A-Z][\w ]*)</a>", navigation)


@pytest.mark.parametrize("path", ["", "me"])
async def test_the_overview_and_ones_own_usage_are_one_page(visitor: Visitor, path: str) -> None:
    text = await read(visitor, path)

    assert "My usage Usage by ada." in text
    assert tabs(visitor.page) == ["My usage", "Now", "Months"]
    assert visitor.page.count('aria-current="page"') == 1
    for figure in ("Server-hours 5.0 h", "Sessions 2", "Active days 2", "Usual hours"):
        assert figure in text
    assert f"{visitor.home}activity/?from=" in " ".join(links(visitor.page)), "presets"
    assert not OF_MANY.search(text)
    assert "data-quiet" not in visitor.page


@pytest.mark.parametrize("path", ["now", "months", "month/2026-01", "month/2025-12"])
async def test_no_page_has_figures_of_many(visitor: Visitor, path: str) -> None:
    assert not OF_MANY.search(await read(visitor, path))
    assert tabs(visitor.page) == ["My usage", "Now", "Months"]
    assert "Part of the name" not in visitor.page


async def test_the_report_of_a_month_has_the_same_figures(visitor: Visitor) -> None:
    text = await read(visitor, "month/2026-01", "")

    for figure in (
        "Server-hours at least 5.0 h", "Sessions at least 2", "Active days at least 2",
        "Median session length 2.5 h", "2026-01-05 to 2026-01-11 so far 5.0 h", "Usual hours",
    ):  # fmt: skip
        assert figure in text


async def test_the_report_of_a_month_in_the_api_is_unchanged(visitor: Visitor) -> None:
    await visitor.open("activity/")

    report = json.loads((await visitor.fetch("activity/api/month/2026-01", xsrf=True)).body)

    assert report["month"]["people"]["accounts"] == 1
    assert len(report["heat_map"]["hours"]) == 168


async def test_usual_hours_are_those_of_the_user_alone(visitor: Visitor, admin: Visitor) -> None:
    await visitor.open("activity/")
    await admin.open("activity/")

    for who, path in ((visitor, "me"), (admin, "people/ada")):
        response = await who.get(f"activity/api/{path}/week.csv?{RANGE}")
        rows = list(csv.DictReader(io.StringIO(response.body.decode(), newline="")))
        busy = [(row["weekday"], row["hour"]) for row in rows if float(row["mean_servers"] or 0)]
        assert len(rows) == 168
        assert busy == [
            ("Monday", "9"), ("Monday", "10"), ("Monday", "11"), ("Tuesday", "9"),
            ("Tuesday", "10"),
        ]  # fmt: skip


async def test_users_who_see_others_have_both_pages(instructor: Visitor) -> None:
    await read(instructor, "")
    assert tabs(instructor.page) == [
        "Overview", "Now", "Users", "Groups", "Cohorts", "Servers", "Months", "My usage",
    ]  # fmt: skip

    assert "Usage by ines" in await read(instructor, "me")
    assert f"{instructor.home}activity/me?from=" in " ".join(links(instructor.page))


async def test_a_time_without_data_has_no_active_days(visitor: Visitor) -> None:
    text = await read(visitor, "", "from=2024-01-01&to=2024-01-31")

    assert "Active days not enough data yet" in text
