"""Mails last month's report, once the month is over."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import date

from ... import HubClient, HubRefused, HubUnavailable
from ..access.view import report_of
from ..access.visibility import UNAVAILABLE, Members
from ..domain.calendar import ONE_DAY, local_date
from ..domain.notes import notes_in
from ..figures.periods import window
from ..recorder import Recorder
from ..store.store import HistoryUnavailable
from ..web.display.units import unit_for
from ..web.report.document import Context, render_report, title
from ..web.report.logo import hub_logo
from ..web.report.sentence import sentence
from .smtp import MailServer, describe, report_message, send


@dataclass
class ReportMailer:
    """Mails each report once, also if several processes run.

    Attributes:
        context: for all reports; without a logo, that of the hub is fetched.
        problem: why the latest report could not be mailed; empty, if it could.
    """

    recorder: Recorder
    hub: HubClient
    server: MailServer
    sender: str
    recipients: list[str]
    context: Context
    problem: str = field(default="", init=False)

    async def mail_last_month(self) -> None:
        """Mail the report of last month, if it was not. A failure is in ``problem``."""
        history, zone = self.recorder.archive.history, self.recorder.zone
        if not self.recorder.archive.is_loaded or not history.now:
            return
        this_month, _ = window("months", local_date(history.now, zone))
        first, last = window("months", this_month - ONE_DAY)
        if not history.observed_seconds(first, last):
            return
        month = f"{first:%Y-%m}"
        try:
            if await self.recorder.store.claim_report(month, int(time.time())):
                reason = await self._mail(first, last)
                await self.recorder.store.settle_report(month, is_mailed=not reason)
                self.problem = reason and f"The report of {month} was not mailed: {reason}."
        except HistoryUnavailable as error:
            self.problem = f"The report of {month} was not mailed: {error}."

    async def _mail(self, first: date, last: date) -> str:
        """Mail a report; return why that failed, or nothing."""
        if not (self.server.host and self.sender):
            return "set c.Activity.smtp_host and c.Activity.smtp_sender"
        members, missing = await self._groups()
        terms = tuple(self.context.terms)
        figures = await self.recorder.archive.compute(
            None, report_of, first, last, unit_for(first, last), terms, members
        )
        context = replace(
            self.context,
            logo=self.context.logo or await hub_logo(self.hub),
            notes=notes_in(self.context.notes, first, last),
        )
        document = await asyncio.to_thread(
            render_report, replace(figures, groups_missing=missing), context
        )
        try:
            message = report_message(
                self.sender,
                self.recipients,
                f"{title(figures, context)} - {context.hub_name}",
                f"{sentence(figures, terms)}\n\nThe report is attached.\n",
                document,
                f"report-{first:%Y-%m}.html",
            )
            await asyncio.to_thread(send, self.server, message)
        except (OSError, ValueError) as error:
            return describe(error)
        return ""

    async def _groups(self) -> tuple[Members, str]:
        """The groups that the service's own token may read, or why there are none."""
        try:
            groups = [group async for group in self.hub.groups()]
        except HubRefused as refusal:
            return (), refusal.scope
        except HubUnavailable:
            return (), UNAVAILABLE
        return tuple((group.name, frozenset(group.users or ())) for group in groups), ""
