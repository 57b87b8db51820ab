"""A database: opened, looked at, brought to an app's version, read and written."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from . import sqlite_file
from .engine import limit_of, log_ahead, make_engine, path_of, reading, writing
from .errors import DatabaseUnavailable, first_line
from .schema import Schema
from .timeout import TIMEOUT


class Database:
    """One that is ready to be used, by any number of threads.

    Attributes:
        put_aside: where the damaged file is that was found in its place.
    """

    def __init__(self, engine: Engine, schema: Schema, put_aside: Path | None = None) -> None:
        self.put_aside = put_aside
        self._engine = engine
        self._lock = schema.lock
        self._path = path_of(engine)
        self._identity = sqlite_file.identity(self._path) if self._path else None

    @property
    def is_in_place(self) -> bool:
        """Whether the file, if it is one, is still where it was opened, and the same."""
        return self._path is None or sqlite_file.identity(self._path) == self._identity

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection that sees one moment of the database, whatever is written meanwhile.

        Raises:
            DatabaseUnavailable: also of what is called in it.
        """
        return reading(self._engine)

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction of the only writer, of all processes.

        Raises:
            DatabaseUnavailable: also of what is called in it.
        """
        return writing(self._engine, self._lock)

    def erase(self) -> bool:
        """Remove what was deleted from SQLite's log, too.

        Returns:
            Whether it is gone: not while somebody reads what was before.
        """
        if self._path is None:
            return True
        limit_of(self._engine).begin()
        with self._engine.connect() as connection:
            # https://www.sqlite.org/pragma.html#pragma_wal_checkpoint: the first column is "busy"
            found = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            return found.scalar() == 0

    def close(self) -> None:
        """Close what is not in use."""
        self._engine.dispose()


def open_database(
    url: str, schema: Schema, *, thorough: bool = False, timeout: float = TIMEOUT
) -> Database:
    """Open a database and bring it to this version; put a damaged SQLite file aside.

    Args:
        url: as SQLAlchemy has it.
        schema: what is to be in it.
        thorough: look for damage everywhere, which takes seconds.
        timeout: seconds that a statement may take, and getting a connection; but for an upgrade to
            this version, which takes as long as it does.

    Raises:
        NoDatabase: it cannot be used; the message says what to change. It was not touched.
        DatabaseUnavailable: idem, for a reason that may pass.
    """
    engine = make_engine(url, schema.setting, timeout)
    path = path_of(engine)
    put_aside = None
    try:
        if path is not None:
            put_aside = sqlite_file.make_sure(path, schema.is_ours, thorough=thorough)
            sqlite_file.make_private(path)
        with writing(engine, schema.lock) as connection:
            schema.make(connection)
            schema.check_writable(connection)
        if path is not None:
            log_ahead(engine)
        return Database(engine, schema, put_aside)
    except BaseException as error:
        engine.dispose()
        if isinstance(error, (DatabaseUnavailable, DBAPIError, sqlite3.Error, OSError)):
            raise DatabaseUnavailable(_why(path, schema.setting, error)) from error
        raise


def _why(path: Path | None, setting: str, error: BaseException) -> str:
    detail = first_line(error)
    if path is None:
        return f"The database does not answer ({detail}). Is {setting} right?"
    return (
        f"{path} cannot be used ({detail}). Set {setting} to a file in a directory in which the"
        " service may write, or to a PostgreSQL database."
    )
