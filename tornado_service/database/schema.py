"""The tables of one app, and how they come into its database."""

import sqlite3
from collections.abc import Callable
from hashlib import sha256

from sqlalchemy import Connection, MetaData, Table, delete, false, inspect

from .engine import disable_time_limit
from .errors import DatabaseUnusable


class Schema:
    """Tables that are made where they are missing.

    Args:
        setting: that names the database, such as ``c.Notices.database_url``, for messages.
        metadata: the tables.
        upgrade: changes those that an earlier version has made. Called each time, in the
            transaction that makes what is missing, if there is one of the tables.
    """

    def __init__(
        self,
        setting: str,
        metadata: MetaData,
        upgrade: Callable[[Connection], None] | None = None,
    ) -> None:
        if not metadata.tables:
            raise ValueError("This metadata has no tables: import the module that defines them.")
        self.setting = setting
        self.metadata = metadata
        self._upgrade = upgrade

    @property
    def lock(self) -> int:
        """The key of PostgreSQL's advisory lock for the writer."""
        return int.from_bytes(sha256(self.setting.encode()).digest()[:8], "big", signed=True)

    def is_own_file(self, file: sqlite3.Connection, tables: set[str]) -> bool:
        """Whether a SQLite file that has some tables is one of ours, by looking only."""
        return any(table.name in tables for table in self.metadata.sorted_tables)

    def create_tables(self, connection: Connection) -> None:
        if self._upgrade and self._existing_tables(connection):
            disable_time_limit(connection)
            self._upgrade(connection)
        self._check_columns(connection)
        self.metadata.create_all(connection)

    def check_writable(self, connection: Connection) -> None:
        """See that it can be written to: one that is read-only says so only when that is tried."""
        connection.execute(delete(self.metadata.sorted_tables[0]).where(false()))

    def _existing_tables(self, connection: Connection) -> list[Table]:
        inspector = inspect(connection)
        tables = self.metadata.sorted_tables
        return [table for table in tables if inspector.has_table(table.name, schema=table.schema)]

    def _check_columns(self, connection: Connection) -> None:
        """``create_all`` leaves a table as it is, whatever it lacks."""
        inspector = inspect(connection)
        for table in self._existing_tables(connection):
            columns = inspector.get_columns(table.name, schema=table.schema)
            missing = {column.name for column in table.c} - {column["name"] for column in columns}
            if missing:
                raise DatabaseUnusable(
                    f"The table {table.name} lacks {', '.join(sorted(missing))}: it is of another"
                    " version of the app, or of something else. Nothing was changed. Give"
                    f" open_database an upgrade, or set {self.setting} to another database."
                )
