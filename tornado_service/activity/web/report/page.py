"""The report as one file of HTML.

The name of the class is a label of the service's metrics.
"""

from __future__ import annotations

import asyncio

from tornado.web import HTTPError

from ..downloads import content_disposition, hub_of
from ..page_base import ActivityPage
from .api import own_name, report_for
from .document import Context, Image, content_security_policy, render_report
from .logo import hub_logo


class ReportPage(ActivityPage):
    """The report as one file of HTML, to print or to send."""

    async def get(self) -> None:
        view, query = await self.view(), self.page_query.query
        if self.page_query.problem:  # a report of another period would be taken for this one
            raise HTTPError(400, self.page_query.problem)
        report, logo = await asyncio.gather(
            report_for(self, view, query, self.groups), self._logo()
        )
        host = hub_of(self)
        context = Context(
            hub_name=self.app.hub_name or f"JupyterHub {''.join(host).rstrip('/')}",
            logo=logo,
            terms=self.terms,
            notes=self.notes(report.first, report.last),
            members_of=query.group,
            user=own_name(view),
            is_synthetic=self.app.is_synthetic,
            reader="" if view.visible.all_users else self.current_user["name"],
        )
        frames = self.settings["api_headers"]["Content-Security-Policy"].rpartition(";")[2]
        self.set_header("Content-Security-Policy", f"{content_security_policy()};{frames}")
        name = content_disposition([*host, "report", f"{report.first}-to-{report.last}"], ".html")
        self.set_header("Content-Disposition", name.replace("attachment", "inline", 1))
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.write(await asyncio.to_thread(render_report, report, context))

    async def _logo(self) -> Image | None:
        return self.app.own_logo or await hub_logo(self.app.hub)
