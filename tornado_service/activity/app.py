"""The app: settings, start and stop."""

from __future__ import annotations

import asyncio
import os
from typing import Any, ClassVar
from urllib.parse import urlsplit

from traitlets import Dict, Enum, Integer, List, Unicode, default

from .. import AppError, ServiceApp, periodic
from ..database.timeout import TIMEOUT
from ..handlers.base import BaseHandler
from . import metrics
from .access.view import View
from .access.visibility import LIST_USERS, get_visible_users
from .domain.pseudonyms import pseudonyms
from .mail.monthly import ReportMailer
from .mail.smtp import MailServer
from .recorder import SAMPLE_EVENTS, Recorder
from .settings import CheckedSettings
from .store.store import Store
from .web.report.document import Context
from .web.routes import NOT_FOUND, ROUTES

#: Seconds between two checks whether a report is to be mailed.
REPORT_INTERVAL = 60


class Activity(CheckedSettings, ServiceApp):
    """History of the hub's usage: active users, servers, and the best times for maintenance."""

    name = "activity"
    title = "Activity"
    description = "Active users, running servers and usage over time, from the Hub API alone."
    # read:users shows when an account was created, and so which account of its name it is
    service_scopes = frozenset({LIST_USERS, "read:users", "read:servers"})
    user_scopes = frozenset({LIST_USERS, "list:groups", "read:groups"})

    #: Whether the history is synthetic: every page then says so.
    is_synthetic: ClassVar[bool] = False

    interval = Integer(
        300, help="Polling interval in seconds. Default: 300.", min=30, max=3600
    ).tag(config=True)

    database_url = Unicode(
        "sqlite:///activity.sqlite",
        help="""The database of the history, as a URL of SQLAlchemy: a file in the working
        directory, which is that of the hub, or ``postgresql+psycopg2://…``. If empty, no history
        is stored, and only running servers are shown. With several replicas of the service, it has
        to be PostgreSQL.
        Default: ``TornadoService.database_url`` if that is set, else sqlite:///activity.sqlite.""",
    ).tag(config=True)

    retention_days = Integer(
        400,
        help="""Days for which single sessions are stored. Daily totals per user are kept
        indefinitely. Default: 400.""",
        min=35,
    ).tag(config=True)

    timezone = Unicode(
        "UTC", help="Time zone of the days, such as Europe/Berlin. Default: UTC."
    ).tag(config=True)

    terms = List(
        Dict(),
        help="""Terms, which are periods to choose on the overview: ``[{"name": "Winter term 2026",
        "first": "2026-10-01", "last": "2027-03-31"}]``. A term is compared with the one before it.
        Default: none.""",
    ).tag(config=True)

    academic_year_start = Unicode(
        "09-01", help="Month and day on which the academic year begins. Default: 09-01."
    ).tag(config=True)

    notes = List(
        Dict(),
        help="""Notes for all users on the time axis of charts: ``[{"text": "Exams", "first":
        "2027-02-08", "last": "2027-02-12"}]``. Without ``last``, a note is on one day. Default:
        none.""",
    ).tag(config=True)

    prices = Dict(
        help="""Prices per server-hour, for the cost of usage: ``{"currency": "EUR", "default":
        0.04}``. With ``"profiles": {"GPU": 1.20}`` or ``"servers": {"gpu": 1.20}``, servers of a
        profile or of a name have a price of their own. The currency is shown as it is written.
        Default: none, and no cost is shown."""
    ).tag(config=True)

    hub_name = Unicode(
        help="""The name of the hub in reports, such as "JupyterHub of Example University". Default:
        JupyterHub and its host."""
    ).tag(config=True)

    report_logo = Unicode(
        help="Path of an image for reports. Default: the logo of the hub's pages."
    ).tag(config=True)

    report_recipients = List(
        Unicode(),
        help="Mail addresses to which the report of each month is sent once it is over."
        " Default: none.",
    ).tag(config=True)

    smtp_host = Unicode(help="The mail server for reports. Default: none.").tag(config=True)

    smtp_port = Integer(587, help="Port of the mail server. Default: 587.", min=1, max=65535).tag(
        config=True
    )

    smtp_security = Enum(
        ["starttls", "tls", "none"],
        "starttls",
        help="""Encryption of the connection to the mail server: ``starttls``, ``tls`` from the
        beginning (usually port 465), or ``none``. Default: starttls.""",
    ).tag(config=True)

    smtp_sender = Unicode(help="The mail address that reports are from. Default: none.").tag(
        config=True
    )

    smtp_user = Unicode(help="User of the mail server. Default: none, without a sign-in.").tag(
        config=True
    )

    smtp_password = Unicode(
        help="""Password of that user, which a config file can read from the environment or from
        another file. Default: none."""
    ).tag(config=True)

    pseudonym_secret = Unicode(
        help="""If set, users are stored and shown under pseudonyms that are derived from it; users
        still find their own usage. Never change it. At least 16 characters. Default: none."""
    ).tag(config=True)

    @default("database_url")
    def _default_database_url(self) -> str:
        return self.shared_database_url or "sqlite:///activity.sqlite"

    def handlers(self) -> list[tuple[Any, ...]]:
        return [*ROUTES, NOT_FOUND]

    def make_store(self) -> Store:
        secret = self.pseudonym_secret.encode()
        return Store(
            self.database_url,
            self.log,
            zone=self.zone,
            retention_days=self.retention_days,
            map_name=pseudonyms(secret) if secret else None,
            timeout=getattr(self.parent, "database_timeout", TIMEOUT),
        )

    async def start(self) -> None:
        """Begin to record; the pages are served while the database is still being opened."""
        self.recorder = self._make_recorder()
        self.report_mailer = ReportMailer(
            self.recorder,
            self.hub,
            MailServer(
                self.smtp_host,
                self.smtp_port,
                self.smtp_security,
                self.smtp_user,
                self.smtp_password,
            ),
            self.smtp_sender,
            self.report_recipients,
            Context(
                self.hub_name or default_hub_name(),
                self.own_logo,
                self.parsed_terms,
                self.parsed_notes,
            ),
            self.log,
            is_stored=bool(self.database_url),
        )
        metrics.show(self.recorder, self.registry)
        self._running = asyncio.create_task(self._run())

    def _make_recorder(self) -> Recorder:
        """The recorder of the only process, or of one of several replicas."""
        arguments = self.make_store(), self.zone, self.hub, self.interval, self.log
        is_stored, prices = bool(self.database_url), self.parsed_prices
        if not is_stored or not self.shared_database_url:
            return Recorder(*arguments, is_stored=is_stored, prices=prices)
        if self.database_url.startswith("sqlite"):
            if self.replica_count > 1:
                raise AppError(
                    f"{self.replica_count} replicas cannot share a SQLite file: set"
                    " c.Activity.database_url to a PostgreSQL database, or leave it out."
                )
            return Recorder(*arguments, is_stored=is_stored, prices=prices)
        # not loaded for one process
        from .shared_recorder import SHAPING_SETTINGS, SharedRecorder, shaping_settings

        settings = shaping_settings({name: getattr(self, name) for name in SHAPING_SETTINGS})
        is_shared = self.database_url == self.shared_database_url
        if is_shared:  # other services may have their Activity in it
            settings["app"] = self.prefix
        return SharedRecorder(
            *arguments,
            is_stored=is_stored,
            prices=prices,
            sample_events=self.open_channel("samples", SAMPLE_EVENTS),
            leadership=self.leadership,
            claim=self.claim("settings", settings, of_database=is_shared),
        )

    async def _run(self) -> None:
        await self.prepare_database()
        await self.recorder.run()

    async def prepare_database(self) -> None:
        """Do what a subclass has to before the database is opened."""

    async def headline(self, handler: BaseHandler) -> str:
        view = View(self.recorder, await get_visible_users(handler))
        now = await view.now()
        if now.taken is None:
            return ""
        count = len(now.servers)
        return f"{count} server{'' if count == 1 else 's'} running"

    @property
    def problem(self) -> str:
        """What is wrong with the database or the mail of reports, and what to set."""
        reason = self.recorder.store.condition.reason if self.database_url else ""
        return " ".join(filter(None, (reason, self.report_mailer.problem)))

    @property
    def details(self) -> dict[str, str]:
        """Which replica collects the samples, if there may be several."""
        return {"Samples": self.recorder.role} if self.recorder.role else {}

    @periodic(REPORT_INTERVAL)
    async def mail_report(self) -> None:
        """Mail last month's report, if it has not been; a failure is a problem of the app."""
        await self.report_mailer.mail_last_month()

    async def stop(self) -> None:
        """Stop recording, when what is being written has been."""
        self._running.cancel()
        await asyncio.wait([self._running])
        await self.recorder.close()


def default_hub_name() -> str:
    """JupyterHub, and its public host if that is set."""
    host = urlsplit(os.environ.get("JUPYTERHUB_PUBLIC_HUB_URL", "")).hostname
    return f"JupyterHub {host}" if host else "JupyterHub"
