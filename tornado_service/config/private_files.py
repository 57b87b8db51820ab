"""Files of which only their owner may read what is in them, whatever the umask."""

import os
import stat
from pathlib import Path


def private_opener(path: str, flags: int) -> int:
    """An ``opener`` for ``open``: a file that it makes is its owner's alone.

    From one that is there it takes the rights of all but its owner and group.
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
    """Make a directory and those above it, each its owner's alone."""
    for directory in (*reversed(path.parents), path):
        if not directory.is_dir():
            directory.mkdir(mode=0o700, exist_ok=True)
