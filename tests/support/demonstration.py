"""`tornado-service demo` as a process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tornado_service.demo.processes import free_ports, processes_in

#: The service without Activity, whose year of history takes seconds.
PLAIN = [f"--DemoApp.service_command={word}" for word in (sys.executable, "-m", "tornado_service")]


class Demonstration:
    """`tornado-service demo` in a process of its own, with its own directories."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.arguments = arguments
        self.here = directory / "here"
        self.temporary = directory / "temporary"
        self.errors = directory / "errors"
        self.here.mkdir()
        self.temporary.mkdir()
        (self.port,) = free_ports(1)

    @contextlib.contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        with self.errors.open("w") as errors, self.launch(errors) as process:
            try:
                yield process
            finally:
                process.terminate()

    def launch(self, errors: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tornado_service.demo.command",
                f"--port={self.port}",
                *self.arguments,
            ],
            cwd=self.here,
            env={**os.environ, "TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )

    def welcome(self, process: subprocess.Popen[str]) -> str:
        """Read its output until all parts run."""
        text = ""
        assert process.stdout
        for line in process.stdout:
            text += line
            if "Ctrl-C" in line:
                return text
        pytest.fail(f"the demonstration ended:\n{self.errors.read_text()}")

    def left_behind(self) -> list[Any]:
        files = [*self.here.iterdir(), *self.temporary.iterdir()]
        return [*files, *processes_in(self.here), *processes_in(self.temporary)]
