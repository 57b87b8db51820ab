"""Ports and processes of this machine."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from itertools import count, filterfalse, islice
from pathlib import Path


def is_listening(port: int, host: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True


#: Below those that the system gives to outgoing connections.
PORT_RANGE = range(20000, 32000)

#: Processes side by side begin far apart: each takes ports a while before it listens on them.
_next_port = count(os.getpid() * 1009)


def free_ports(number: int) -> list[int]:
    """Ports nothing listens on, none of them given away by this process recently."""
    candidates = (PORT_RANGE[index % len(PORT_RANGE)] for index in _next_port)
    return list(islice(filterfalse(is_listening, candidates), number))


def processes_in(directory: Path) -> set[int]:
    """The processes whose working directory is in this one; by lsof where there is no /proc."""
    if not Path("/proc/self/cwd").exists():
        lsof = ["lsof", "-t", "-a", "-d", "cwd", "+D", str(directory)]
        listing = subprocess.run(lsof, capture_output=True, text=True, check=False)  # noqa: S603
        return {int(pid) for pid in listing.stdout.split()} - {os.getpid()}
    pids = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if Path(os.readlink(f"/proc/{pid}/cwd")).is_relative_to(directory):
                pids.add(int(pid))
    return pids - {os.getpid()}


def kill_processes_in(directory: Path) -> None:
    """Kill what the hub left: each process has its own session, so no group to signal."""
    for _ in range(100):
        if not (left := processes_in(directory)):
            return
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
