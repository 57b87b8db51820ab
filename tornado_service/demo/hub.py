"""A temporary JupyterHub on this machine, with the service in it."""

import contextlib
import http.client
import json
import os
import pprint
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from ..config.private_files import private_opener, write_private
from .processes import free_ports, is_listening, kill_processes_in
from .proxy import find_proxy

USERS = {
    "ada": "an admin",
    "ines": "an instructor, who may see class-a",
    "sam": "a student in class-a",
    "kim": "a student in class-b",
    "guest": "may use the hub, but not the service",
}
GROUP_MEMBERS = {"class-a": ["sam"], "class-b": ["kim"], "instructors": ["ines"]}
#: The hub also ends if its parent is killed:
#: https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
DIE_WITH_PARENT = """
import ctypes, os, signal, sys
os.umask(0o077)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
"""
#: A short polling interval until the service or a server responds: the default grows up to 5 s.
WAIT_BRIEFLY = """
import functools, jupyterhub.utils
jupyterhub.utils.exponential_backoff = functools.partial(
    jupyterhub.utils.exponential_backoff, max_wait=0.2)
"""
#: Without an optional check of URLs by jsonschema, whose import takes half of the hub's startup.
HUB_PROGRAM = """
import sys
sys.modules["rfc3987_syntax"] = None
from jupyterhub.app import main
main()
"""
INSTRUCTOR_SCOPES = [
    "list:users!group=class-a",
    "read:users:activity!group=class-a",
    "read:users:groups!group=class-a",
    "read:servers!group=class-a",
    "list:groups!group=class-a",
    "read:groups!group=class-a",
]


def config_text(settings: Mapping[str, Any]) -> str:
    """A config file with these settings, by class and name."""
    return (
        f"settings = {pprint.pformat(settings, sort_dicts=False, width=100)}\n"
        "for section, values in settings.items():\n"
        "    c[section].update(values)\n"
    )


class ThrowAwayHub:
    """A real JupyterHub with its proxy, in a temporary directory, for a demonstration or a test.

    All ports are on 127.0.0.1. After `kill`, `start` starts the same hub again.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        base_url: str = "/",
        service_name: str = "tornado-service",
        service_url: str | None = None,
        service_command: list[str] | None = None,
        service_environment: Mapping[str, str] | None = None,
        service_files: Mapping[str, str] | None = None,
        service_options: Mapping[str, Any] | None = None,
        service_scopes: Iterable[str] = (),
        with_service: bool = True,
        extra_config: str = "",
        hub_output: IO[Any] | int | None = None,
    ) -> None:
        free_port, self.hub_port, self._proxy_api_port, service_port = free_ports(4)
        self.port = port or free_port
        self.service_url = service_url or f"http://127.0.0.1:{service_port}"
        self.service_port = urlsplit(self.service_url).port or 80
        self.base_url = f"/{base_url.strip('/')}/".replace("//", "/")
        self.url = f"http://127.0.0.1:{self.port}{self.base_url}"
        self.api_url = f"http://127.0.0.1:{self.hub_port}{self.base_url}hub/api"
        self.service_name = service_name
        self.service_prefix = f"{self.base_url}services/{service_name}/"
        self.service_public_url = f"{self.url}services/{service_name}/"
        self.admin_token = secrets.token_hex(16)
        self.service: dict[str, Any] = {
            "name": service_name,
            "url": self.service_url,
            "command": service_command or [sys.executable, "-m", "tornado_service"],
            "environment": dict(service_environment or {}),
            "api_token": secrets.token_hex(16),
            "oauth_no_confirm": True,
            "display": True,
            **(service_options or {}),
        }
        #: texts by name, in the service's working directory
        self.service_files = dict(service_files or {})
        self.service_scopes = list(service_scopes)
        self.with_service = with_service
        self.extra_config = extra_config
        self.process: subprocess.Popen[bytes] | None = None
        self._output = hub_output
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._last_log = ""

    @property
    def directory(self) -> Path:
        """The hub's directory, which exists from `start` to `stop`."""
        if self._temporary is None:
            raise RuntimeError("The hub has not been started.")
        return Path(self._temporary.name).resolve()

    @property
    def log(self) -> str:
        """The output of the hub, proxy, service and servers, unless it is redirected."""
        if self._temporary and (file := self.directory / "hub.log").exists():
            self._last_log = file.read_text(errors="replace")
        return self._last_log

    def start(self, timeout: float = 60) -> None:
        """Start the hub; returns when it and the service respond through the proxy."""
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="tornado-service-")
        try:
            self._launch()
            self._wait_until_ready(time.monotonic() + timeout)
        except BaseException:
            self.stop()
            raise

    def app_states(self, timeout: float = 30) -> dict[str, str]:
        """The states of the service's apps by name, as soon as none is loading any more."""
        deadline = time.monotonic() + timeout
        path = f"services/{self.service_name}/api/status"
        authorization = f"token {self.service['api_token']}"
        while True:
            status, body = self._get(path, Authorization=authorization)
            apps = json.loads(body)["apps"] if status == 200 else []
            states = {app["name"]: app["state"] for app in apps}
            is_loading = status != 200 or "loading" in states.values()
            if not is_loading or time.monotonic() > deadline:
                return states
            time.sleep(0.2)

    def stop(self, timeout: float = 15) -> None:
        """Stop the hub and everything it started, and remove its directory."""
        if self._temporary is None:
            return
        if self.process:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout)
        kill_processes_in(self.directory)
        if self.process:
            self.process.wait()
        self._last_log = self.log
        self._temporary.cleanup()
        self._temporary = None

    def kill(self) -> None:
        """Kill the hub as in a crash, without stopping its proxy, service and servers."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def wait(self) -> int:
        """Wait until the hub exits; return its exit status."""
        return self.process.wait() if self.process else 0

    def __enter__(self) -> "ThrowAwayHub":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _settings(self) -> dict[str, dict[str, Any]]:
        proxy_api = f"http://127.0.0.1:{self._proxy_api_port}"
        home = self.directory / "home"
        admin = {"name": "throw-away-admin", "api_token": self.admin_token}
        return {
            "JupyterHub": {
                "bind_url": f"http://127.0.0.1:{self.port}{self.base_url}",
                "hub_ip": "127.0.0.1",
                "hub_port": self.hub_port,
                "db_url": f"sqlite:///{self.directory}/jupyterhub.sqlite",
                "cookie_secret_file": f"{self.directory}/cookie_secret",
                "authenticator_class": "dummy",
                "spawner_class": "simple",
                "allow_named_servers": True,
                "services": [admin, self.service] if self.with_service else [admin],
                "load_groups": {name: {"users": users} for name, users in GROUP_MEMBERS.items()},
                "load_roles": self._roles(),
            },
            "ConfigurableHTTPProxy": {"command": find_proxy(), "api_url": proxy_api},
            "Authenticator": {"allow_all": True, "allowed_users": set(USERS)},
            "Spawner": {"cmd": [sys.executable, "-m", "tornado_service.demo.singleuser"]},
            "SimpleLocalProcessSpawner": {"home_dir_template": f"{home}/{{username}}"},
        }

    def _roles(self) -> list[dict[str, Any]]:
        name = self.service_name
        roles: list[dict[str, Any]] = [
            {"name": "admin", "users": ["ada"], "services": ["throw-away-admin"]},
            {"name": "instructor", "scopes": INSTRUCTOR_SCOPES, "groups": ["instructors"]},
        ]
        if self.with_service:
            access = [f"access:services!service={name}"]
            roles.append({"name": "visitor", "scopes": access, "groups": list(GROUP_MEMBERS)})
        if self.with_service and self.service_scopes:
            roles.append({"name": "service", "scopes": self.service_scopes, "services": [name]})
        return roles

    def _launch(self) -> None:
        config = self.directory / "jupyterhub_config.py"
        text = (
            f"{DIE_WITH_PARENT}{WAIT_BRIEFLY}\n{config_text(self._settings())}{self.extra_config}\n"
        )
        write_private(config, text)
        for name, content in self.service_files.items():
            write_private(self.directory / name, content)
        ours = ("JUPYTERHUB_", "JPY_", "CONFIGPROXY_")
        environment = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        with contextlib.ExitStack() as stack:
            output = self._output
            if output is None:
                log = self.directory / "hub.log"
                output = stack.enter_context(open(log, "ab", opener=private_opener))
            self.process = subprocess.Popen(  # noqa: S603 - the command is our own
                [sys.executable, "-c", HUB_PROGRAM, "--config", str(config)],
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_until_ready(self, deadline: float) -> None:
        while not self._ready():
            status = self.process.poll() if self.process else 0
            if status is None and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            problem = "is not ready in time" if status is None else f"stopped with status {status}"
            last_lines = "\n".join(self.log.splitlines()[-20:])
            raise RuntimeError(f"The hub {problem}.\n{last_lines}".strip())

    def _ready(self) -> bool:
        """The proxy is checked last, because it logs each refused connection at length."""
        host = urlsplit(self.service_url).hostname or "127.0.0.1"
        if not is_listening(self.hub_port) or (
            self.with_service and not is_listening(self.service_port, host)
        ):
            return False
        if self._get("hub/health")[0] != 200:
            return False
        if not self.with_service:
            return True
        status, routes = self._get("hub/api/proxy", Authorization=f"token {self.admin_token}")
        paths = json.loads(routes) if status == 200 else []
        has_route = any(path.endswith(self.service_prefix) for path in paths)
        return has_route and self._get(f"services/{self.service_name}/")[0] < 500

    def _get(self, path: str, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection):
            try:
                connection.request("GET", self.base_url + path, headers=headers)
                response = connection.getresponse()
                return response.status, response.read()
            except (OSError, http.client.HTTPException):
                return 599, b""
