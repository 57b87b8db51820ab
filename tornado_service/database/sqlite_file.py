"""SQLite's file: checked before it is used, put aside if it is damaged, never deleted."""

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

#: Seconds that we wait for another process.
LOCK_TIMEOUT = 5.0

#: Whether a file that has these tables is one of ours.
OwnershipCheck = Callable[[sqlite3.Connection, set[str]], bool]

_SIDE_FILES = ("-wal", "-shm")

#: What SQLite gives a file that it makes, https://www.sqlite.org/compile.html#default_file_permissions
_SQLITE_FILE_MODE = 0o644

_log = logging.getLogger(__name__)


def ensure_usable(
    path: Path, is_own_file: OwnershipCheck, *, thorough: bool = False
) -> Path | None:
    """See that there is no file, or a sound one of ours; put aside one that is damaged.

    Args:
        path: of the file.
        is_own_file: by its contents; it may raise ``DatabaseUnusable`` itself.
        thorough: read all of it, which takes seconds. Else only what tells what it is: damage
            elsewhere shows when that is used.

    Returns:
        Where the damaged one has gone.
    """
    while True:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return None
        with file:
            # who comes second finds another file in its place, or none
            fcntl.flock(file, fcntl.LOCK_EX)
            if identity(path) != identity(file.fileno()):
                continue
            return None if _is_intact(path, is_own_file, thorough) else _quarantine(path)


def ensure_private(path: Path) -> None:
    """See that there is a file, and that not every user of this machine may open it.

    A new one is empty, which is a database of SQLite's. SQLite gives what it keeps beside it the
    mode of the file. A group that an admin has let in stays. A line in the log says what was
    changed, or that it could not be.
    """
    real = Path(os.path.realpath(path))
    with suppress(FileExistsError):
        # exclusively: closing a file that is there would end SQLite's locks on it,
        # https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
        os.close(os.open(real, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    _restrict_permissions(real)


def _restrict_permissions(path: Path) -> None:
    for beside in ("", *_SIDE_FILES):
        file = path.with_name(path.name + beside)
        try:
            mode = stat.S_IMODE(file.stat().st_mode)
            if mode & stat.S_IRWXO:
                os.chmod(file, 0o600 if mode == _SQLITE_FILE_MODE else mode & ~stat.S_IRWXO)
        except FileNotFoundError:
            continue
        except OSError as error:
            _log.warning("%s is open to every user of this machine: %s", file, error.strerror)
        else:
            if mode & stat.S_IRWXO and not beside:
                _log.warning("%s was open to every user of this machine; it no longer is.", file)


def identity(file: Path | int) -> tuple[int, int] | None:
    """Device and inode of a file; ``None`` if it does not exist."""
    with suppress(FileNotFoundError):
        status = os.stat(file)
        return status.st_dev, status.st_ino
    return None


def _is_intact(path: Path, is_own_file: OwnershipCheck, thorough: bool) -> bool:
    """Whether it can be used, by looking only: neither it nor its log changes."""
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
    # first what is beside it: a log must never meet the file that comes next
    for beside in (*_SIDE_FILES, ""):
        with suppress(FileNotFoundError):
            path.with_name(path.name + beside).rename(target.with_name(target.name + beside))
    _restrict_permissions(target)
    return target
