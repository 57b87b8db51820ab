"""What the charts of a page are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...access.queries import DateRange
from ...access.view import View
from ...figures.comparison import previous_hours, previous_periods
from ...figures.periods import Period, hourly
from ...figures.trend import new_in_units, trend
from .sparkline import sparkline
from .units import ChartUnit


async def charts_of(
    view: View, query: DateRange, unit: ChartUnit, terms: Sequence[Any]
) -> dict[str, Any]:
    """What the charts and the sparklines of the cards are drawn from."""
    if unit == "hours":
        hours = await view.compute(hourly, query)
        earlier = await view.compute(previous_hours, query, terms)
        return {"hours": hours, "earlier": earlier, "sparklines": {}, "trend": []}
    rows = (await view.periods(unit, query)).periods
    new = await view.compute(new_in_units, query, unit)
    sparklines = {
        "active_users": sparkline([row.active_users for row in rows]),
        "server_seconds": sparkline([row.server_seconds for row in rows]),
        "peak_servers": sparkline([row.peak_servers for row in rows]),
        "new_users": sparkline(new),
        "cost": sparkline([row.cost for row in rows]),
    }
    return {
        "periods": rows,
        "earlier": await view.compute(previous_periods, query, unit, terms),
        "sparklines": sparklines,
        "trend": (await view.compute(trend, query, unit)).days,
    }


def year_before(months: Sequence[Period]) -> list[Period | None]:
    """For each of these months in a row, the same month of the year before, if it is there.

    Empty, if there is none for any of them.
    """
    earlier = [*[None] * 12, *months][: len(months)]
    return earlier if any(earlier) else []
