"""Files and directories that only their owner can read, whatever the umask."""

import os
import stat
from pathlib import Path


def private_opener(path: str, flags: int) -> int:
    """An ``opener`` for ``open``: only the owner can access a file that it creates.

    For an existing file it removes the permissions of all but its owner and group.
    """
    descriptor = os.open(path, flags, 0o600)
    mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
    if mode & stat.S_IRWXO:
        os.fchmod(descriptor, mode & ~stat.S_IRWXO)
    return descriptor


def write_private(path: Path, text: str) -> None:
    with open(path, "w", encoding="utf-8", opener=private_opener) as file:
        file.write(text)


def make_private_directory(path: Path) -> None:
    """Create a directory and its parents, accessible only to their owner."""
    for directory in (*reversed(path.parents), path):
        if not directory.is_dir():
            directory.mkdir(mode=0o700, exist_ok=True)
