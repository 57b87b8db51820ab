"""Helpers of tests with a real hub."""

from __future__ import annotations

import time
from pathlib import Path

from tornado_service.testing import RealHub

#: The hub sends SIGTERM to a service, and SIGKILL 10 s later; it logs both at this level.
LOG_SIGNALS = "c.JupyterHub.log_level = 'DEBUG'"

#: The hub checks each second whether its service runs, instead of every 30 s.
POLL_EACH_SECOND = """
from jupyterhub.services import service
service._ServiceSpawner.poll_interval = 1
"""


def service_pids(directory: Path) -> list[int]:
    """The processes of the service that a hub in this directory launched."""
    pids = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes()
            if b"tornado_service\0" in command and (entry / "cwd").resolve() == directory:
                pids.append(int(entry.name))
        except (OSError, ValueError):
            continue
    return pids


def ended_at_first_signal(pid: int, log: str) -> bool:
    """Whether the service ended at the hub's first signal."""
    return f"Interrupting {pid}" in log and f"Terminating {pid}" not in log


def wait_for(hub: RealHub, name: str, servers: set[str]) -> dict[str, str]:
    """Wait until exactly these servers of a user are ready; returns the start of each."""
    deadline = time.monotonic() + 60
    while True:
        running = hub.ask("GET", f"users/{name}")["servers"]
        if set(running) == servers and all(server["ready"] for server in running.values()):
            return {server: model["started"] for server, model in running.items()}
        assert time.monotonic() < deadline, hub.log
        time.sleep(0.1)
