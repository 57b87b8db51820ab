"""One replica: a process that something else than the hub starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tests.support import ROOT
from tornado_service.testing import Visitor

#: Seconds within which something has to happen on a busy machine.
PATIENCE = 60


class Replica:
    """A replica of the service.

    Args:
        name: of its log.
        port: where it listens.
        hub_api_port: where it reaches the hub.
        prefix: the service's path.
        environment: its variables.
        arguments: of the command line.
    """

    def __init__(
        self,
        name: str,
        directory: Path,
        port: int,
        hub_api_port: int,
        prefix: str,
        environment: Mapping[str, str],
        arguments: list[str],
    ) -> None:
        self.name = name
        self.port = port
        self.hub_api_port = hub_api_port
        self.address = f"127.0.0.1:{port}"
        self._prefix = prefix
        self._directory = directory
        self._log = directory / f"{name}.log"
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "JUPYTERHUB_API_URL": f"http://127.0.0.1:{hub_api_port}/hub/api",
            **environment,
        }
        self._arguments = [f"--port={port}", "--ip=127.0.0.1", *arguments]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tornado_service", *self._arguments],
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def get(self, path: str, token: str = "", timeout: float = PATIENCE) -> tuple[int, Any]:
        """A request to this replica alone: status and JSON; 599 if it does not respond."""
        status, text = self._request(path, token, timeout)
        return status, json.loads(text) if status == 200 else text

    def read(self, path: str, token: str = "") -> str:
        """The text of a successful response of this replica, else an empty one."""
        status, text = self._request(path, token, PATIENCE)
        return text if status == 200 else ""

    def _request(self, path: str, token: str, timeout: float) -> tuple[int, str]:
        headers = {"Authorization": f"token {token}"} if token else {}
        request = Request(f"http://{self.address}{self._prefix}{path}", headers=headers)
        try:
            with urlopen(request, timeout=timeout) as response:
                return response.status, response.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except (URLError, OSError):
            return 599, ""

    def wait_until_serving(self) -> None:
        """Wait until its readiness probe succeeds.

        Raises:
            RuntimeError: it does not; with its log.
        """
        deadline = time.monotonic() + PATIENCE
        while self.get("health/serving", timeout=5)[0] != 200:
            ended = self.process is None or self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not serve:\n{self.log}")
            time.sleep(0.1)

    def signal(self, number: int) -> None:
        assert self.process
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a crash does."""
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Wait until it has ended; returns its exit status."""
        assert self.process
        return self.process.wait(PATIENCE)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()


def at_replica(visitor: Visitor, replica: Replica) -> Visitor:
    """A browser with a copy of the visitor's cookies, at one replica without the balancer."""
    copy = Visitor(
        visitor.client, visitor.hub, f"http://{replica.address}", visitor.host, home=visitor.home
    )
    copy.jar, copy.page = dict(visitor.jar), visitor.page
    return copy
