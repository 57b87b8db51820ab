"""The report as one file of HTML.

The name of the class is a label of the service's metrics.
"""

from __future__ import annotations

import asyncio

from ..downloads import content_disposition, hub_of
from ..page_base import ActivityPage
from .api import own_name, report_for
from .document import Context, render_report, style_hash
from .logo import hub_logo


class ReportPage(ActivityPage):
    """The report as one file of HTML, to print or to send."""

    async def get(self) -> None:
        view, query = await self.view(), self.page_query.query
        report = await report_for(self, view, query)
        host = hub_of(self)
        context = Context(
            hub_name=self.app.hub_name or " ".join(["JupyterHub", *filter(None, host)]),
            logo=self.app.own_logo or await hub_logo(self.app.hub),
            terms=self.terms,
            notes=self.notes(report.first, report.last),
            members_of=query.group,
            user=own_name(view),
        )
        policy = self.settings["page_headers"]["Content-Security-Policy"]
        allowed = policy.replace("style-src ", f"style-src {style_hash()} ")
        self.set_header("Content-Security-Policy", allowed)
        name = content_disposition([*host, "report", f"{report.first}-to-{report.last}"], ".html")
        self.set_header("Content-Disposition", name.replace("attachment", "inline", 1))
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.write(await asyncio.to_thread(render_report, report, context))
