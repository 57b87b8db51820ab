"""The engine: how SQLite and PostgreSQL are spoken to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from .sqlite_file import PATIENCE
from .trouble import NoDatabase

_POSTGRESQL = {
    # a server that is gone without a word is noticed after a minute, and not after hours
    "connect_timeout": 5,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 50_000,
}


def make_engine(text: str, setting: str) -> Engine:
    """Make one; nothing is connected yet.

    Args:
        text: the URL.
        setting: where it comes from, for messages. None of them shows the URL, which may have a
            password.

    Raises:
        NoDatabase: it is no URL of a database that can be used.
    """
    if not text:
        raise NoDatabase(f"No database is set: set {setting}.")
    try:
        url = make_url(text)
        postgresql = url.get_backend_name() == "postgresql"
        options = _POSTGRESQL if "psycopg" in url.get_driver_name() else {}
        arguments = options if postgresql else {"timeout": PATIENCE}
        if not postgresql and url.get_backend_name() != "sqlite":
            raise NoDatabase(f"{setting} is neither sqlite:// nor postgresql://.")
        if not postgresql and (url.database or ":memory:").startswith((":memory:", "file:")):
            raise NoDatabase(f"{setting} names no file: sqlite:///directory/name.sqlite")
        engine = create_engine(
            url, connect_args=arguments, pool_pre_ping=True, hide_parameters=True
        )
    except (ArgumentError, ValueError):  # a port that is no number, a time limit that is none
        raise NoDatabase(
            f"{setting} is no URL of a database, such as sqlite:////srv/name.sqlite"
            " or postgresql+psycopg2://user:password@host/name."
        ) from None
    except ImportError as error:
        raise NoDatabase(
            f"The driver {error.name} of {setting} is not installed: install it or name another,"
            " such as postgresql+psycopg2://."
        ) from None
    if engine.dialect.is_async:
        raise NoDatabase(f"{setting} has a driver for asyncio: name psycopg2, psycopg or none.")
    if not postgresql:
        _set_up_sqlite(engine)
    return engine


def path_of(engine: Engine) -> Path | None:
    """The file, of SQLite."""
    is_file = engine.dialect.name == "sqlite"
    return Path(str(engine.url.database)).absolute() if is_file else None


def reading(engine: Engine) -> AbstractContextManager[Connection]:
    """A transaction that sees one moment, whatever is written meanwhile, and cannot write."""
    options: dict[str, Any] = {"is_reader": True}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return engine.execution_options(**options).begin()


@contextmanager
def writing(engine: Engine, lock: int) -> Iterator[Connection]:
    """A transaction of the only writer, of all processes.

    Args:
        engine: whose database it is.
        lock: which PostgreSQL gives to one at a time.
    """
    with engine.execution_options(is_writer=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(PATIENCE * 1000)}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({lock})")
        yield connection


def _set_up_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # Python's own idea of when to begin is another
        for pragma in ("foreign_keys=ON", "synchronous=NORMAL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        options = connection.get_execution_options()
        connection.exec_driver_sql(f"PRAGMA query_only={options.get('is_reader', False):d}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("is_writer") else "BEGIN")


def log_ahead(engine: Engine) -> None:
    """Let SQLite's readers and writer work side by side: https://www.sqlite.org/wal.html."""
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        # where the file system cannot do it, it stays as it is: slower, as safe
        with suppress(sqlite3.OperationalError):
            driver.execute("PRAGMA journal_mode=WAL")
