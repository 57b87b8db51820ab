"""`tornado-service activity`: what is kept of a user, shown or removed."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from traitlets import TraitError, Unicode
from traitlets.config import Config

from ..app import TornadoService
from ..apps.settings import may_be_app_section
from ..config.application import StrictApplication
from ..config.checks import ConfigError
from ..config.files import load
from .app import Activity
from .store.store import HistoryState, HistoryUnavailable, Store

USAGE = "Say what to do and with whom: export USER, or forget USER."


class ActivityCommand(StrictApplication):
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

    takes_arguments = True

    config_file = Unicode(help="The service's config file. Default: none.").tag(config=True)

    def read_settings(self, argv: list[str] | None = None) -> None:
        """Read the settings, of the service's config file too.

        Raises:
            ConfigError: something is set that cannot be.
        """
        super().read_settings(argv)
        if self.config_file:
            load(self, self.config_file)

    def settings_classes(self) -> list[type[Any]]:
        """Those of the service as well, in its config file; here they have no effect."""
        if not self.loaded_config_files:
            return super().settings_classes()
        of_service = TornadoService.classes_to_document()
        return list(self._classes_inc_parents([*self.classes, *of_service]))

    def is_deferred_section(self, section: str, new: Config) -> bool:
        """Whether a section is that of another app, which the service imports and checks."""
        return bool(self.loaded_config_files) and may_be_app_section(section, new, [])

    def start(self) -> None:
        """Export or erase. Exit status 1 if that cannot be, or if there is no such user."""
        if len(self.extra_args) != 2 or self.extra_args[0] not in ("export", "forget"):
            sys.exit(USAGE)
        action, user = self.extra_args
        try:
            app = Activity(parent=self)
        except TraitError as error:
            self.fail(2, self.without_secrets(str(error)))
            return
        try:
            _require_database_file(app.database_url)
            print(asyncio.run(_run_action(app.make_store(), action, user)))
        except ConfigError as error:
            sys.exit(str(error))


def _require_database_file(url: str) -> None:
    """Whether there is a file, where it is one: none is to be made.

    Raises:
        ConfigError: there is none.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # whose words may have the password
        raise ConfigError("Activity.database_url is no URL of a database.") from None
    file = parsed.database or ""
    if parsed.get_backend_name() == "sqlite" and not Path(file).is_file():
        raise ConfigError(
            f"There is no database {file!r} here. Name it: --database=sqlite:////path/to/it"
        )


async def _run_action(store: Store, action: str, user: str) -> str:
    await store.open()
    try:
        if store.condition.state is not HistoryState.READY:
            raise ConfigError(store.condition.reason)
        found = await (store.forget(user) if action == "forget" else store.export(user))
        if not found:
            raise ConfigError(f"Nothing is kept of {user!r}.")
        if action == "forget":
            return f"Nothing is kept of {user!r} any more."
        return json.dumps(found, indent=2)
    except HistoryUnavailable as error:
        raise ConfigError(str(error)) from error
    finally:
        await store.close()
