"""The report as JSON.

The name of the class is a label of the service's metrics.
"""

from __future__ import annotations

from dataclasses import replace

from ...access.queries import Range
from ...access.view import View, ViewHandler
from ...access.visibility import Groups, groups_if_available
from ...figures.reports.report import Report
from ..api import ActivityHandler
from ..display.units import unit_for
from .sentence import sentence


class ReportAPI(ActivityHandler):
    """The report of a period: figures, changes, 12 months of trend, groups, and a sentence."""

    operation_ids = {"get": "get_report"}

    async def get(self, query: Range) -> Report:
        view = await self.view(query)
        groups = await groups_if_available(self) if view.visible.has_others else Groups()
        report = await report_for(self, view, query, groups)
        return replace(report, sentence=sentence(report, self.terms, own_name(view)))


async def report_for(handler: ViewHandler, view: View, query: Range, groups: Groups) -> Report:
    """The report of what the visitor may see, with those of the groups that the query names."""
    unit = unit_for(*query.days(view.today))
    return await view.report(query, unit, handler.terms, groups.only(query.group))


def own_name(view: View) -> str:
    """The visitor, if they see only themselves."""
    return (view.visible.me or "") if view.visible.sees_only_self else ""
