"""What may be wrong with a database, in words."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError


class NoDatabase(Exception):
    """Why there is none to be used, in words for an admin."""


class DatabaseUnavailable(NoDatabase):
    """It cannot be used at the moment: it is away, locked, full or read-only. This may pass."""


def first_line(error: BaseException) -> str:
    """What the driver says: no statement, none of its values, no URL."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]


def is_damage(error: BaseException) -> bool:
    """Whether SQLite found that the file is none of its own, or no more."""
    return first_line(error) in ("database disk image is malformed", "file is not a database")
