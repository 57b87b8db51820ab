"""nginx: it balances requests over replicas, and records what each of them asks the hub."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.documentation import marked_block
from tests.support.prepare import find_nginx

#: The page that has the configuration of the balancer, which is tested with it.
PAGE = "how-to/reverse-proxies.md"

#: The response header that names the replicas which nginx tried, in order.
UPSTREAM_HEADER = "X-Upstream"

CONFIG = """
{user}
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx-error.log;
events {{ worker_connections 4096; }}
http {{
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  log_format record escape=json '{{"at": $msec, "seconds": $request_time, "port": $server_port,'
    ' "method": "$request_method", "uri": "$request_uri", "status": $status,'
    ' "upstream": "$upstream_addr"}}';
  access_log {directory}/requests.log record;
  add_header {header} $upstream_addr always;
{servers}
}}
"""

#: In front of the hub: one port for each replica, so that the log has who asked.
HUB = """
server {{
  listen 127.0.0.1:{port};
  access_log {directory}/hub-calls.log record;
  location / {{ proxy_pass http://127.0.0.1:{hub_port}; proxy_set_header Host $http_host; }}
}}
"""


def documented(mark: str) -> str:
    """The configuration after a mark in the page."""
    return marked_block(PAGE, mark)


@dataclass(frozen=True)
class Request:
    """A request that has ended.

    Attributes:
        began: seconds since 1970.
        ended: the same.
        port: on which nginx received it.
        upstreams: the addresses to which nginx sent it, in order.
    """

    began: float
    ended: float
    port: int
    method: str
    uri: str
    status: int
    upstreams: tuple[str, ...]

    @classmethod
    def of(cls, record: dict[str, Any]) -> Request:
        return cls(
            record["at"] - record["seconds"],
            record["at"],
            record["port"],
            record["method"],
            record["uri"],
            record["status"],
            tuple(re.findall(r"[\d.]+:\d+", record["upstream"])),
        )


class Nginx:
    """An nginx with its files in a directory.

    Args:
        directory: of its configuration, logs and temporary files.
        port: of the balancer.
    """

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def configure(
        self, upstreams: Iterable[int], hub_ports: Iterable[int] = (), hub_port: int = 0
    ) -> None:
        """Write the configuration; it is in use after ``start`` or ``reload``.

        Args:
            upstreams: the ports of the replicas that get requests.
            hub_ports: ports at which the hub is available, too.
            hub_port: the hub's own port.
        """
        servers = "\n".join(f"    server 127.0.0.1:{port};" for port in upstreams)
        balancer = re.sub(r"(?m)^    server [\d.]+:\d+;\n(?:    server .*\n)*", f"{servers}\n",
                          documented("nginx replicas"))  # fmt: skip
        balancer = balancer.replace("listen 8181;", f"listen 127.0.0.1:{self.port};")
        hubs = [
            HUB.format(port=port, hub_port=hub_port, directory=self.directory) for port in hub_ports
        ]
        self.write("\n".join([balancer, *hubs]))

    def write(self, servers: str) -> None:
        """Write a configuration with these blocks of ``http``."""
        user = "user root;" if os.geteuid() == 0 else ""
        text = CONFIG.format(
            user=user, directory=self.directory, servers=servers, header=UPSTREAM_HEADER
        )
        (self.directory / "nginx.conf").write_text(text)

    def start(self) -> None:
        """Start it; returns when it accepts connections.

        Raises:
            RuntimeError: it does not; with its own words.
        """
        log = self.directory / "nginx-output.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [find_nginx(), "-e", "stderr", "-c", str(self.directory / "nginx.conf")],
                cwd=self.directory,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._wait_for_workers(set())

    def reload(self) -> None:
        """Use a new configuration; requests that are open go on with the previous one."""
        assert self._process
        before = self._workers()
        self._process.send_signal(signal.SIGHUP)
        self._wait_for_workers(before)

    def stop(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)
            self._process = None

    def _wait_for_workers(self, before: set[int]) -> None:
        assert self._process
        deadline = time.monotonic() + 30
        while not (workers := self._workers()) or workers & before:
            if self._process.poll() is not None or time.monotonic() > deadline:
                logs = sorted(self.directory.glob("nginx-*.log"))
                raise RuntimeError("\n".join(log.read_text() for log in logs))
            time.sleep(0.02)

    def _workers(self) -> set[int]:
        """The worker processes that accept connections."""
        assert self._process
        pid = self._process.pid
        workers = set()
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            title = ""
            with suppress(OSError):  # it has just ended
                title = Path(f"/proc/{child}/cmdline").read_text()
            if title.startswith("nginx: worker process") and "shutting down" not in title:
                workers.add(int(child))
        return workers

    def requests(self) -> list[Request]:
        """The requests that the balancer has answered."""
        return read(self.directory / "requests.log")

    def hub_calls(self) -> list[Request]:
        """The calls of the Hub API, in the order in which they ended."""
        return read(self.directory / "hub-calls.log")


def read(log: Path) -> Sequence[Request] | list[Request]:
    lines = log.read_text().splitlines() if log.exists() else []
    return [Request.of(json.loads(line)) for line in lines]
