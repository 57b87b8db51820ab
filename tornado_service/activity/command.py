"""`tornado-service activity`: what is kept of a user, shown or removed."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from traitlets import Unicode
from traitlets.config import Application

from .. import config
from .app import Activity
from .store import State, Store, Unavailable

USAGE = "Say what to do and with whom: export USER, or forget USER."


class ActivityCommand(Application):
    """`tornado-service activity`: for those who ask for their data, or for its end."""

    name = "tornado-service activity"
    description = """Show what Activity keeps of a user (export USER, as JSON), or remove it
    (forget USER). The service may run meanwhile. Start it in the service's working directory, or
    name its database; with pseudonyms, the secret as well."""
    classes = [Activity]
    aliases = {
        "config": "ActivityCommand.config_file",
        "database": "Activity.database_url",
        "log-level": "Application.log_level",
    }

    config_file = Unicode(help="The service's config file. Default: none.").tag(config=True)

    def initialize(self, argv: list[str] | None = None) -> None:
        """Read the settings; those of other parts of the service are left alone."""
        self.parse_command_line(argv)
        if self.config_file:
            self.load_config_file(self.config_file)

    def start(self) -> None:
        """Do it. Exit status 1 if that cannot be, or if there is no such user."""
        if len(self.extra_args) != 2 or self.extra_args[0] not in ("export", "forget"):
            sys.exit(USAGE)
        todo, user = self.extra_args
        try:
            app = Activity(parent=self)
            _see_that_it_is_there(app.database_url)
            print(asyncio.run(_do(app.make_store(), todo, user)))
        except config.ConfigError as error:
            sys.exit(str(error))


def _see_that_it_is_there(url: str) -> None:
    """Whether there is a file, where it is one: none is to be made.

    Raises:
        ConfigError: there is none.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # whose words may have the password
        raise config.ConfigError("Activity.database_url is no URL of a database.") from None
    file = parsed.database or ""
    if parsed.get_backend_name() == "sqlite" and not Path(file).is_file():
        raise config.ConfigError(
            f"There is no database {file!r} here. Name it: --database=sqlite:////path/to/it"
        )


async def _do(store: Store, todo: str, user: str) -> str:
    await store.open()
    try:
        if store.condition.state is not State.READY:
            raise config.ConfigError(store.condition.reason)
        if todo == "forget":
            return _told(user, await store.forget(user))
        found = await store.export(user)
        return _told(user, bool(found)) if not found else json.dumps(found, indent=2)
    except Unavailable as error:
        raise config.ConfigError(str(error)) from error
    finally:
        await store.close()


def _told(user: str, is_known: bool) -> str:
    if not is_known:
        raise config.ConfigError(f"Nothing is kept of {user!r}.")
    return f"Nothing is kept of {user!r} any more."
