"""The SQLite file: checked before use, quarantined if it is damaged, never deleted."""

import fcntl
import logging
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime, timezone
from itertools import count
from pathlib import Path

from .errors import DatabaseUnusable, is_corruption

#: Seconds to wait for another process.
LOCK_TIMEOUT = 5.0

#: Whether a file with these tables is ours.
OwnershipCheck = Callable[[sqlite3.Connection, set[str]], bool]

_SIDE_FILES = ("-wal", "-shm")

#: The mode of SQLite's new files, https://www.sqlite.org/compile.html#default_file_permissions
_SQLITE_FILE_MODE = 0o644

_log = logging.getLogger(__name__)


def ensure_usable(
    path: Path, is_own_file: OwnershipCheck, *, thorough: bool = False
) -> Path | None:
    """Check that the file is missing or an intact one of ours; quarantine a damaged one.

    Args:
        path: the file.
        is_own_file: decides by the tables; it may raise ``DatabaseUnusable`` itself.
        thorough: read the whole file, which takes seconds. Else only its header and schema: damage
            elsewhere shows on use.

    Returns:
        The new path of a damaged file.
    """
    while True:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return None
        with file:
            # another process may have replaced the file meanwhile
            fcntl.flock(file, fcntl.LOCK_EX)
            if identity(path) != identity(file.fileno()):
                continue
            return None if _is_intact(path, is_own_file, thorough) else _quarantine(path)


def ensure_private(path: Path) -> None:
    """Create the file if it is missing, and remove access by all users of this machine.

    A new one is empty, which is a valid SQLite database. SQLite creates its additional files with
    the mode of the file. Access of a group stays. A line in the log reports the change, or that
    it failed.
    """
    real = Path(os.path.realpath(path))
    with suppress(FileExistsError):
        # exclusively: closing an existing file would release SQLite's locks on it,
        # https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
        os.close(os.open(real, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    _restrict_permissions(real)


def _restrict_permissions(path: Path) -> None:
    for suffix in ("", *_SIDE_FILES):
        file = path.with_name(path.name + suffix)
        try:
            mode = stat.S_IMODE(file.stat().st_mode)
            if mode & stat.S_IRWXO:
                os.chmod(file, 0o600 if mode == _SQLITE_FILE_MODE else mode & ~stat.S_IRWXO)
        except FileNotFoundError:
            continue
        except OSError as error:
            _log.warning("%s is open to every user of this machine: %s", file, error.strerror)
        else:
            if mode & stat.S_IRWXO and not suffix:
                _log.warning("%s was open to every user of this machine; it no longer is.", file)


def identity(file: Path | int) -> tuple[int, int] | None:
    """Device and inode of a file; ``None`` if it does not exist."""
    with suppress(FileNotFoundError):
        status = os.stat(file)
        return status.st_dev, status.st_ino
    return None


def _is_intact(path: Path, is_own_file: OwnershipCheck, thorough: bool) -> bool:
    """Whether the file is intact, checked without changes to it or its log."""
    url = f"{path.as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(url, timeout=LOCK_TIMEOUT, uri=True)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if tables and not is_own_file(connection, tables):
                raise DatabaseUnusable(f"{path} belongs to another program: name a different file.")
            if thorough:
                return connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.DatabaseError as error:
        if is_corruption(error):
            return False
        raise
    return True


def _quarantine(path: Path) -> Path:
    day = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H%M%SZ")
    names = (path.with_name(f"{path.name}.corrupt-{day}{f'-{n}' * (n > 0)}") for n in count())
    target = next(name for name in names if not name.exists())
    # the additional files first: a log must never be applied to the next file
    for suffix in (*_SIDE_FILES, ""):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(target.with_name(target.name + suffix))
    _restrict_permissions(target)
    return target
