"""Ports and processes of this machine."""

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections import deque
from itertools import count, filterfalse, islice
from pathlib import Path


def is_listening(port: int, host: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True


#: Below the system's range for outgoing connections.
PORT_RANGE = range(20000, 32000)

#: Concurrent processes begin far apart: each chooses ports a while before it listens on them.
_next_port = count(os.getpid() * 1009)


#: Marks of the most recent ports of this process. Older ones are in use, or free again.
_marks: deque[socket.socket] = deque()
MAX_MARKS = 64


def free_ports(number: int) -> list[int]:
    """Free ports that neither this process nor another has been given recently."""
    candidates = (PORT_RANGE[index % len(PORT_RANGE)] for index in _next_port)
    return list(islice(filter(_mark, filterfalse(is_listening, candidates)), number))


def _mark(port: int) -> bool:
    """Bind the UDP port of the same number, which no other process can until this one ends."""
    mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        mark.bind(("127.0.0.1", port))
    except OSError:
        mark.close()
        return False
    _marks.append(mark)
    if len(_marks) > MAX_MARKS:
        _marks.popleft().close()
    return True


@atexit.register
def _close_marks() -> None:
    while _marks:
        _marks.pop().close()


def processes_in(directory: Path) -> set[int]:
    """The processes whose working directory is in this one; uses lsof if there is no /proc."""
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
    """Kill the hub's remaining processes: each has its own session, so no group to signal."""
    for _ in range(100):
        if not (left := processes_in(directory)):
            return
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
