"""Errors of databases, classified and described."""

import sqlite3

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, TimeoutError

from ..service_unavailable import ServiceUnavailable

#: SQLite's messages for a file that is locked, full, read-only or unavailable: Python has the
#: codes only from 3.11 on. https://www.sqlite.org/rescode.html
_TRANSIENT_SQLITE: tuple[str, ...] = (
    "database is locked",
    "database table is locked",
    "database schema is locked",
    "locking protocol",
    "database or disk is full",
    "disk I/O error",
    "unable to open database",
    "attempt to write a readonly database",
    "interrupted",
    "out of memory",
)

#: Classes of PostgreSQL's codes, or full codes, that end or prevent a connection: no connection,
#: no authentication, no database, too many connections, operator intervention.
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_CONNECTION_ERRORS = ("08", "28", "3D000", "53300", "57P", "25P03", "25P04")

#: Other transient ones: conflicting transactions, resources, locks, time limits, system errors,
#: a read-only transaction, a privilege that is not granted yet.
_TRANSIENT_POSTGRESQL: tuple[str, ...] = ("40", "53", "55P03", "57", "58", "25006", "42501")

#: Also raised when a read-only session writes.
_READ_ONLY_ERRORS = ("attempt to write a readonly database", "25006")

#: The first words of statements that write nothing.
_READING_STATEMENTS = ("SELECT", "WITH", "BEGIN", "PRAGMA")


class DatabaseUnusable(Exception):
    """Why a database cannot be used until its configuration changes, for administrators."""


class DatabaseUnavailable(ServiceUnavailable, DatabaseUnusable):
    """The database is temporarily unavailable: down, hanging, locked, full or read-only.

    If a handler does not catch it, the response is 503.

    Attributes:
        is_connection_failure: whether there was no connection, so that nothing works at all.
        is_hung: whether detecting it took long.
    """

    _message = "The database of this app is not available at the moment. Try again shortly."
    _logged_as = "The database is not available"

    is_connection_failure = False
    is_hung = False

    def __str__(self) -> str:
        return self.detail


def as_unavailable(error: SQLAlchemyError, *, is_writer: bool) -> DatabaseUnavailable | None:
    """The error as ``DatabaseUnavailable``, if it is transient."""
    if not isinstance(error, (DBAPIError, TimeoutError)):
        return None
    unavailable = DatabaseUnavailable(driver_message(error))
    if isinstance(error, TimeoutError):  # all connections are in use
        return unavailable
    cause = error.orig or error
    code = _error_code(cause)
    if not isinstance(cause, sqlite3.Error):
        is_of_driver = not code and is_transient(cause)
        if is_of_driver or error.connection_invalidated or code.startswith(_CONNECTION_ERRORS):
            unavailable.is_connection_failure = True
            return unavailable
    if code in _READ_ONLY_ERRORS and not is_writer:
        may_pass = (error.statement or "BEGIN").lstrip().upper().startswith(_READING_STATEMENTS)
    else:
        may_pass = is_transient(cause)
    return unavailable if may_pass else None


def is_transient(error: BaseException) -> bool:
    """Whether a driver's error may disappear without changes to the app or its settings.

    The errors are those of PEP 249, https://peps.python.org/pep-0249/#exceptions.
    """
    code = _error_code(error)
    if isinstance(error, sqlite3.Error):
        return code.startswith(_TRANSIENT_SQLITE)
    if code:
        return code.startswith((*_CONNECTION_ERRORS, *_TRANSIENT_POSTGRESQL))
    names = {cls.__name__ for cls in type(error).__mro__}  # of any driver
    return bool(names & {"OperationalError", "InterfaceError"})


def _error_code(error: BaseException) -> str:
    if isinstance(error, sqlite3.Error):
        return driver_message(error)
    # psycopg and psycopg2 have separate classes for it
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""


def driver_message(error: BaseException) -> str:
    """The driver's message: without statement, values and URL."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]


def is_corruption(error: BaseException) -> bool:
    """Whether SQLite found that the file is not, or no longer, a database."""
    return driver_message(error) in ("database disk image is malformed", "file is not a database")
