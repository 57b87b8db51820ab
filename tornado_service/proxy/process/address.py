"""Where a command listens: a socket in a private directory, a free port, or a given URL."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from functools import partial

from ..forward.target import Target
from .command import ProcessOptions
from .processes import free_port

#: Bytes of a socket's path; the system's limit is 108 on Linux, 104 on macOS, with the final NUL.
MAX_SOCKET_PATH = 100


class Address:
    """Where the command of one start listens.

    Attributes:
        target: the same, for requests.
        port: the value of ``{port}``; 0 if it is not used.
        unix_socket: the value of ``{unix_socket}``; empty if it is not used.
    """

    def __init__(self, target: Target, port: int = 0, unix_socket: str = "") -> None:
        self.target = target
        self.port = port
        self.unix_socket = unix_socket

    @classmethod
    def make(cls, options: ProcessOptions, last_port: int = 0) -> Address:
        """Choose an address. May block.

        Args:
            options: those of the command.
            last_port: the port of the previous start; another one is taken, as it may be in use.

        Raises:
            OSError: no directory can be created, or no port is free.
        """
        port = free_port(last_port) if options.uses_port else 0
        unix_socket = _private_socket() if options.uses_unix_socket else ""
        if unix_socket:  # a command that uses both listens on both
            return cls(Target(unix_socket=unix_socket), port, unix_socket)
        return cls(options.url_target or Target(port=port), port)

    async def remove(self) -> None:
        """Remove the directory of the socket, with anything that the command has put there."""
        if self.unix_socket:
            remove = partial(shutil.rmtree, os.path.dirname(self.unix_socket), ignore_errors=True)
            await asyncio.get_running_loop().run_in_executor(None, remove)

    def __str__(self) -> str:
        target = self.target
        return target.unix_socket or f"{target.host}:{target.port}"


def _private_socket() -> str:
    """The path of a socket that does not exist, in a directory that only we can enter."""
    for parent in (None, "/tmp"):  # noqa: S108 - mkdtemp makes the directory private
        directory = tempfile.mkdtemp(prefix="web-app-", dir=parent)
        path = os.path.join(directory, "socket")
        if len(os.fsencode(path)) < MAX_SOCKET_PATH:
            return path
        os.rmdir(directory)
    raise OSError("No temporary directory has a path that is short enough for a socket.")
