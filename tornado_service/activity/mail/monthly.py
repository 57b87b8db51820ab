"""Mails last month's report, once the month is over."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from logging import Logger

from ... import HubClient, HubRefused, HubUnavailable
from ...apps.isolation.containment import run_in_daemon_thread
from ..access.view import report_of
from ..access.visibility import Members
from ..domain.calendar import ONE_DAY, day_bounds, local_date
from ..domain.notes import notes_in
from ..figures.periods import window
from ..history.archive import TooManyFigures
from ..recorder import Recorder
from ..store.store import HistoryUnavailable
from ..web.display.units import unit_for
from ..web.report.document import Context, render_report, title
from ..web.report.logo import hub_logo
from ..web.report.sentence import sentence
from .message import report_message
from .smtp import MailError, MailServer, send

#: Seconds after a failure before the report is tried again.
RETRY_DELAY = 3600

#: Seconds after which a mail server that still responds is given up: less than a claim is valid.
MAX_SEND = 900


@dataclass
class ReportMailer:
    """Mails each report once, also if several processes run; of replicas, the one that collects.

    Attributes:
        context: for all reports; without a logo, that of the hub is fetched.
        is_stored: whether there is a history.
        problem: why the latest report could not be mailed, or not to all, and what to change.
    """

    recorder: Recorder
    hub: HubClient
    server: MailServer
    sender: str
    recipients: list[str]
    context: Context
    log: Logger
    is_stored: bool = True
    problem: str = field(default="", init=False)
    _logged: str = field(default="", init=False)
    _mailed: str = field(default="", init=False)  # the last month whose report was mailed
    _unrecorded: str = field(default="", init=False)  # the same, if the database lacks it
    _retry_at: float = field(default=0.0, init=False)

    async def mail_last_month(self) -> None:
        """Mail the report of last month, if it was not. A failure is in ``problem``."""
        if not self.recorder.collects:
            self.problem = self._logged = ""
        if not self.recipients or not self.recorder.collects:
            return
        if missing := self._missing_settings():
            self._fail("Reports cannot be mailed: set %s.", " and ".join(missing))
            return
        days = self._last_month()
        if not days or time.monotonic() < self._retry_at:
            return
        month, store = f"{days[0]:%Y-%m}", self.recorder.store
        with suppress(HistoryUnavailable):  # which the next sample reports; then again
            if self._unrecorded:
                await store.settle_report(self._unrecorded, is_mailed=True)
                self._unrecorded = ""
            if month == self._mailed:
                return
            claim = await store.claim_report(month, int(time.time()))
            if claim.dropped:
                self.log.error(
                    "The report of %s was not mailed, and is not tried again, as the next month is"
                    " over",
                    claim.dropped,
                )
            if claim.is_given:
                await self._try(month, *days)
                await store.settle_report(month, is_mailed=month == self._mailed)
                self._unrecorded = ""
            elif claim.is_mailed:
                self._mailed, self.problem, self._logged = month, "", ""

    def _missing_settings(self) -> list[str]:
        settings = {
            "c.Activity.database_url": self.is_stored,
            "c.Activity.smtp_host": self.server.host,
            "c.Activity.smtp_sender": self.sender,
        }
        return [name for name, value in settings.items() if not value]

    def _last_month(self) -> tuple[date, date] | None:
        """The first and last day of last month, once all its data is here, if there is any."""
        latest, zone = self.recorder.collector.latest, self.recorder.zone
        archive = self.recorder.archive
        if not latest or not archive.is_loaded:
            return None
        this_month, _ = window("months", local_date(latest.taken, zone))
        first, last = window("months", this_month - ONE_DAY)
        is_complete = archive.history.now >= day_bounds(last, zone).end
        has_data = is_complete and archive.history.observed_seconds(first, last)
        return (first, last) if has_data else None

    async def _try(self, month: str, first: date, last: date) -> None:
        self._retry_at = time.monotonic() + RETRY_DELAY
        try:
            refused = await self._mail(first, last)
        except MailError as error:
            fault = f"{month} {error.reason}"
            self._fail("The report of %s was not mailed: %s.", month, str(error), key=fault)
            return
        except TooManyFigures:
            self._retry_at = 0
            return
        except Exception as error:  # whatever it is, the service runs on
            name = type(error).__name__
            self._fail(
                "The report of %s was not mailed: %s. See the service's log.",
                month,
                name,
                exc=error,
            )
            return
        self._mailed = self._unrecorded = month
        self._retry_at = 0
        self.problem = self._logged = ""
        self.log.info("The report of %s was mailed", month)
        if refused:
            self._fail("The report of %s was mailed to others, but %s.", month, str(refused))

    def _fail(
        self, message: str, *values: str, key: str = "", exc: Exception | None = None
    ) -> None:
        """Set the problem; log it, unless it is the same one as before."""
        self.problem = message % values
        key = key or self.problem
        if key != self._logged:
            self.log.error(message, *values, exc_info=exc)
        self._logged = key

    async def _mail(self, first: date, last: date) -> MailError | None:
        """Mail a report; return which recipients were refused, if any.

        Raises:
            MailError: it was not mailed.
        """
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
        message = report_message(
            self.sender,
            self.recipients,
            f"{title(figures, context)} - {context.hub_name}",
            f"{sentence(figures, terms)}\n\nThe report is attached.\n",
            document,
            f"report-{first:%Y-%m}.html",
        )
        # a thread that the service does not wait for when it stops
        sending = run_in_daemon_thread(partial(send, self.server, message), "activity-mail")
        try:
            return await asyncio.wait_for(sending, MAX_SEND)
        except asyncio.TimeoutError:
            raise MailError(f"{self.server} takes more than {MAX_SEND / 60:g} minutes") from None

    async def _groups(self) -> tuple[Members, str]:
        """The groups that the service's own token may read, or the scope that it lacks."""
        try:
            groups = [group async for group in self.hub.groups()]
        except HubRefused as refusal:
            return (), refusal.scope
        except HubUnavailable as error:
            raise MailError("the hub does not list its groups", error.detail) from None
        members = {group.name: group.users for group in groups if group.users is not None}
        if groups and not members:
            return (), "read:groups"
        return tuple((name, frozenset(members[name])) for name in sorted(members)), ""
