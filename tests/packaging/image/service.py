"""The built service, started as by a hub."""

import http.client
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.support.launched import ENVIRONMENT
from tornado_service.demo.processes import free_ports
from tornado_service.testing import BROWSER
from tornado_service.testing.fake_hub import SERVICE_TOKEN

PATH = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"


class Service:
    """A running service, for requests."""

    def __init__(self, port: int, pid: int) -> None:
        self.pid = pid
        self.origin = f"http://127.0.0.1:{port}"
        self.prefix = ENVIRONMENT["JUPYTERHUB_SERVICE_PREFIX"]

    def get(self, path: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        """The response to a browser: status, headers, body."""
        connection = http.client.HTTPConnection(urlsplit(self.origin).netloc, timeout=20)
        with closing(connection):
            connection.request("GET", path, headers=BROWSER)
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def shows_pages(self) -> None:
        """Health, the page while the hub is unavailable, and its static files."""
        assert self.get("/health")[0] == 200
        status, _, page = self.get(self.prefix)
        static = re.findall(rf'"({self.prefix}static/[^"]+)"', page.decode())
        assert status == 503
        assert static
        for path in static:
            status, headers, content = self.get(path)
            assert (status, bool(content)) == (200, True)
            assert "immutable" in headers["Cache-Control"]


@contextmanager
def running(command: Sequence[str], api_url: str = "", **options: Any) -> Iterator[Service]:
    """Start a service with only a hub's environment; it must end with status 0, too.

    Without the URL of an API the hub is unavailable.
    """
    (port,) = free_ports(1)
    environment = {**ENVIRONMENT, "PATH": PATH, "JUPYTERHUB_API_TOKEN": SERVICE_TOKEN}
    if api_url:
        environment["JUPYTERHUB_API_URL"] = api_url
    process = subprocess.Popen(
        command,
        env={name: value.format(port=port) for name, value in environment.items()},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    try:
        reported: list[str] = []
        for line in process.stderr or ():
            reported.append(line)
            if "Listening" in line:
                break
        assert "Listening" in "".join(reported[-1:]), "".join(reported)
        yield Service(port, process.pid)
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()
