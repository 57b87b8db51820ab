"""What may be wrong with a database, in words."""

import sqlite3

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, TimeoutError

from ..service_unavailable import ServiceUnavailable

#: What SQLite says of a file that is locked, full, read-only or away: the codes are known to
#: Python only from 3.11 on. https://www.sqlite.org/rescode.html
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

#: Classes of PostgreSQL's codes, or whole ones, that end a connection or allow none: no connection,
#: no authentication, no database, too many connections, an operator who intervenes.
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_CONNECTION_ERRORS = ("08", "28", "3D000", "53300", "57P", "25P03", "25P04")

#: Others that may pass: transactions that met, resources, locks, time, the system, a read-only one,
#: a privilege that is not granted yet.
_TRANSIENT_POSTGRESQL: tuple[str, ...] = ("40", "53", "55P03", "57", "58", "25006", "42501")

#: Also raised by a session that may only read, when it writes.
_READ_ONLY_ERRORS = ("attempt to write a readonly database", "25006")

#: How statements begin that write nothing.
_READING_STATEMENTS = ("SELECT", "WITH", "BEGIN", "PRAGMA")


class DatabaseUnusable(Exception):
    """Why there is none to be used, in words for an admin."""


class DatabaseUnavailable(ServiceUnavailable, DatabaseUnusable):
    """It cannot be used at the moment: it is away, hangs, is locked, full or read-only.

    This may pass. A handler that lets it through responds with 503.

    Attributes:
        is_connection_failure: whether there was no connection, so that nothing at all can be done.
        is_hung: whether it took long to find out.
    """

    _message = "The database of this app is not available at the moment. Try again shortly."
    _logged_as = "The database is not available"

    is_connection_failure = False
    is_hung = False

    def __str__(self) -> str:
        return self.detail


def as_unavailable(error: SQLAlchemyError, *, is_writer: bool) -> DatabaseUnavailable | None:
    """The same error, if it may pass with neither the app nor its settings changed."""
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
    """Whether a driver's error may pass with neither the app nor its settings changed.

    The errors are those of PEP 249, https://peps.python.org/pep-0249/#exceptions.
    """
    code = _error_code(error)
    if isinstance(error, sqlite3.Error):
        return code.startswith(_TRANSIENT_SQLITE)
    if code:
        return code.startswith((*_CONNECTION_ERRORS, *_TRANSIENT_POSTGRESQL))
    names = {cls.__name__ for cls in type(error).__mro__}  # of whichever driver it is
    return bool(names & {"OperationalError", "InterfaceError"})


def _error_code(error: BaseException) -> str:
    if isinstance(error, sqlite3.Error):
        return driver_message(error)
    # psycopg and psycopg2 have names of their own for it
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""


def driver_message(error: BaseException) -> str:
    """What the driver says: no statement, none of its values, no URL."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]


def is_corruption(error: BaseException) -> bool:
    """Whether SQLite found that the file is none of its own, or no more."""
    return driver_message(error) in ("database disk image is malformed", "file is not a database")
