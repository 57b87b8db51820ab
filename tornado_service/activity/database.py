"""The database: SQLite or PostgreSQL, opened, brought to our version, read and written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, delete, event, false, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from . import migrations, sqlite_file, tables
from .sqlite_file import PATIENCE
from .trouble import NewerDatabase, NoDatabase, first_line

#: The setting that names the database.
SETTING = "c.Activity.database_url"

#: PostgreSQL's lock of the one who writes.
_WRITER = 0x746F726E61646F

_POSTGRESQL = {
    # a server that is gone without a word is noticed after a minute, and not after hours
    "connect_timeout": 5,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 50_000,
}


class Database:
    """One that is ready to be used, by any number of threads.

    Attributes:
        put_aside: where the damaged file is that was found in its place.
    """

    def __init__(self, engine: Engine, put_aside: Path | None = None) -> None:
        self.put_aside = put_aside
        self._engine = engine
        self._path = _path(engine)
        self._identity = sqlite_file.identity(self._path) if self._path else None

    @property
    def is_in_place(self) -> bool:
        """Whether the file, if it is one, is still where it was opened, and the same."""
        return self._path is None or sqlite_file.identity(self._path) == self._identity

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection that sees one moment of the database, whatever is written meanwhile."""
        options: dict[str, Any] = {}
        if self._path is None:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        return self._engine.execution_options(**options).begin()

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction of the only writer, of all processes."""
        return _writing(self._engine)

    def erase(self) -> None:
        """Remove what was deleted from SQLite's log, too."""
        if self._path is not None:
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close what is not in use."""
        self._engine.dispose()


def open_database(url: str, *, thorough: bool = False) -> Database:
    """Open a database and bring it to this version; put a damaged SQLite file aside.

    Args:
        url: as SQLAlchemy has it.
        thorough: look for damage everywhere, which takes seconds.

    Raises:
        NewerDatabase: it is of a newer version, and was not touched.
        NoDatabase: it cannot be used; the message says what to change.
    """
    engine = _make_engine(url)
    path = _path(engine)
    put_aside = None
    try:
        if path is not None:
            put_aside = sqlite_file.make_sure(path, thorough=thorough)
        with _writing(engine) as connection:
            migrations.upgrade(connection)
            # one that is read-only says so only when something is written
            connection.execute(delete(tables.samples).where(false()))
        if path is not None:
            _log_ahead(engine)
        return Database(engine, put_aside)
    except BaseException as error:
        engine.dispose()
        if isinstance(error, migrations.NewerSchema):
            raise NewerDatabase from None
        if isinstance(error, (DBAPIError, sqlite3.Error, OSError)):
            raise NoDatabase(_why(path, error)) from error
        raise


def _make_engine(text: str) -> Engine:
    if not text:
        raise NoDatabase(f"No database is set: set {SETTING}.")
    try:
        url = make_url(text)
        postgresql = url.get_backend_name() == "postgresql"
        options = _POSTGRESQL if "psycopg" in url.get_driver_name() else {}
        arguments = options if postgresql else {"timeout": PATIENCE}
        # None of these messages may show the URL: it may have a password.
        if not postgresql and url.get_backend_name() != "sqlite":
            raise NoDatabase(f"{SETTING} is neither sqlite:// nor postgresql://.")
        if not postgresql and (url.database or ":memory:").startswith((":memory:", "file:")):
            raise NoDatabase(f"{SETTING} names no file: sqlite:///directory/activity.sqlite")
        engine = create_engine(
            url, connect_args=arguments, pool_pre_ping=True, hide_parameters=True
        )
    except (ArgumentError, ValueError):  # a port that is no number, a time limit that is none
        raise NoDatabase(
            f"{SETTING} is no URL of a database, such as sqlite:////srv/activity.sqlite"
            " or postgresql+psycopg2://user:password@host/name."
        ) from None
    except ImportError as error:
        raise NoDatabase(
            f"The driver {error.name} of {SETTING} is not installed: install it or name another,"
            " such as postgresql+psycopg2://."
        ) from None
    if engine.dialect.is_async:
        raise NoDatabase(f"{SETTING} has a driver for asyncio: name psycopg2, psycopg or none.")
    if not postgresql:
        _set_up_sqlite(engine)
    return engine


def _path(engine: Engine) -> Path | None:
    """The file, of SQLite."""
    is_file = engine.dialect.name == "sqlite"
    return Path(str(engine.url.database)).absolute() if is_file else None


def _set_up_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # Python's own idea of when to begin is another
        for pragma in ("foreign_keys=ON", "synchronous=NORMAL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        is_writer = connection.get_execution_options().get("is_writer")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")


def _log_ahead(engine: Engine) -> None:
    """Let readers and the writer work side by side: https://www.sqlite.org/wal.html."""
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        # where the file system cannot do it, it stays as it is: slower, as safe
        with suppress(sqlite3.OperationalError):
            driver.execute("PRAGMA journal_mode=WAL")


@contextmanager
def _writing(engine: Engine) -> Iterator[Connection]:
    with engine.execution_options(is_writer=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(PATIENCE * 1000)}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER})")
        yield connection


def _why(path: Path | None, error: BaseException) -> str:
    detail = first_line(error)
    if path is None:
        return f"The database does not answer ({detail}). Is {SETTING} right?"
    return (
        f"{path} cannot be used ({detail}). Set {SETTING} to a file in a directory in which the"
        " service may write, or to a PostgreSQL database."
    )
