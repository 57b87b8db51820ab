"""The throw-away hub, and the demonstration that uses it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.demonstration import PLAIN, Demonstration
from tornado_service.demo import hub as demo_hub
from tornado_service.demo import proxy as demo_proxy
from tornado_service.demo.processes import free_ports, processes_in
from tornado_service.demo.proxy import NoProxyError
from tornado_service.testing import RealHub, Visitor

hub_test = pytest.mark.hub

SAME_PORTS = """
from itertools import count
from tornado_service.demo import processes
processes._next_port = count({first})
print(*processes.free_ports(5), flush=True)
input()
"""

STUBBORN = """
import http.server, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
address = ("127.0.0.1", int(sys.argv[1]))
http.server.ThreadingHTTPServer(address, http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def visit(client: AsyncHTTPClient, hub: RealHub) -> Visitor:
    origin = f"http://127.0.0.1:{hub.port}"
    return Visitor(client, origin, host=f"127.0.0.1:{hub.port}")


def wait_for_server(hub: RealHub, name: str, *, ready: bool, server: str = "") -> None:
    """Wait until the hub reports that a user's server runs, or has stopped."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        servers = hub.ask("GET", f"users/{name}")["servers"]
        if (server in servers) == ready and (not ready or servers[server]["ready"]):
            return
        time.sleep(0.1)
    pytest.fail(f"the server did not become {'ready' if ready else 'gone'}")


def call_hub_as(token: str, hub: RealHub, path: str) -> Any:
    request = Request(f"{hub.api_url}/{path}", headers={"Authorization": f"token {token}"})
    with urlopen(request, timeout=20) as response:
        return json.load(response)


def web_server(port: int) -> list[str]:
    return [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]


def simple_hub(**options: Any) -> RealHub:
    """A hub whose service is a web server of the standard library."""
    (port,) = free_ports(1)
    return RealHub(
        service_url=f"http://127.0.0.1:{port}", service_command=web_server(port), **options
    )


@pytest.fixture(scope="module")
def hub() -> Iterator[RealHub]:
    with RealHub(base_url="/base/") as hub:
        yield hub


@hub_test
@pytest.mark.parametrize("name", ["ada", "ines", "sam", "kim"])
async def test_those_who_may_use_the_service_can(
    hub: RealHub, client: AsyncHTTPClient, name: str
) -> None:
    visitor = visit(client, hub)

    response = await visitor.sign_in(hub.service_prefix, name)

    assert response.code == 200
    assert visitor.address.endswith(hub.service_prefix)
    assert name in visitor.page


@hub_test
async def test_guest_may_use_the_hub_but_not_the_service(
    hub: RealHub, client: AsyncHTTPClient
) -> None:
    visitor = visit(client, hub)

    token_page = await visitor.sign_in(f"{hub.base_url}hub/token", "guest")
    service = await visitor.open(hub.service_prefix)

    assert (token_page.code, service.code) == (200, 403)


@hub_test
def test_instructor_sees_the_users_of_one_class(hub: RealHub) -> None:
    token = hub.token_for("ines")

    (user,) = call_hub_as(token, hub, "users")

    assert (user["name"], user["groups"]) == ("sam", ["class-a"])
    assert {"last_activity", "servers"} <= user.keys()


@hub_test
async def test_server_of_a_user_starts_responds_to_its_owner_and_stops(
    hub: RealHub, client: AsyncHTTPClient
) -> None:
    owner, other = visit(client, hub), visit(client, hub)
    hub.ask("POST", "users/sam/server", {})
    wait_for_server(hub, "sam", ready=True)

    response = await owner.sign_in(f"{hub.base_url}user/sam/", "sam")
    refusal = await other.sign_in(f"{hub.base_url}user/sam/", "kim")

    assert response.code == 200
    assert "sam&#x27;s server: a stand-in, nothing runs here" in owner.page
    assert refusal.code == 403
    hub.ask("DELETE", "users/sam/server")
    wait_for_server(hub, "sam", ready=False)


@hub_test
async def test_named_server_reports_its_name(hub: RealHub, client: AsyncHTTPClient) -> None:
    visitor = visit(client, hub)
    hub.ask("POST", "users/kim/servers/thesis", {})
    wait_for_server(hub, "kim", ready=True, server="thesis")

    await visitor.sign_in(f"{hub.base_url}user/kim/thesis/lab/tree", "kim")

    assert "<h1>kim&#x27;s server thesis</h1>" in visitor.page
    assert hub.directory.joinpath("home", "kim").is_dir()


@hub_test
def test_service_gets_the_role_and_environment_it_was_given() -> None:
    options = {"with_service": True, "service_scopes": ["list:users"]}
    with simple_hub(**options, service_options={"api_token": "a-token-of-the-test"}) as hub:
        users = call_hub_as("a-token-of-the-test", hub, "users")

    assert {user["name"] for user in users} == set(demo_hub.USERS)


@hub_test
def test_hub_without_service_has_none() -> None:
    with RealHub(with_service=False, extra_config="c.Spawner.default_url = '/tree'") as hub:
        services = hub.ask("GET", "services")

    assert hub.service_name not in services
    assert "JupyterHub is now running" in hub.log


@hub_test
def test_killed_hub_starts_again_with_its_state() -> None:
    with simple_hub() as hub:
        hub.ask("POST", "users/somebody-new", {})
        hub.kill()
        hub.start()

        assert hub.ask("GET", "users/somebody-new")["name"] == "somebody-new"


@hub_test
def test_stop_ends_a_service_that_ignores_signals_and_servers_of_users() -> None:
    (port,) = free_ports(1)
    command = [sys.executable, "-c", STUBBORN, str(port)]
    hub = RealHub(service_url=f"http://127.0.0.1:{port}", service_command=command)
    hub.start()
    hub.ask("POST", "users/sam/server", {})
    wait_for_server(hub, "sam", ready=True)
    directory = hub.directory
    assert len(processes_in(directory)) == 4

    hub.stop(timeout=0.5)

    assert processes_in(directory) == set()
    assert not directory.exists()


@hub_test
def test_hub_that_cannot_start_reports_why_and_leaves_nothing(tmp_path: Path) -> None:
    hub = simple_hub(extra_config="raise ValueError('a mistake of the test')")

    with pytest.raises(RuntimeError, match=r"(?s)stopped with status 1.*a mistake of the test"):
        hub.start()

    with pytest.raises(RuntimeError, match="not been started"):
        _ = hub.directory


@hub_test
@pytest.mark.parametrize(
    ("number", "options"), [(signal.SIGINT, []), (signal.SIGTERM, PLAIN)], ids=["INT", "TERM"]
)
def test_demonstration_stops_at_a_signal_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals, options: list[str]
) -> None:
    demonstration = Demonstration(tmp_path, *options)
    with demonstration.running() as process:
        text = demonstration.welcome(process)
        process.send_signal(number)
        status = process.wait()

    assert f"http://127.0.0.1:{demonstration.port}/services/tornado-service/" in text
    assert all(name in text for name in demo_hub.USERS)
    assert status == 0
    assert demonstration.left_behind() == []
    assert "JupyterHub is now running" in demonstration.errors.read_text()


@hub_test
def test_demonstration_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    demonstration = Demonstration(tmp_path, *PLAIN)
    with demonstration.running() as process:
        demonstration.welcome(process)
        process.kill()
        deadline = time.monotonic() + 30
        while processes_in(demonstration.temporary) and time.monotonic() < deadline:
            time.sleep(0.1)

    assert processes_in(demonstration.temporary) == set()


@hub_test
def test_demonstration_reports_that_its_hub_died(tmp_path: Path) -> None:
    demonstration = Demonstration(tmp_path, *PLAIN)
    with demonstration.running() as process:
        demonstration.welcome(process)
        hub = min(processes_in(demonstration.temporary))
        os.kill(hub, signal.SIGKILL)
        status = process.wait()

    assert status == 1
    assert "The hub stopped unexpectedly" in demonstration.errors.read_text().splitlines()[-1]
    assert demonstration.left_behind() == []


def test_demonstration_reports_in_one_line_that_the_port_is_in_use(tmp_path: Path) -> None:
    demonstration = Demonstration(tmp_path)
    with (
        socket.create_server(("127.0.0.1", demonstration.port)),
        demonstration.running() as process,
    ):
        output, _ = process.communicate()

    (line,) = demonstration.errors.read_text().splitlines()
    assert line.startswith(f"Port {demonstration.port} is in use")
    assert (process.returncode, output) == (1, "")
    assert demonstration.left_behind() == []


def test_without_any_proxy_one_line_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo_proxy, "_succeeds", lambda command: False)
    hub = RealHub()

    with pytest.raises(NoProxyError, match="npm install -g configurable-http-proxy"):
        hub.start()

    assert all(line.startswith("Installing ") for line in capsys.readouterr().out.splitlines())
    with pytest.raises(RuntimeError, match="not been started"):
        _ = hub.directory


def test_two_processes_get_no_port_in_common() -> None:
    code = SAME_PORTS.format(first=os.getpid())
    command = [sys.executable, "-W", "error", "-c", code]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        subprocess.Popen(command, **pipes) as first,
        subprocess.Popen(command, **pipes) as second,
    ):
        ports = [*first.stdout.readline().split(), *second.stdout.readline().split()]
        for process in (first, second):
            process.communicate("\n")

    assert len(ports) == len(set(ports)) == 10
