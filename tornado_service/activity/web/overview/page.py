"""The overview: what changed at a glance, and all figures below.

The name of the class is a label of the service's metrics.
"""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from ...access.queries import OverviewQuery
from ...access.responses import Summary
from ...access.view import summary
from ...figures.availability import RETURN_WITHIN
from ...figures.heatmap import DAYS_NEEDED, heat_map
from ..display.changes import compared_with
from ..display.charts import charts_of
from ..display.units import chart_unit_for, units_for
from ..groups.starts import starts_of
from ..page_base import ActivityPage
from ..pages import show_own_usage

MAINTENANCE = "Best times for maintenance"

#: What is shown after so many days with data.
MILESTONES = {
    "A whole day: active users, server-hours, sessions, peak concurrent servers": 1,
    MAINTENANCE: DAYS_NEEDED,
    "Who came once and never returned": RETURN_WITHIN + 1,
}


class OverviewPage(ActivityPage):
    """The main figures of a period; one's own, for those who may not see others."""

    model = OverviewQuery
    tab = "overview"

    async def get(self) -> None:
        view, page_query = await self.view(), self.page_query
        if not self.recorder.has_history:  # that is how it is, and no fault
            self.show_no_history()
            return
        if view.visible.sees_only_self:
            await show_own_usage(self)
            return
        query: OverviewQuery = page_query.query
        figures = await view.compute(summary, query, self.terms)
        days = query.days(view.today)
        unit = chart_unit_for(*days, query.unit)
        coming = milestones(figures, view.today, self.recorder.zone)
        # the times for maintenance are those of the whole hub
        shown = [row for row in coming if view.users.all_users or row[0] != MAINTENANCE]
        await self.show_charts(
            "overview.html",
            summary=figures,
            milestones=shown,
            is_young=len(coming) == len(MILESTONES),
            unit=unit,
            units=units_for(*days),
            heat_map=await view.compute(heat_map, query),
            now=await view.now(),
            starts=await starts_of(self, view),
            compared_with=compared_with(figures.comparison, *days, self.terms),
            **await charts_of(view, query, unit, self.terms),
        )


def milestones(figures: Summary, today: date, zone: ZoneInfo) -> list[tuple[str, date]]:
    """What will be shown, and from which day on; all of it, if there is no data yet."""
    began = figures.watched_from.astimezone(zone).date() if figures.watched_from else today
    coming = [(what, began + timedelta(days=days + 1)) for what, days in MILESTONES.items()]
    return [(what, day) for what, day in coming if day > today]
