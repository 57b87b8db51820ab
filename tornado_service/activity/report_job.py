"""Mails last month's report, once it is over."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from .. import HubRefused, HubUnavailable
from .access.view import report_of
from .access.visibility import UNAVAILABLE, Members
from .domain.calendar import ONE_DAY, local_date
from .domain.notes import notes_in
from .figures.periods import window
from .report_mail import MailServer, describe, report_message, send
from .store.store import HistoryUnavailable
from .web.display.units import unit_for
from .web.report.document import Context, render_report, title
from .web.report.logo import hub_logo
from .web.report.sentence import sentence

if TYPE_CHECKING:
    from .app import Activity


async def mail_last_month(app: Activity) -> str:
    """Mail the report of last month, if it was not; return why that failed, or nothing."""
    archive, store = app.recorder.archive, app.recorder.store
    history = archive.history
    if not archive.is_loaded or not history.now:
        return ""
    first, last = window("months", window("months", local_date(history.now, app.zone))[0] - ONE_DAY)
    month = f"{first:%Y-%m}"
    if not history.observed_seconds(first, last):
        return ""
    if not (app.smtp_host and app.smtp_sender):
        return "Reports are not mailed: set c.Activity.smtp_host and c.Activity.smtp_sender."
    try:
        if not await store.claim_report(month, int(time.time())):
            return app.mail_problem
        problem = await _mail(app, first, last)
        await store.settle_report(month, is_mailed=not problem)
    except HistoryUnavailable as error:
        problem = str(error)
    return problem and f"The report of {month} was not mailed: {problem}"


async def _mail(app: Activity, first: date, last: date) -> str:
    """Mail a report; return why that failed, or nothing."""
    members, missing = await _groups(app)
    unit = unit_for(first, last)
    figures = await app.recorder.archive.compute(
        None, report_of, first, last, unit, app.parsed_terms, members
    )
    context = Context(
        app.hub_name or "JupyterHub",
        app.own_logo or await hub_logo(app.hub),
        app.parsed_terms,
        notes_in(app.parsed_notes, first, last),
    )
    document = await asyncio.to_thread(
        render_report, replace(figures, groups_missing=missing), context
    )
    server = MailServer(
        app.smtp_host, app.smtp_port, app.smtp_security, app.smtp_user, app.smtp_password
    )
    try:
        message = report_message(
            app.smtp_sender,
            app.report_recipients,
            f"{title(figures, context)} - {context.hub_name}",
            f"{sentence(figures, context.terms)}\n\nThe report is attached.\n",
            document,
            f"report-{first:%Y-%m}.html",
        )
        await asyncio.to_thread(send, server, message)
    except (OSError, ValueError) as error:
        return describe(error)
    return ""


async def _groups(app: Activity) -> tuple[Members, str]:
    """The groups that the service's own token may read, or why there are none."""
    try:
        groups = [group async for group in app.hub.groups()]
    except HubRefused as refusal:
        return (), refusal.scope
    except HubUnavailable:
        return (), UNAVAILABLE
    return tuple((group.name, frozenset(group.users or ())) for group in groups), ""
