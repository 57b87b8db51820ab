"""The SQLAlchemy engine for SQLite and PostgreSQL."""

import math
import re
import sqlite3
from operator import attrgetter
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, InvalidRequestError

from .errors import DatabaseUnavailable, DatabaseUnusable
from .sqlite_file import LOCK_TIMEOUT
from .timeout import TIMEOUT, TimeLimit

_KEEPALIVE_OPTIONS = {
    # detects a server that vanishes silently after a minute, instead of hours
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}

#: libpq's PQTRANS_INERROR: https://www.postgresql.org/docs/current/libpq-status.html
_IN_ERROR = 3

#: The execution option with the time limit of an engine.
_LIMIT = "time_limit"

#: Delimiters of a URL, and the beginning of a percent-encoded character.
#: https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1
_NOT_ENCODED = re.compile(r"[@/:?#\[\]\s]|%(?![0-9A-Fa-f]{2})")


def parse_url(text: str, setting: str) -> URL:
    """Parse a URL.

    A password that is not percent-encoded is refused: the text after its ``@`` would become the
    host, which drivers quote in their messages. Our messages never contain a part of the URL.
    """
    if not isinstance(text, str):
        raise DatabaseUnusable(f"{setting} is no text: write the URL of the database in quotes.")
    scheme, _, rest = text.partition("://")
    if scheme.lower().startswith("sqlite"):
        return make_url(text)
    account, at, place = rest.partition("@")
    name, _, password = account.partition(":")
    if at and ("@" in place or _NOT_ENCODED.search(name) or _NOT_ENCODED.search(password)):
        raise DatabaseUnusable(
            f"{setting} has a character in its user, password or query that must be"
            " percent-encoded: write @ as %40, / as %2F, : as %3A, # as %23, ? as %3F, % as %25,"
            " [ as %5B, ] as %5D and a blank as %20."
        )
    url = make_url(text)
    if any("password" in key.lower() for key in url.query):
        raise DatabaseUnusable(
            f"{setting} has a password after the question mark: write it percent-encoded before"
            " the host, as in postgresql+psycopg2://user:password@host/name."
        )
    return url


def make_engine(text: str, setting: str, timeout: float = TIMEOUT) -> Engine:
    """Create an engine, without connecting."""
    if not text:
        raise DatabaseUnusable(f"No database is set: set {setting}.")
    try:
        url = parse_url(text, setting)
        backend, driver = url.get_backend_name(), url.get_driver_name()
        if backend not in ("postgresql", "sqlite"):
            raise DatabaseUnusable(f"{setting} is neither sqlite:// nor postgresql://.")
        if backend == "sqlite" and (url.database or ":memory:").startswith((":memory:", "file:")):
            raise DatabaseUnusable(f"{setting} names no file: sqlite:///directory/name.sqlite")
        limit = TimeLimit(timeout, lock_seconds=min(LOCK_TIMEOUT, timeout))
        arguments: dict[str, Any] = {}
        if backend == "sqlite":
            arguments = {"timeout": limit.lock_seconds}
        elif "psycopg" in driver:
            arguments = {**_KEEPALIVE_OPTIONS, "tcp_user_timeout": math.ceil(timeout * 1000)}
        engine = create_engine(
            url,
            connect_args=arguments,
            pool_pre_ping=True,
            pool_timeout=timeout,
            hide_parameters=True,
            execution_options={_LIMIT: limit},
        )
    except (ArgumentError, ValueError):  # an invalid port or time limit
        raise DatabaseUnusable(
            f"{setting} is no URL of a database, such as sqlite:////srv/name.sqlite"
            " or postgresql+psycopg2://user:password@host/name."
        ) from None
    except ImportError as error:
        raise DatabaseUnusable(
            f"The driver {error.name} of {setting} is not installed: install it or name another,"
            " such as postgresql+psycopg2://."
        ) from None
    if engine.dialect.is_async:
        raise DatabaseUnusable(
            f"{setting} has a driver for asyncio: name psycopg2, psycopg or none."
        )
    if backend == "sqlite":
        _set_up_sqlite(engine)
    _set_limit(engine, limit)
    return engine


def time_limit_of(engine: Engine | Connection) -> TimeLimit:
    limit: TimeLimit = engine.get_execution_options()[_LIMIT]
    return limit


def limit_statements(connection: Connection, seconds: float) -> None:
    if connection.dialect.name == "postgresql":
        # of this transaction: a pooler may share the connection
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {math.ceil(seconds * 1000)}")


def disable_time_limit(connection: Connection) -> None:
    """Remove the time limit for the rest of a transaction, its commit included."""
    time_limit_of(connection).lift()
    limit_statements(connection, 0)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


def refuse_aborted(connection: Connection) -> None:
    """Raise before a commit that would silently discard all or some of the changes.

    An app may continue after an error. PostgreSQL then silently treats COMMIT as ROLLBACK, and
    SQLite, which rolls back by itself when the disk is full, has kept only later statements.
    """
    if connection.invalidated:
        raise DatabaseUnavailable("the connection was lost")
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        if not driver.in_transaction:
            raise DatabaseUnavailable("SQLite had to roll back")
    elif driver.info.transaction_status == _IN_ERROR:
        raise InvalidRequestError("A statement of this transaction has failed: nothing is kept.")


def _set_up_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # Python would begin transactions at other moments
        for pragma in ("foreign_keys=ON", "synchronous=NORMAL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        options = connection.get_execution_options()
        connection.exec_driver_sql(f"PRAGMA query_only={options.get('is_writer') is False:d}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("is_writer") else "BEGIN")

    @event.listens_for(engine, "before_cursor_execute")
    def executed(connection: Connection, cursor: object, statement: str, *more: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")) and connection.in_transaction():
            refuse_aborted(connection)


def _set_limit(engine: Engine, limit: TimeLimit) -> None:
    for name in ("do_commit", "do_rollback"):
        function = limit.applied_to(getattr(engine.dialect, name), attrgetter("driver_connection"))
        setattr(engine.dialect, name, function)

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Dialect, record: object, arguments: list[Any], named: Any) -> Any:
        """Connect, within the time that the check of another connection has left."""
        if dialect.name == "sqlite":
            return dialect.connect(*arguments, **named, factory=_connection_class(limit))
        # libpq treats 1 as 2: https://www.postgresql.org/docs/current/libpq-connect.html
        named = {**named, "connect_timeout": max(2, math.ceil(limit.connect_time_left))}
        connection: Any = dialect.connect(*arguments, **named)
        for factory in ("cursor_factory", "server_cursor_factory"):
            if hasattr(connection, factory):
                cls = getattr(connection, factory) or dialect.loaded_dbapi.extensions.cursor
                setattr(connection, factory, limit.cursor_class(cls))
        return connection


def _connection_class(limit: TimeLimit) -> type[sqlite3.Connection]:
    class LimitedConnection(sqlite3.Connection):
        def cursor(self, factory: Any = sqlite3.Cursor) -> Any:
            return super().cursor(limit.cursor_class(factory))

    return LimitedConnection
