"""An external service: a process that no hub launches, with a name, an API URL and a token."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from tests.support.launched import ENVIRONMENT, until_logged, wait_for_line
from tornado_service.demo.processes import free_ports
from tornado_service.testing import BROWSER, Fetch, StandInHub, Visitor

PREFIX = "/services/tornado-service/"
NAME = "JUPYTERHUB_SERVICE_NAME"
API_URL = "JUPYTERHUB_API_URL"


@pytest.fixture
def fetch(client: AsyncHTTPClient, port: int) -> Fetch:
    return Fetch(client, f"http://127.0.0.1:{port}", PREFIX)


async def test_name_url_and_token_and_a_port_will_do(external, fetch: Fetch, port: int) -> None:
    process = external(f"--port={port}", **{API_URL: "http://127.0.0.1:1/hubs/a/hub/api"})

    line = wait_for_line(process, "Listening")

    assert f"on all interfaces port {port} for /hubs/a{PREFIX}" in line
    assert (await fetch("/health")).code == 200
    assert (await fetch(f"/hubs/a{PREFIX}api")).json()["name"] == "tornado-service"


def test_the_port_may_come_from_the_url(external, port: int) -> None:
    process = external(JUPYTERHUB_SERVICE_URL="http://tornado-service.apps.svc:{port}")

    assert f"on all interfaces port {port} for {PREFIX}" in wait_for_line(process, "Listening")


@pytest.mark.parametrize(
    ("args", "environment", "problem"),
    [
        ([], {}, "Not set: JUPYTERHUB_SERVICE_URL. "),
        (["--port=1"], {NAME: None}, f"Not set: {NAME}. "),
        (["--port=1"], {API_URL: None}, f"Not set: {API_URL}. "),
        (["--port=1"], {"JUPYTERHUB_API_TOKEN": None}, "Not set: JUPYTERHUB_API_TOKEN. "),
        (["--port=1"], {API_URL: "http://hub:8081"}, f"{API_URL} is 'http://hub:8081': it takes"),
        (["--port=1"], {NAME: "a/b"}, f"{NAME} is 'a/b': it takes the name"),
    ],
)
def test_what_is_missing_or_wrong_is_named(refuse, args, environment, problem: str) -> None:
    assert refuse(*args, **environment).startswith(problem)


def test_if_all_is_missing_it_says_how_to_start(refuse) -> None:
    names = [NAME, "JUPYTERHUB_SERVICE_URL", API_URL, "JUPYTERHUB_API_TOKEN"]

    line = refuse(**dict.fromkeys(names))

    assert line.startswith(f"Not set: {', '.join(names)}. ")
    assert "api_token_file" in line
    assert "tornado-service demo" in line


@pytest.mark.parametrize("prefix", ["services/x", "services/x/", "/services/x"])
def test_a_prefix_takes_a_slash_at_both_ends(refuse, prefix: str) -> None:
    line = refuse("--port=1", JUPYTERHUB_SERVICE_PREFIX=prefix)

    assert line.startswith(f"JUPYTERHUB_SERVICE_PREFIX is {prefix!r}: it takes a path")


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"TORNADO_SERVICE_REPLICAS": "3"}, "There are 3 replicas and no database"),
        ({"TORNADO_SERVICE_REPLICAS": "many"}, "TORNADO_SERVICE_REPLICAS is 'many': it takes"),
        ({"TORNADO_SERVICE_DATABASE_URL": "sqlite:///x.sqlite"}, "is not a PostgreSQL database"),
        ({"TORNADO_SERVICE_DATABASE_URL": "mysql://u:hidden@h/n"}, "neither sqlite:// nor"),
        (
            {
                "TORNADO_SERVICE_REPLICAS": "2",
                "TORNADO_SERVICE_DATABASE_URL": "postgresql://user:hid/den@h/name",
            },
            "percent-encoded",
        ),
    ],
)
def test_replicas_share_a_postgresql(refuse, environment, problem: str) -> None:
    line = refuse("--port=1", **environment)

    assert problem in line
    assert "hid" not in line


def test_a_port_in_use_is_reported_with_the_option(external, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        process = external("--ip=127.0.0.1", f"--port={port}")
        lines = process.stderr.read().splitlines()

    assert process.wait() == 1
    assert len(lines) == 1
    assert f"Cannot listen on port {port} of 127.0.0.1" in lines[0]
    assert "(--port)" in lines[0]


AFTER_ITS_PARENT = """
import os, sys, time
from tornado_service.__main__ import main
parent = os.getppid()
print(os.getpid(), file=sys.stderr, flush=True)
while os.getppid() == parent:
    time.sleep(0.01)
main()
"""


async def test_it_goes_on_when_the_shell_that_started_it_ends(external, fetch: Fetch, port) -> None:
    script = f'{sys.executable} -c "$PROGRAM" --port={port} & wait'
    shell = external(command=["sh", "-c", script], PROGRAM=AFTER_ITS_PARENT)
    pid = int(shell.stderr.readline())
    give_up = threading.Timer(60, os.kill, (pid, signal.SIGKILL))
    give_up.start()
    try:
        shell.kill()
        await asyncio.to_thread(shell.wait)
        await until_logged(shell, "Listening")
        await until_logged(shell, "Self-check, hub-api: ")

        assert (await fetch("health/serving")).code == 200

        os.kill(pid, signal.SIGTERM)
        assert "Stopped" in await until_logged(shell, "Stopped")
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        give_up.cancel()


async def test_it_starts_before_its_hub_and_waits_for_it(
    external, hub: StandInHub, fetch: Fetch, port: int
) -> None:
    token = hub.token_for("alice")
    await hub.stop()
    process = external(f"--port={port}", "--HubClient.breaker_pause=0.1", **{API_URL: hub.api_url})
    await until_logged(process, "Listening")

    page = await fetch("", headers=BROWSER)
    call = await fetch("api/user", token=token)
    assert (page.code, call.code) == (503, 503)
    assert "hub" in page.body.decode()
    assert (await fetch("health/serving")).code == 200
    assert (await fetch("health/ready")).code == 503

    await hub.start()
    deadline = time.monotonic() + 60
    while (call := await fetch("api/user", token=token)).code == 503:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    assert call.json()["name"] == "alice"


async def test_a_sign_in_may_use_a_different_replica_for_each_request(
    external, hub: StandInHub, client: AsyncHTTPClient
) -> None:
    hub.client_secret = ENVIRONMENT["JUPYTERHUB_API_TOKEN"]
    origins = []
    for port in free_ports(3):
        process = external(f"--port={port}", **{API_URL: hub.api_url})
        await until_logged(process, "Listening")
        origins.append(f"http://127.0.0.1:{port}")
    begun = [await client.fetch(f"{origin}{PREFIX}", **NAVIGATION) for origin in origins]
    visitor = Visitor(client, f"http://127.0.0.1:{hub.port}", origins[0], home=PREFIX, name="ada")

    response = await visitor.get(PREFIX)
    response = await visitor.get(response.headers["Location"])
    visitor.service = origins[1]
    response = await visitor.get(response.headers["Location"])
    visitor.service = origins[2]
    response = await visitor.open(response.headers["Location"])

    assert len({described(beginning) for beginning in begun}) == 1
    assert (response.code, visitor.address) == (200, PREFIX)
    assert hub.calls["/hub/api/oauth2/authorize"] == 1


NAVIGATION = {"headers": BROWSER, "follow_redirects": False, "raise_error": False}


def described(beginning: HTTPResponse) -> tuple[str, str, str, str]:
    """Authorize URL, client and callback of the beginning of a sign-in, and its cookie's name."""
    url = urlsplit(beginning.headers["Location"])
    query = parse_qs(url.query)
    cookie = beginning.headers["Set-Cookie"].partition("=")[0]
    return url.path, query["client_id"][0], query["redirect_uri"][0], cookie
