"""The tables of one app, and their creation and upgrade."""

import sqlite3
from collections.abc import Callable
from hashlib import sha256

from sqlalchemy import Connection, MetaData, Table, delete, false, inspect

from .engine import disable_time_limit
from .errors import DatabaseUnusable


class Schema:
    """Creates missing tables.

    Args:
        setting: the setting with the URL, such as ``c.Notices.database_url``, for messages.
        metadata: the tables.
        upgrade: changes tables of an earlier version. Called at each start, in the transaction that
            creates missing tables, if at least one of the tables exists.
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
        """Whether a SQLite file with some tables is ours, without changing it."""
        return any(table.name in tables for table in self.metadata.sorted_tables)

    def create_tables(self, connection: Connection) -> None:
        if self._upgrade and self._existing_tables(connection):
            disable_time_limit(connection)
            self._upgrade(connection)
        self._check_columns(connection)
        self.metadata.create_all(connection)

    def check_writable(self, connection: Connection) -> None:
        """Check that the database is writable: a read-only one fails only on the first write."""
        connection.execute(delete(self.metadata.sorted_tables[0]).where(false()))

    def _existing_tables(self, connection: Connection) -> list[Table]:
        inspector = inspect(connection)
        tables = self.metadata.sorted_tables
        return [table for table in tables if inspector.has_table(table.name, schema=table.schema)]

    def _check_columns(self, connection: Connection) -> None:
        """Check the columns: ``create_all`` leaves existing tables unchanged."""
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
