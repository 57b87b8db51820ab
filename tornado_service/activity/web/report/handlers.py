"""The report as a file of HTML and as JSON.

The names of the classes are labels of the service's metrics.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ...access.queries import Range
from ...access.view import View, ViewHandler
from ...access.visibility import Groups, groups_if_available
from ...figures.report import Report
from ..api import ActivityHandler
from ..display.units import unit_for
from ..downloads import content_disposition, hub_of
from ..page_base import ActivityPage
from .document import Context, render_report, style_hash
from .logo import hub_logo
from .sentence import sentence


async def report_of(handler: ViewHandler, view: View, query: Range) -> Report:
    """The report of what the visitor may see, with the groups that the hub shows."""
    groups = Groups()
    if view.visible.has_others:
        groups = await groups_if_available(handler)
    unit = unit_for(*query.days(view.today))
    return await view.report(query, unit, handler.terms, groups.only(query.group))


class ReportAPI(ActivityHandler):
    """The report of a period: figures, changes, 12 months of trend, groups, and a sentence."""

    operation_ids = {"get": "get_report"}

    async def get(self, query: Range) -> Report:
        view = await self.view(query)
        report = await report_of(self, view, query)
        text = sentence(report, self.terms, own_name(view))
        return replace(report, sentence=text)


class ReportPage(ActivityPage):
    """The report as one file of HTML, to print or to send."""

    async def get(self) -> None:
        view, query = await self.view(), self.page_query.query
        report = await report_of(self, view, query)
        context = Context(
            hub_name=self.app.hub_name or " ".join(filter(None, ["JupyterHub", *hub_of(self)])),
            logo=self.app.own_logo or await hub_logo(self.app.hub),
            terms=self.terms,
            notes=self.notes(report.first, report.last),
            members_of=query.group,
            user=own_name(view),
        )
        policy = self.settings["page_headers"]["Content-Security-Policy"]
        allowed = policy.replace("style-src ", f"style-src {style_hash()} ")
        self.set_header("Content-Security-Policy", allowed)
        parts = [*hub_of(self), "report", f"{report.first}-to-{report.last}"]
        header = content_disposition(parts, ".html").replace("attachment", "inline", 1)
        self.set_header("Content-Disposition", header)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.write(await asyncio.to_thread(render_report, report, context))


def own_name(view: View) -> str:
    """The visitor, if they see only themselves."""
    return view.visible.me or "" if view.visible.sees_only_self else ""
