"""A database: opens, checks and upgrades it; runs transactions."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError, InvalidRequestError, SQLAlchemyError

from . import sqlite_file
from .engine import limit_statements, make_engine, refuse_aborted, time_limit_of
from .errors import DatabaseUnavailable, as_unavailable, driver_message
from .schema import Schema
from .timeout import TIMEOUT

#: Seconds without a statement after which PostgreSQL ends a writer's transaction: a process that is
#: suspended, or whose machine has vanished, would keep the lock of the only writer.
IDLE_LIMIT = 60.0


class Database:
    """A database, ready for any number of threads after ``prepare``.

    Attributes:
        quarantined_file: where the replaced damaged file is.
    """

    quarantined_file: Path | None = None

    def __init__(self, url: str, schema: Schema, timeout: float) -> None:
        self._schema = schema
        self._engine = make_engine(url, schema.setting, timeout)
        self._limit = time_limit_of(self._engine)
        is_file = self._engine.dialect.name == "sqlite"
        self._path = Path(str(self._engine.url.database)).absolute() if is_file else None
        self._identity: tuple[int, int] | None = None

    def prepare(self, *, thorough: bool) -> None:
        """Upgrade the database to the schema's version; quarantine a damaged SQLite file."""
        try:
            if self._path:
                self.quarantined_file = sqlite_file.ensure_usable(
                    self._path, self._schema.is_own_file, thorough=thorough
                )
                sqlite_file.ensure_private(self._path)
            with self.writing() as connection:
                self._schema.create_tables(connection)
                self._schema.check_writable(connection)
            if self._path:
                self._enable_wal()
                self._identity = sqlite_file.identity(self._path)
        except (DatabaseUnavailable, DBAPIError, sqlite3.Error, OSError) as error:
            setting, detail = self._schema.setting, driver_message(error)
            message = f"The database does not respond ({detail}). Is {setting} right?"
            if self._path:
                message = (
                    f"{self._path} cannot be used ({detail}). Set {setting} to a file in a"
                    " directory in which the service may write, or to a PostgreSQL database."
                )
            raise DatabaseUnavailable(message) from error

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect

    @property
    def is_same_file(self) -> bool:
        """Whether the path still leads to the SQLite file that was opened."""
        return self._path is None or sqlite_file.identity(self._path) == self._identity

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only transaction with a consistent snapshot, whatever is written meanwhile."""
        with self.transaction(is_writer=False) as connection:
            if self._path is None:
                # of this transaction: after SQLAlchemy's option, writers on this connection
                # have to override default_transaction_read_only, which a standby server refuses
                mode = "ISOLATION LEVEL REPEATABLE READ, READ ONLY"
                connection.exec_driver_sql(f"SET TRANSACTION {mode}")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction of the only writer, across all processes.

        Raises:
            DatabaseUnavailable: also raised by calls inside of it; nothing is kept, except if the
                commit itself fails, which may have succeeded on the server.
        """
        with self.transaction(is_writer=True) as connection:
            if self._path is None:
                milliseconds = int(self._limit.lock_seconds * 1000)
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
                idle = f"idle_in_transaction_session_timeout = {int(IDLE_LIMIT * 1000)}"
                connection.exec_driver_sql(f"SET LOCAL {idle}")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({self._schema.lock})")
            yield connection

    @contextmanager
    def transaction(self, *, is_writer: bool) -> Iterator[Connection]:
        """A transaction that takes no lock, for writers that take locks of their own."""
        limit = self._limit
        limit.begin()
        try:
            with self._engine.execution_options(is_writer=is_writer).begin() as connection:
                limit_statements(connection, limit.seconds)
                try:
                    yield connection
                except InvalidRequestError:  # the app has continued after an error
                    if connection.invalidated:
                        raise DatabaseUnavailable("the connection was lost") from None
                    raise
                refuse_aborted(connection)
        except SQLAlchemyError as error:
            failure = as_unavailable(error, is_writer=is_writer)
            if limit.is_exceeded:
                failure = DatabaseUnavailable(f"no response within {limit.seconds:g} s")
                failure.is_connection_failure = self._path is None
            if failure is None:
                raise
            failure.is_hung = (
                failure.is_connection_failure and limit.connect_time_left < limit.seconds / 2
            )
            raise failure from error

    def _enable_wal(self) -> None:
        """Let readers and the writer work concurrently: https://www.sqlite.org/wal.html."""
        self._limit.begin()
        # unsupported by some file systems: then the old mode stays, slower and equally safe
        with self._engine.connect() as connection, suppress(sqlite3.OperationalError):
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA journal_mode=WAL")

    def truncate_wal(self) -> bool:
        """Remove deleted data from SQLite's write-ahead log, too.

        Returns:
            Whether that succeeded: a reader may still need the log.
        """
        if self._path is None:
            return True
        self._limit.begin()
        with self._engine.connect() as connection:
            # https://www.sqlite.org/pragma.html#pragma_wal_checkpoint: the first column is "busy"
            return connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar() == 0

    def close(self) -> None:
        self._engine.dispose()


def open_database(
    url: str, schema: Schema, *, thorough: bool = False, timeout: float = TIMEOUT
) -> Database:
    """Open a database and upgrade it to this version; quarantine a damaged SQLite file.

    Args:
        url: SQLAlchemy's URL.
        schema: the tables.
        thorough: check the whole file, which takes seconds.
        timeout: seconds that a statement, or waiting for a connection, may take; an upgrade to
            this version has no limit.

    Raises:
        DatabaseUnusable: the settings or the database have to be changed; the message says how. The
            database is unchanged.
        DatabaseUnavailable: it is temporarily unavailable.
    """
    database = Database(url, schema, timeout)
    try:
        database.prepare(thorough=thorough)
    except BaseException:
        database.close()
        raise
    return database
