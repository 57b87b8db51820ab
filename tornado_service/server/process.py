"""The server's process: port, limits, parent process, exit."""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from tornado.netutil import bind_sockets

from ..config.launch import is_launched_by_hub

#: The id of the process that launched us; the command imports this module first, as the other
#: imports take a second, in which the parent may exit.
PARENT_PID = os.getppid()

#: https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
PR_SET_PDEATHSIG = 1

#: Open files and connections that the process asks for.
MAX_FILES = 65536


def bind(port: int, ip: str) -> list[socket.socket]:
    """Bind the port, on one address or (``""``) on all of IPv4 and IPv6."""
    return bind_sockets(port, ip or None)


def bind_error_message(error: OSError, port: int, ip: str) -> str:
    """Why ``bind`` has failed, for administrators."""
    where = f"port {port} of {ip or 'all interfaces'}"
    if error.errno == socket.EAI_NONAME or isinstance(error, socket.gaierror):
        return f"Cannot listen on {where}: TornadoService.ip is not an IP address of this machine."
    message = f"Cannot listen on {where}: {error.strerror or error}. If it is in use,"
    if is_launched_by_hub():
        message += " a process left by an earlier hub may hold it: stop that, or take another port"
        return f"{message} in the service's url."
    return f"{message} another process holds it: stop that, or take another port (--port)."


def raise_file_limit() -> None:
    """Raise the limit of open files above the usual 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # some kernels report a higher limit than they grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def force_exit_after(seconds: float) -> None:
    """Exit the process after a timeout, whatever hangs.

    For example code of an app, or a lookup of the hub's name, whose thread Python would wait for.
    """
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()


def die_with_parent(stop: Callable[[], None]) -> asyncio.Task[None]:
    """Stop when the process that launched us has exited.

    The hub starts services in sessions of their own, so a hub that is killed leaves them behind,
    and the next hub's service finds its port in use. On Linux the kernel sends a signal; the
    parent's id is polled too, as that signal also comes when only the launching thread ends, and as
    the parent may exit before we request the signal.

    Returns:
        The polling task; cancel it at the end.
    """
    loop = asyncio.get_running_loop()

    def check_parent() -> bool:
        if os.getppid() == PARENT_PID:
            return False
        stop()
        return True

    async def watch() -> None:
        while not check_parent():  # noqa: ASYNC110 - only the process table shows it
            await asyncio.sleep(1)

    if sys.platform == "linux":
        loop.add_signal_handler(signal.SIGHUP, check_parent)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGHUP)
    return loop.create_task(watch())
