from __future__ import annotations

import re
from datetime import date

from tests.support.activity.pages import read
from tests.support.activity.small_hub import at, history, session
from tornado_service.activity.figures.periods import period, window
from tornado_service.activity.web.display.charts import year_before
from tornado_service.testing import Visitor


def ghosts(page: str) -> list[str]:
    """The columns from which the lines over the charts of a page are drawn."""
    columns = re.findall(r'<figure[^>]* data-previous="([^"]+)"', page)
    assert all(f'data-name="{column}"' in page for column in columns)
    return columns


def test_a_month_is_shown_with_that_of_the_year_before() -> None:
    data = history("UTC", [(at("2024-11-01", "UTC"), at("2026-01-15", "UTC"))],
                   [session(1, at("2024-12-03", "UTC"), at("2024-12-04", "UTC"))])  # fmt: skip
    months = [
        period(data, *window("months", date(year, month, 1)))
        for year, month in [(2024, 11), (2024, 12), *((2025, n) for n in range(1, 13)), (2026, 1)]
    ]

    earlier = year_before(months)

    assert earlier[:12] == [None] * 12
    assert earlier[12:] == [months[0], months[1], months[2]]
    assert earlier[13].server_seconds == 24 * 3600
    assert year_before(months[:12]) == []
    assert year_before([]) == []


async def test_the_charts_of_a_month_have_the_days_of_the_month_before(admin: Visitor) -> None:
    text = await read(admin, "month/2026-01", "")

    assert ghosts(admin.page) == ["previous", "previous-mean"]
    assert "Active users on the same weekday before" in text


async def test_the_charts_of_a_group_have_the_period_before(admin: Visitor) -> None:
    text = await read(admin, "groups/class-a", "from=2026-01-06&to=2026-01-06")

    assert ghosts(admin.page) == ["previous-hours", "previous"]
    assert "Active users on the same weekday before" in text
    assert "Active users 1 \u221250 % on 2 the day before" in text


async def test_the_charts_of_ones_own_usage_have_the_period_before(visitor: Visitor) -> None:
    text = await read(visitor, "me", "from=2026-01-06&to=2026-01-06")

    assert ghosts(visitor.page) == ["previous-hours"]
    assert re.search(r"Server-hours on the same weekday before 2026-01-06 2.0.h 1 no data", text)
