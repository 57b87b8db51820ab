"""The hub, its proxy, and all contenders."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tornado.httpclient import AsyncHTTPClient

from benchmarks import process, wire
from benchmarks.relay import Relay
from tornado_service.demo.hub import ThrowAwayHub
from tornado_service.demo.processes import free_ports
from tornado_service.testing import BROWSER, SCRIPT, Visitor

HERE = Path(__file__).parent
SERVICE, MIXINS, FLOOR = "service", "mixins", "floor"
USER = "sam"
SETTLE = 0.3  # seconds a process gets after its first response


@dataclass
class Contender:
    """A service that the hub launched."""

    name: str
    prefix: str
    port: int
    command: list[str]
    user_path: str  # returns the user
    open_path: str  # needs no authentication
    relay: Relay | None = None
    pid: int = 0
    headers: dict[str, dict[str, str]] = field(default_factory=dict)  # by way to sign in

    def path_of(self, way: str) -> str:
        """The path for this kind of sign-in; the floor distinguishes them by the path."""
        return self.user_path + (way if self.name == FLOOR else "")


@dataclass
class Running:
    """A process of a contender's program with the environment of the hub's own one."""

    pid: int
    port: int
    seconds: float  # from its start to its first response


class Stage:
    """Starts everything, signs in everywhere, and stops everything."""

    def __init__(self) -> None:
        self.relays = {SERVICE: Relay(), MIXINS: Relay()}
        ours = {"JUPYTERHUB_API_URL": self._api_url(SERVICE)}
        self.hub = ThrowAwayHub(service_environment=ours)
        ports = free_ports(2)
        prefix = self.hub.service_prefix
        self.contenders = {
            SERVICE: Contender(
                SERVICE,
                prefix,
                self.hub.service_port,
                self.hub.service["command"],
                user_path=f"{prefix}api/user",
                open_path=f"{prefix}health",
                relay=self.relays[SERVICE],
            ),
            MIXINS: Contender(
                MIXINS,
                "/services/whoami/",
                ports[0],
                [sys.executable, str(HERE / "whoami_oauth.py")],
                user_path="/services/whoami/",
                open_path="/services/whoami/oauth_callback",  # 400 without a call
                relay=self.relays[MIXINS],
            ),
            FLOOR: Contender(
                FLOOR,
                "/services/floor/",
                ports[1],
                [sys.executable, str(HERE / "floor.py")],
                user_path="/services/floor/",
                open_path="/services/floor/token",
            ),
        }
        self.hub.extra_config = self._more_services()
        self._stack = contextlib.ExitStack()

    def __getitem__(self, name: str) -> Contender:
        return self.contenders[name]

    def _api_url(self, name: str) -> str:
        return f"http://{wire.HOST}:{self.relays[name].port}/hub/api"

    def _more_services(self) -> str:
        mixins, floor = self[MIXINS], self[FLOOR]
        services = [
            {
                "name": contender.prefix.split("/")[2],
                "url": f"http://{wire.HOST}:{contender.port}",
                "command": contender.command,
                "environment": {"JUPYTERHUB_API_URL": self._api_url(MIXINS)},
                "oauth_no_confirm": True,
            }
            for contender in (mixins, floor)
        ]
        scopes = ["access:services!service=whoami"]
        role = {"name": "visitor-of-whoami", "scopes": scopes, "users": [USER]}
        return f"c.JupyterHub.services += {services!r}\nc.JupyterHub.load_roles += [{role!r}]"

    def __enter__(self) -> Stage:
        with contextlib.ExitStack() as stack:
            for relay in self.relays.values():
                stack.enter_context(relay).hub_port = self.hub.hub_port
            stack.enter_context(self.hub)
            self._wait_for_all(time.monotonic() + 60)
            self._sign_in_everywhere()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _wait_for_all(self, deadline: float) -> None:
        for contender in self.contenders.values():
            name = contender.prefix.split("/")[2]
            asyncio.run(wire.first_response(contender.port, contender.open_path))
            while not self._routed(contender):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"The proxy does not know {name}:\n{self.hub.log[-3000:]}")
                time.sleep(0.2)
            contender.pid = call_hub(self.hub, "GET", f"services/{name}")["pid"]

    def _routed(self, contender: Contender) -> bool:
        routes = call_hub(self.hub, "GET", "proxy")
        return any(route.endswith(contender.prefix) for route in routes)

    def new_token(self) -> dict[str, str]:
        """A valid token that is in no cache, as headers."""
        token = call_hub(self.hub, "POST", f"users/{USER}/tokens", {"note": "benchmark"})["token"]
        return {"Authorization": f"token {token}"}

    def _sign_in_everywhere(self) -> None:
        token = self.new_token()
        for name in (SERVICE, MIXINS):
            cookie, xsrf = asyncio.run(sign_in(self.hub, self[name].prefix))
            self[name].headers = {
                "token": token,
                "page": {**BROWSER, "Cookie": cookie},
                "fetch": {**SCRIPT, "Cookie": cookie, "X-XSRFToken": xsrf},
            }
        self[FLOOR].headers = self[SERVICE].headers

    @contextlib.contextmanager
    def started(
        self, contender: Contender, imports: str = "", arguments: Sequence[str] = ()
    ) -> Iterator[Running]:
        """One more process of a contender's program, on a port of its own.

        Args:
            contender: whose program, and whose environment.
            imports: a module to import before the program starts.
            arguments: further ones; they may name modules of the tests.
        """
        port = free_ports(1)[0]
        url = f"http://{wire.HOST}:{port}"
        command = contender.command
        if imports:
            run = f"import {imports}, runpy; runpy.run_path({command[-1]!r}, run_name='__main__')"
            command = [sys.executable, "-c", run]
        environment = {**process.environment(contender.pid), "JUPYTERHUB_SERVICE_URL": url}
        if arguments:
            environment["PYTHONPATH"] = str(HERE.parent)
        with (self.hub.directory / "started.log").open("ab") as log:
            begin = time.perf_counter()
            child = subprocess.Popen(
                [*command, *arguments],
                cwd=self.hub.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            asyncio.run(wire.first_response(port, contender.open_path))
            seconds = time.perf_counter() - begin
            time.sleep(SETTLE)
            yield Running(child.pid, port, seconds)
        finally:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(10)
            child.kill()
            child.wait()


def call_hub(hub: ThrowAwayHub, method: str, path: str, body: Any = None) -> Any:
    """Call the Hub API as an admin, without a relay."""
    request = Request(
        f"{hub.api_url}/{path}",
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Authorization": f"token {hub.admin_token}"},
    )
    with urlopen(request, timeout=30) as response:
        return json.loads(response.read())


async def sign_in(hub: ThrowAwayHub, prefix: str) -> tuple[str, str]:
    """Open a service's page as a browser does; returns cookies and XSRF token."""
    client = AsyncHTTPClient(force_instance=True)
    with contextlib.closing(client):
        origin = f"{wire.HOST}:{hub.port}"
        visitor = Visitor(client, f"http://{origin}", host=origin)
        response = await visitor.sign_in(prefix, USER)
        if response.code != 200:
            raise RuntimeError(f"Sign-in at {prefix} ended in {response.code}: {visitor.page}")
    cookies = {
        name: value for (_, path, name), value in visitor.jar.items() if prefix.startswith(path)
    }
    return "; ".join(f"{name}={value}" for name, value in cookies.items()), cookies.get("_xsrf", "")
