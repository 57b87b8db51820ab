"""Copies a whole history to another database, such as from SQLite to PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Connection, Table, func, select

from ...database.database import Database
from ...database.engine import disable_time_limit
from ..schema import tables
from ..schema.upsert import insert_new

#: Rows that are copied at a time.
CHUNK_SIZE = 2_000

#: The history; `tables.live` is of the replicas of one service.
COPIED = tuple(table for table in tables.metadata.sorted_tables if table is not tables.live)


class CannotCopy(Exception):
    """Nothing was copied; the message says why."""


def copy_history(source: Database, target: Database) -> dict[str, int]:
    """Copy all of a history, in one transaction, and compare the number of rows. Blocks.

    The source may be in use: what is copied is its state of one moment.

    Returns:
        The number of rows of each table, by its name.

    Raises:
        CannotCopy: the source is empty, or the target is not; the target is unchanged.
        DatabaseUnavailable: one of them does not respond; the target is unchanged.
    """
    with source.reading() as reading, target.writing() as writing:
        for connection in (reading, writing):
            disable_time_limit(connection)
        if not _count(reading, tables.users):
            raise CannotCopy("There is no history to copy.")
        if any(_count(writing, table) for table in COPIED):
            raise CannotCopy(
                "The database to copy to already has a history. Name an empty one, or stop the"
                " service that uses it and remove its tables activity_*. Nothing was copied."
            )
        counts = {table.name: _copy(reading, writing, table) for table in COPIED}
        for table in COPIED:
            if _count(writing, table) != counts[table.name]:
                raise CannotCopy(f"Not all rows of {table.name} were copied. Nothing is kept.")
    return counts


def _copy(reading: Connection, writing: Connection, table: Table) -> int:
    count = 0
    with reading.execution_options(yield_per=CHUNK_SIZE).execute(select(table)) as rows:
        for chunk in rows.partitions():
            insert_new(writing, table, chunk)
            count += len(chunk)
    return count


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0
