"""The database of the history: what is Activity's own in it."""

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
    """Tables that are made and changed step by step."""

    def is_own_file(self, file: sqlite3.Connection, tables: set[str]) -> bool:
        """Whether a SQLite file that has some tables is one of ours, by looking only.

        Raises:
            NewerDatabase: it is of a newer version.
        """
        if migrations.VERSION_TABLE not in tables:
            return False
        found = file.execute(f"SELECT version_num FROM {migrations.VERSION_TABLE}")  # noqa: S608
        migrations.check_version({version for (version,) in found})
        return True

    def create_tables(self, connection: Connection) -> None:
        """Bring the tables to this version, in the transaction at hand.

        Raises:
            NewerDatabase: they are of a newer version.
        """
        disable_time_limit(connection)
        migrations.upgrade(connection)


def open_database(url: str, *, thorough: bool = False, timeout: float = TIMEOUT) -> Database:
    """Open a database and bring it to this version; put a damaged SQLite file aside.

    Args:
        url: as SQLAlchemy has it.
        thorough: look for damage everywhere, which takes seconds.
        timeout: seconds that a statement may take.

    Raises:
        NewerDatabase: it is of a newer version, and was not touched.
        DatabaseUnusable: it cannot be used; the message says what to change.
    """
    schema = ActivitySchema(SETTING, tables.metadata)
    return database.open_database(url, schema, thorough=thorough, timeout=timeout)
