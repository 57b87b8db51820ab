"""The hub, the proxies under it, and those beside it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import wire
from benchmarks.stage import USER, call_hub, sign_in
from tornado_service.demo.hub import ThrowAwayHub
from tornado_service.demo.processes import free_ports
from tornado_service.testing import BROWSER

HERE = Path(__file__).parent
SESSION, TOKEN = "service, session", "service, token"
FLOOR, STANDALONE, NGINX = "floor", "standaloneproxy", "nginx, without sign-in"
FLOOR_TOKEN = "floor, token"  # with the headers of a program instead of a browser's

NGINX_CONFIGURATION = """
daemon off; master_process off; pid {directory}/nginx.pid; error_log stderr error;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path {directory}/nginx-body; proxy_temp_path {directory}/nginx-proxy;
    fastcgi_temp_path {directory}/nginx-1; uwsgi_temp_path {directory}/nginx-2;
    scgi_temp_path {directory}/nginx-3;
    upstream app {{ server unix:{socket}; keepalive 32; }}
    map $http_upgrade $connection_upgrade {{ default upgrade; "" ""; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
        }}
    }}
}}
"""


@dataclass
class Proxy:
    """A way to the app."""

    name: str
    port: int
    prefix: str = "/"
    headers: dict[str, str] = field(default_factory=dict)
    pid: int = 0


class Stage:
    """Starts all proxies, each with an app of its own or a shared one, and stops them.

    Args:
        programs: of the environment.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._stack = contextlib.ExitStack()
        (self._standalone_port, floor_port, nginx_port) = free_ports(3)
        apps = {"bench": {"command": self._app("{unix_socket}"), "strip_prefix": True}}
        self._options = [f"--TornadoService.web_apps={apps!r}", "--Streams.per_user=1000"]
        self.hub = ThrowAwayHub(
            service_command=[sys.executable, "-m", "tornado_service", *self._options]
        )
        prefix = f"{self.hub.service_prefix}bench/"
        self.proxies = {
            SESSION: Proxy(SESSION, self.hub.service_port, prefix),
            TOKEN: Proxy(TOKEN, self.hub.service_port, prefix),
            STANDALONE: Proxy(STANDALONE, self._standalone_port, "/services/standalone/"),
            FLOOR: Proxy(FLOOR, floor_port),
            FLOOR_TOKEN: Proxy(FLOOR_TOKEN, floor_port),
            NGINX: Proxy(NGINX, nginx_port),
        }

    def __getitem__(self, name: str) -> Proxy:
        return self.proxies[name]

    def _app(self, socket: str) -> list[str]:
        uvicorn = str(self._programs / "uvicorn")
        options = ["--no-access-log", "--log-level=warning", f"--app-dir={HERE}"]
        keep = "--timeout-keep-alive=3600"  # the floor does not retry
        return [uvicorn, f"--uds={socket}", *options, keep, "upstream:app"]

    def __enter__(self) -> Stage:
        with contextlib.ExitStack() as stack:
            self.hub.extra_config = self._standalone()
            stack.enter_context(self.hub)
            self._start_others(stack)
            self._sign_in()
            for proxy in self.proxies.values():
                asyncio.run(self._wait_for(proxy))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _standalone(self) -> str:
        program = str(self._programs / "jupyter-standaloneproxy")
        command = [program, "--unix-socket=true", "--timeout=30", "--", *self._app("{unix_socket}")]
        service = {
            "name": "standalone",
            "url": f"http://{wire.HOST}:{self._standalone_port}",
            "command": command,
            "oauth_no_confirm": True,
        }
        scopes = ["access:services!service=standalone"]
        role = {"name": "visitor-of-standalone", "scopes": scopes, "users": [USER]}
        return f"c.JupyterHub.services += [{service!r}]\nc.JupyterHub.load_roles += [{role!r}]"

    def _start_others(self, stack: contextlib.ExitStack) -> None:
        socket = str(self.hub.directory / "shared.sock")
        self._start(stack, self._app(socket))
        floor = [sys.executable, str(HERE / "floor.py"), str(self[FLOOR].port), socket]
        self[FLOOR].pid = self[FLOOR_TOKEN].pid = self._start(stack, floor)
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
        if program is None:
            del self.proxies[NGINX]
            return
        configuration = self.hub.directory / "nginx.conf"
        configuration.write_text(
            NGINX_CONFIGURATION.format(
                directory=self.hub.directory, socket=socket, port=self[NGINX].port
            )
        )
        self[NGINX].pid = self._start(stack, [program, "-c", str(configuration)])

    def _start(self, stack: contextlib.ExitStack, command: list[str]) -> int:
        with (self.hub.directory / "started.log").open("ab") as log:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.hub.directory
            )
        stack.callback(child.wait)
        stack.callback(child.kill)
        return child.pid

    def _sign_in(self) -> None:
        note = {"note": "benchmark"}
        token = call_hub(self.hub, "POST", f"users/{USER}/tokens", note)["token"]
        self[TOKEN].headers = {"Authorization": f"token {token}"}
        asyncio.run(self._wait_for(self[TOKEN]))  # else the page after the sign-in is a 503
        for name in (SESSION, STANDALONE):
            service = self[name].prefix.split("/")[2]
            self._wait_for_route(f"/services/{service}/")
            self[name].pid = call_hub(self.hub, "GET", f"services/{service}")["pid"]
            cookie, _ = asyncio.run(sign_in(self.hub, f"/services/{service}/"))
            self[name].headers = {**BROWSER, "Cookie": cookie}
        self[TOKEN].pid = self[SESSION].pid
        self[FLOOR_TOKEN].headers = self[TOKEN].headers
        for name in (FLOOR, NGINX):
            if name in self.proxies:
                self[name].headers = self[SESSION].headers

    def _wait_for_route(self, prefix: str) -> None:
        deadline = time.monotonic() + 60
        while not any(route.endswith(prefix) for route in call_hub(self.hub, "GET", "proxy")):
            if time.monotonic() > deadline:
                raise RuntimeError(f"The proxy does not know {prefix}:\n{self.hub.log[-3000:]}")
            time.sleep(0.2)

    async def _wait_for(self, proxy: Proxy) -> None:
        """Wait until the app's page arrives, as some start the app on the first visit."""
        deadline = time.monotonic() + 60
        while True:
            response = await wire.fetch(proxy.port, proxy.prefix, proxy.headers)
            if (response.status, len(response.body)) == (200, 1024):
                return
            if time.monotonic() > deadline:
                log = [line for line in self.hub.log.splitlines() if "access_log" not in line]
                raise RuntimeError("\n".join([f"{proxy.name}: {response}", *log[-50:]]))
            await asyncio.sleep(0.2)
