"""`tornado-service activity`: show or remove the data of a user."""

from __future__ import annotations

import asyncio
import difflib
import json
import sys
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from traitlets import TraitError, Unicode
from traitlets.config import Config

from ..apps.settings import may_be_app_section
from ..config.application import StrictApplication
from .app import Activity
from .store.store import HistoryState, HistoryUnavailable, Store

USAGE = "A command and a user are required: export USER, or forget USER."


class ActivityCommand(StrictApplication):
    """`tornado-service activity`: for users who ask for their data, or for its removal."""

    name = "tornado-service activity"
    description = """Export the data that Activity stores about a user (export USER, as JSON), or
    delete it (forget USER). The service may run meanwhile. Run the command in the service's working
    directory, or name its database; with pseudonyms, also the secret."""
    classes = [Activity]
    aliases = {
        "config": "ActivityCommand.config_file",
        "database": "Activity.database_url",
        "log-level": "Application.log_level",
    }

    takes_arguments = True

    config_file = Unicode(help="The service's config file. Default: none.").tag(config=True)

    def read_settings(self, argv: list[str] | None = None) -> None:
        super().read_settings(argv)
        if self.config_file:
            self.read_config_file(self.config_file)

    def is_deferred_section(self, section: str, new: Config) -> bool:
        """Pass over the service's sections in its config file, but not a typo of one of ours."""
        if not self.loaded_config_files:
            return False
        names = [cls.__name__ for cls in (type(self), *self.classes)]
        is_typo = difflib.get_close_matches(section, names, n=1, cutoff=0.75)
        return may_be_app_section(section, new, []) or not is_typo

    def start(self) -> None:
        """Export or remove. Exit status 1 if that is not possible, or if there is no such user."""
        if len(self.extra_args) != 2 or self.extra_args[0] not in ("export", "forget"):
            sys.exit(USAGE)
        action, user = self.extra_args
        try:
            app = Activity(parent=self)
        except TraitError as error:
            self.fail(2, self.without_secrets(str(error)))
            return
        _require_database_file(app.database_url)
        print(asyncio.run(_run_action(app.make_store(), action, user)))


def _require_database_file(url: str) -> None:
    """Exit if the database is a file that does not exist: none is to be made."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # whose words may have the password
        sys.exit("Activity.database_url is no URL of a database.")
    file = parsed.database or ""
    if parsed.get_backend_name() == "sqlite" and not Path(file).is_file():
        sys.exit(f"There is no database {file!r} here. Name it: --database=sqlite:////path/to/it")


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
