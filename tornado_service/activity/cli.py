"""`tornado-service activity`: data of a user, reports, and the move to another database."""

from __future__ import annotations

import asyncio
import difflib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from traitlets import TraitError, Unicode
from traitlets.config import Config

from ..apps.settings import may_be_app_section
from ..config.application import StrictApplication
from ..database.database import Database
from ..database.errors import DatabaseUnusable
from .access.queries import MAX_DAYS, parse_month
from .app import Activity
from .domain.calendar import ONE_DAY, local_date
from .domain.notes import notes_in
from .domain.terms import parse_day
from .figures.periods import window
from .figures.reports.report import report
from .history.archive import Archive
from .schema.upgrade import SETTING, open_database
from .store.copy import CannotCopy, copy_history
from .store.reader import Reader
from .store.store import HistoryState, HistoryUnavailable, Store
from .web.display.units import unit_for
from .web.report.document import Context, render_report
from .web.report.sentence import sentence

USAGE = "A command is required: export USER, forget USER, report, or copy."

#: Commands and the number of their arguments.
COMMANDS = {"export": 1, "forget": 1, "report": 0, "copy": 0}


class ActivityCommand(StrictApplication):
    """`tornado-service activity`: requests of users about their data, and reports."""

    name = "tornado-service activity"
    description = """Export the data that Activity stores about a user (export USER, as JSON), or
    delete it (forget USER), or write the report of a period as one file of HTML (report, by
    default of last month). Or copy the whole history to an empty database (copy --target=URL),
    such as from SQLite to PostgreSQL. The service may run meanwhile; what it stores after a copy
    has begun is not in the copy. Run the command in the service's working directory, or with its
    config file or $TORNADO_SERVICE_DATABASE_URL, or name its database; with pseudonyms, also the
    secret. A report of this command is about all users, and has neither groups nor the hub's logo,
    as it does not call the hub: the groups are in the service's page activity/report.html, a logo
    is set by Activity.report_logo. If there is no data for the period, no report is written, and
    the exit status is 1."""
    classes = [Activity]
    aliases = {
        "config": "ActivityCommand.config_file",
        "database": "Activity.database_url",
        "log-level": "Application.log_level",
        "month": "ActivityCommand.month",
        "from": "ActivityCommand.first",
        "to": "ActivityCommand.last",
        "output": "ActivityCommand.output",
        "target": "ActivityCommand.target",
    }

    takes_arguments = True

    config_file = Unicode(help="The service's config file. Default: none.").tag(config=True)

    month = Unicode(help="The month of a report, such as 2026-10. Default: last month.").tag(
        config=True
    )

    first = Unicode(
        help="The first day of a report, such as 2026-10-01, with the last one. Default: none."
    ).tag(config=True)

    last = Unicode(help="The last day of a report, included. Default: none.").tag(config=True)

    output = Unicode(
        help="The file of a report, replaced when the report is complete. Default: -, which is"
        " standard output."
    ).tag(config=True)

    target = Unicode(
        help="The database to copy the history to, as a URL of SQLAlchemy. Default: none."
    ).tag(config=True)

    def read_settings(self, argv: list[str] | None = None) -> None:
        super().read_settings(argv)
        if self.config_file:
            self.read_config_file(self.config_file)

    @property
    def database_url(self) -> str:
        """The database that replicas of the service share, as the service finds it."""
        given = self.config.TornadoService.get("database_url", "")
        return str(given or os.environ.get("TORNADO_SERVICE_DATABASE_URL", ""))

    def is_deferred_section(self, section: str, new: Config) -> bool:
        """Pass over the service's sections in its config file, but not a typo of one of ours."""
        if not self.loaded_config_files:
            return False
        names = [cls.__name__ for cls in (type(self), *self.classes)]
        is_typo = difflib.get_close_matches(section, names, n=1, cutoff=0.75)
        return may_be_app_section(section, new, []) or not is_typo

    def start(self) -> None:
        """Do it. Exit status 1 if that is not possible, or if there is no such user."""
        action, *arguments = self.extra_args or [""]
        if COMMANDS.get(action) != len(arguments):
            sys.exit(USAGE)
        try:
            app = Activity(parent=self)
        except TraitError as error:
            self.fail(2, self.without_secrets(str(error)))
            return
        _require_database_file(app.database_url)
        if action == "report":
            _write(self.output, asyncio.run(_report(app, self._days)))
        elif action == "copy":
            print(_copy(app.database_url, self.target))
        else:
            print(asyncio.run(_run_action(app.make_store(), action, arguments[0])))

    def _days(self, today: date) -> tuple[date, date]:
        """The days of a report."""
        if (self.first or self.last) and not (self.first and self.last and not self.month):
            sys.exit("The period of a report is a month, or both --from and --to.")
        if self.first:
            try:
                days = parse_day(self.first, "--from"), parse_day(self.last, "--to")
            except ValueError as error:
                sys.exit(str(error))
            if not 0 <= (days[1] - days[0]).days < MAX_DAYS:
                sys.exit(f"--from must not be after --to, nor more than {MAX_DAYS:,} days before.")
            if not all(1990 <= day.year <= 2199 for day in days):
                sys.exit("--from and --to must be between 1990 and 2199.")
            return days
        month = parse_month(self.month) if self.month else window("months", today)[0] - ONE_DAY
        if month is None:
            sys.exit(f"--month is {self.month!r}; write a month as in 2026-10.")
        return window("months", month)


def _require_database_file(url: str) -> None:
    """Exit if the database is a file that does not exist: none is to be made."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # whose words may have the password
        sys.exit("Activity.database_url is no URL of a database.")
    file = parsed.database or ""
    if parsed.get_backend_name() == "sqlite" and not Path(file).is_file():
        sys.exit(f"There is no database {file!r} here. Name it: --database=sqlite:////path/to/it")


async def _report(app: Activity, days: Callable[[date], tuple[date, date]]) -> str:
    first, last = days(local_date(int(time.time()), app.zone))
    store = app.make_store()
    archive = Archive(store, app.zone, app.parsed_prices)
    await store.open()
    try:
        if store.condition.state is not HistoryState.READY:
            sys.exit(store.condition.reason)
        stored = (await store.read(Reader.meta)).zone
        if stored not in ("", app.zone.key):  # daily totals of other days would be mixed with these
            sys.exit(f"The days of the history are those of {stored}: --Activity.timezone={stored}")
        await archive.refresh()
        unit = unit_for(first, last)
        figures = await archive.compute(None, report, first, last, unit, app.parsed_terms)
        if not figures.whole.share:
            sys.exit(sentence(figures, app.parsed_terms))
    except HistoryUnavailable as error:
        sys.exit(str(error))
    finally:
        archive.close()
        await store.close()
    context = Context(
        app.hub_name or "JupyterHub",
        app.own_logo,
        app.parsed_terms,
        notes_in(app.parsed_notes, first, last),
    )
    return render_report(figures, context)


def _copy(source_url: str, target_url: str) -> str:
    """Copy the history; return what was copied, for people."""
    if not target_url:
        sys.exit("Name the database to copy the history to: --target=URL")
    with ExitStack() as stack:
        databases: list[Database] = []
        for url, setting in ((source_url, SETTING), (target_url, "--target")):
            try:
                database = open_database(url, setting=setting)
                stack.callback(database.close)
                databases.append(database)
            except DatabaseUnusable as error:
                sys.exit(str(error))
        try:
            counts = copy_history(*databases)
        except (CannotCopy, DatabaseUnusable) as error:
            sys.exit(str(error))
    lines = [f"{count:>12,} {name.removeprefix('activity_')}" for name, count in counts.items()]
    return "\n".join(["Copied, in rows:", *lines])


def _write(path: str, text: str) -> None:
    """Write a report: to standard output, or to a file, which is never there in part."""
    if path in ("", "-"):
        if sys.stdout:  # none, if the process was started without
            sys.stdout.buffer.write(text.encode())
        return
    file = Path(path).resolve()
    try:
        if file.exists() and not file.is_file():  # such as /dev/stderr, or a pipe
            file.write_text(text, encoding="utf-8")
            return
        new = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            new.write_text(text, encoding="utf-8")
            if file.exists():
                shutil.copymode(file, new)
            new.replace(file)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        sys.exit(f"The report cannot be written to {path!r}: {error.strerror}")


async def _run_action(store: Store, action: str, user: str) -> str:
    await store.open()
    try:
        if store.condition.state is not HistoryState.READY:
            sys.exit(store.condition.reason)
        rows = await (store.forget(user) if action == "forget" else store.export(user))
    except HistoryUnavailable as error:
        sys.exit(str(error))
    finally:
        await store.close()
    if not rows:
        sys.exit(f"Nothing is kept of {user!r}.")
    if action == "forget":
        return f"Nothing is kept of {user!r} any more."
    return json.dumps(rows, indent=2)
