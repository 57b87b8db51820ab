"""The database of the history."""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection

from ...database import database
from ...database.database import Database
from ...database.engine import disable_time_limit
from ...database.schema import Schema
from ...database.timeout import TIMEOUT
from . import migrations, tables

#: The setting that names the database.
SETTING = "c.Activity.database_url"


class ActivitySchema(Schema):
    """Tables that alembic makes and changes."""

    @property
    def lock(self) -> int:
        """The lock of all who write to a history, whichever setting names it."""
        return Schema(SETTING, self.metadata).lock

    def is_own_file(self, file: sqlite3.Connection, tables: set[str]) -> bool:
        """Whether a SQLite file with these tables is ours; the file is only read."""
        if migrations.VERSION_TABLE not in tables:
            return False
        rows = file.execute(f"SELECT version_num FROM {migrations.VERSION_TABLE}")  # noqa: S608
        migrations.check_version({version for (version,) in rows})
        return True

    def create_tables(self, connection: Connection) -> None:
        disable_time_limit(connection)
        migrations.upgrade(connection)


def open_database(
    url: str, *, thorough: bool = False, timeout: float = TIMEOUT, setting: str = SETTING
) -> Database:
    """Open a database and upgrade it to this version; quarantine a damaged SQLite file.

    ``thorough``: check the whole file for damage, which takes seconds. ``timeout``: seconds that a
    statement may take. ``setting``: what names the database, for messages.

    Raises:
        NewerDatabase: it is of a newer version, and was not touched.
        DatabaseUnusable: it cannot be used; the message says what to change.
    """
    schema = ActivitySchema(setting, tables.metadata)
    return database.open_database(url, schema, thorough=thorough, timeout=timeout)
