"""The service in a process of its own, and its log."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.commands import run_command
from tornado_service.demo.processes import free_ports

#: The environment from a hub; ``run`` and ``launch`` fill in the port.
ENVIRONMENT = {
    "JUPYTERHUB_SERVER_NAME": "",
    "PATH": "/usr/bin:/bin",
    "JUPYTERHUB_SERVICE_NAME": "tornado-service",
    "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:{port}",
    "JUPYTERHUB_SERVICE_PREFIX": "/services/tornado-service/",
    "JUPYTERHUB_API_TOKEN": "0123456789abcdef",
    "JUPYTERHUB_API_URL": "http://127.0.0.1:1/hub/api",
    "JUPYTERHUB_CLIENT_ID": "service-tornado-service",
}

#: For ``run`` and ``launch``: no variables but those that an external service needs.
EXTERNAL: dict[str, str | None] = dict.fromkeys(
    ENVIRONMENT.keys()
    - {"PATH", "JUPYTERHUB_SERVICE_NAME", "JUPYTERHUB_API_TOKEN", "JUPYTERHUB_API_URL"}
)

#: Seconds after which a process is ended, so that no test waits longer.
TIMEOUT = 120

Launch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def launch(port: int, tmp_path: Path) -> Iterator[Launch]:
    """Start the service as a hub does, or with ``EXTERNAL``; it ends with the test."""
    started: list[tuple[subprocess.Popen[str], threading.Timer]] = []

    def launch(
        *args: str, command: list[str] | None = None, **environment: str | None
    ) -> subprocess.Popen[str]:
        env = {**ENVIRONMENT, **environment}
        process = subprocess.Popen(
            [*(command or [sys.executable, "-m", "tornado_service"]), *args],
            env={name: text.format(port=port) for name, text in env.items() if text is not None},
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        end = threading.Timer(TIMEOUT, process.kill)
        end.start()
        started.append((process, end))
        return process

    yield launch
    for process, end in started:
        end.cancel()
        process.kill()
        process.wait()
        assert process.stderr
        process.stderr.close()


@pytest.fixture
def external(launch: Launch) -> Launch:
    """Start an external service, which still needs a port."""
    return partial(launch, **EXTERNAL)


@pytest.fixture
def refuse(tmp_path: Path) -> Callable[..., str]:
    """Start an external service with a wrong setting, and return the one line of its log."""

    def refuse(*args: str, **environment: str | None) -> str:
        result = run(*args, cwd=tmp_path, **{**EXTERNAL, **environment})
        assert result.returncode == 2
        return only_line(result)

    return refuse


async def until_logged(process: subprocess.Popen[str], *texts: str) -> str:
    """Wait for lines of its log while servers of this process go on."""
    return await asyncio.to_thread(wait_for_line, process, *texts)


def wait_for_line(process: subprocess.Popen[str], *texts: str) -> str:
    """Read its log until all these texts have appeared, in any order; returns the last line.

    Raises:
        AssertionError: one of them was not there when the process ended.
    """
    missing, seen = list(texts), []
    for line in process.stderr or ():
        seen.append(line)
        missing = [text for text in missing if text not in line]
        if not missing:
            return line
    raise AssertionError(f"{missing} was never logged:\n{''.join(seen)}")


def run(*args: str, cwd: Path, **environment: str | None) -> subprocess.CompletedProcess[str]:
    (port,) = free_ports(1)
    env = {**ENVIRONMENT, **environment}
    variables = {name: text.format(port=port) for name, text in env.items() if text is not None}
    return run_command(*args, cwd=cwd, env=variables)


def only_line(result: subprocess.CompletedProcess[str]) -> str:
    """The message of the only line of the log, which is critical."""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("[C ")
    return lines[0].partition("] ")[2]


def doctor(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_command("doctor", *args, env={"PATH": "/usr/bin:/bin", **environment})


def accept_slow_request(silent: socket.socket) -> socket.socket:
    """The connection of the service's check of the token ``abc``, not of its self-check."""
    silent.settimeout(30)
    while True:
        connection, _ = silent.accept()
        if b"token abc" in connection.recv(4096):
            return connection
        connection.close()
