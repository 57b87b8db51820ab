"""The service as a process of its own, and what it logs."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.config.test_application import ENVIRONMENT
from tornado_service.demo.processes import free_ports

#: Seconds after which a process is ended, so that no test waits for it any more.
TIMEOUT = 120

Launch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def port() -> int:
    """Where it listens."""
    return free_ports(1)[0]


@pytest.fixture
def launch(port: int, tmp_path: Path) -> Iterator[Launch]:
    """Start the service as a hub does; end it."""
    started: list[tuple[subprocess.Popen[str], threading.Timer]] = []

    def launch(
        *args: str, command: list[str] | None = None, **environment: str
    ) -> subprocess.Popen[str]:
        env = {**ENVIRONMENT, **environment}
        process = subprocess.Popen(
            [*(command or [sys.executable, "-m", "tornado_service"]), *args],
            env={name: value.format(port=port) for name, value in env.items()},
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


def wait_for_line(process: subprocess.Popen[str], *texts: str) -> str:
    """Read its log up to the line that has the last of these texts, in whatever order they come.

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
