"""Supervised web apps, and what runs of them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tornado_service.proxy.process.command import ProcessOptions

PROGRAM = Path(__file__).with_name("web_app_program.py")
PREFIX = "/services/tornado-service/sales"


def options(*arguments: str, **names: Any) -> ProcessOptions:
    """Those of the program, which listens on a socket unless the arguments say where."""
    listens = any("{port}" in each or "{unix_socket}" in each for each in arguments)
    where = () if listens or "url_target" in names else ("--unix-socket={unix_socket}",)
    command = (sys.executable, "-S", str(PROGRAM), *where, *arguments)
    setting = 'c.TornadoService.web_apps["sales"]'
    fixed = {"name": "sales", "prefix": PREFIX, "command": command, "setting": setting}
    return ProcessOptions(**{**fixed, **names})


async def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait until a condition holds; return its value."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (value := condition()):
        assert asyncio.get_running_loop().time() < deadline, "the condition does not hold in time"
        await asyncio.sleep(0.01)
    return value


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not yet released does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def pids_in(lines: str) -> dict[str, list[int]]:
    """The processes that the program has reported, by kind."""
    found: dict[str, list[int]] = {"leader": [], "worker": []}
    for line in lines.splitlines():
        kind, _, pid = line.rpartition(" ")
        if kind in found:
            found[kind].append(int(pid))
    return found


def open_files() -> int:
    """How many files and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))
