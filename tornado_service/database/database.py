"""A database: opened, checked, upgraded to an app's version, read and written."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from . import sqlite_file
from .engine import enable_wal, make_engine, reading, sqlite_path, time_limit_of, writing
from .errors import DatabaseUnavailable, driver_message
from .schema import Schema
from .timeout import TIMEOUT


class Database:
    """One that is ready to be used, by any number of threads.

    Attributes:
        quarantined_file: where the damaged file is that was found in its place.
    """

    def __init__(
        self, engine: Engine, schema: Schema, quarantined_file: Path | None = None
    ) -> None:
        self.quarantined_file = quarantined_file
        self._engine = engine
        self._lock = schema.lock
        self._path = sqlite_path(engine)
        self._identity = sqlite_file.identity(self._path) if self._path else None

    @property
    def is_same_file(self) -> bool:
        """Whether SQLite's file is still the one that was opened."""
        return self._path is None or sqlite_file.identity(self._path) == self._identity

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection that sees one moment of the database, whatever is written meanwhile."""
        return reading(self._engine)

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction of the only writer, of all processes."""
        return writing(self._engine, self._lock)

    def truncate_wal(self) -> bool:
        """Remove what was deleted from SQLite's log, too.

        Returns:
            Whether it is gone: not while a reader still needs it.
        """
        if self._path is None:
            return True
        time_limit_of(self._engine).begin()
        with self._engine.connect() as connection:
            # https://www.sqlite.org/pragma.html#pragma_wal_checkpoint: the first column is "busy"
            result = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            return result.scalar() == 0

    def close(self) -> None:
        self._engine.dispose()


def open_database(
    url: str, schema: Schema, *, thorough: bool = False, timeout: float = TIMEOUT
) -> Database:
    """Open a database and bring it to this version; put a damaged SQLite file aside.

    Args:
        url: as SQLAlchemy has it.
        schema: what is to be in it.
        thorough: check the whole file, which takes seconds.
        timeout: seconds that a statement may take, and getting a connection; but for an upgrade to
            this version, which takes as long as it does.

    Raises:
        DatabaseUnusable: it cannot be used; the message says what to change. It was not touched.
        DatabaseUnavailable: it cannot be used, for a reason that may pass.
    """
    engine = make_engine(url, schema.setting, timeout)
    path = sqlite_path(engine)
    quarantined_file = None
    try:
        if path is not None:
            quarantined_file = sqlite_file.ensure_usable(
                path, schema.is_own_file, thorough=thorough
            )
            sqlite_file.ensure_private(path)
        with writing(engine, schema.lock) as connection:
            schema.create_tables(connection)
            schema.check_writable(connection)
        if path is not None:
            enable_wal(engine)
        return Database(engine, schema, quarantined_file)
    except BaseException as error:
        engine.dispose()
        if isinstance(error, (DatabaseUnavailable, DBAPIError, sqlite3.Error, OSError)):
            raise DatabaseUnavailable(_unusable_message(path, schema.setting, error)) from error
        raise


def _unusable_message(path: Path | None, setting: str, error: BaseException) -> str:
    detail = driver_message(error)
    if path is None:
        return f"The database does not answer ({detail}). Is {setting} right?"
    return (
        f"{path} cannot be used ({detail}). Set {setting} to a file in a directory in which the"
        " service may write, or to a PostgreSQL database."
    )
