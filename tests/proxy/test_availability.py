"""What visitors get while the process of an app starts or has failed, with real processes."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.files import no_more_files
from tests.support.web_processes import options
from tornado_service.testing import BROWSER, Fetch, ServiceConfig, StandInHub, StartService


@pytest.fixture
def service_config() -> ServiceConfig:
    slow = list(options("--after=60", "--say=<b>loading</b>").command)
    return {
        "TornadoService": {
            "web_apps": {
                "slow": {"command": slow, "title": "Sales <1>"},
                "broken": {"command": ["sh", "-c", "echo no data; exit 3", "{port}"]},
            }
        }
    }


def admin_token(hub: StandInHub) -> str:
    hub.directory.add_user("ada", admin=True)
    return hub.token_for("ada", ("read:hub",))


async def page_with(text: str, fetch: Fetch, path: str, token: str) -> Any:
    """The page of an app, once it has a text."""
    while True:
        response = await fetch(path, token=token, headers=BROWSER)
        if text in response.body.decode():
            return response
        await asyncio.sleep(0.05)


async def test_a_page_says_which_app_starts_and_reloads(fetch: Fetch, hub: StandInHub) -> None:
    token = hub.token_for("sam")

    page = await fetch("slow/", token=token, headers=BROWSER)
    html = page.body.decode()

    assert (page.code, page.headers["Retry-After"]) == (503, "3")
    assert page.headers["Cache-Control"] == "no-store"
    assert "<h1>Sales &lt;1&gt; is starting</h1>" in html
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in html
    assert 'data-retry-after="3"' in html


async def test_only_admins_see_the_process_and_its_output(fetch: Fetch, hub: StandInHub) -> None:
    admin, user = admin_token(hub), hub.token_for("sam")

    shown = await page_with("loading", fetch, "slow/", admin)
    hidden = await fetch("slow/", token=user, headers=BROWSER)

    assert re.search(r"<dt [^>]*>pid</dt>\s*<dd [^>]*>\s*\d+\s*</dd>", shown.body.decode())
    assert "&lt;b&gt;loading&lt;/b&gt;</pre>" in shown.body.decode()
    assert "loading" not in hidden.body.decode()
    assert "pid" not in hidden.body.decode()


async def test_a_failed_start_is_explained_to_admins(fetch: Fetch, hub: StandInHub) -> None:
    admin, user = admin_token(hub), hub.token_for("sam")

    shown = await page_with("exit status 3", fetch, "broken/", admin)
    hidden = await fetch("broken/", token=user, headers=BROWSER)

    assert "<h1>broken is not available</h1>" in shown.body.decode()
    assert "Last line of output: no data" in shown.body.decode()
    assert "Hub admins can see the reason on the Status page." in hidden.body.decode()
    assert "exit status" not in hidden.body.decode()


async def test_the_status_page_calls_an_app_with_a_problem_not_ready(
    fetch: Fetch, hub: StandInHub
) -> None:
    admin = admin_token(hub)
    await page_with("exit status 3", fetch, "broken/", admin)

    page = (await fetch("status", token=admin, headers=BROWSER)).body.decode()

    badges = re.findall(r'<th scope="row">(\w+)<br>.*?<span class="badge [^>]*>(\w+)', page, re.S)
    assert badges == [("broken", "problem"), ("slow", "ready")]


async def test_programs_get_json_and_when_to_try_again(fetch: Fetch, hub: StandInHub) -> None:
    response = await fetch("slow/", token=hub.token_for("sam"))

    assert (response.code, response.headers["Retry-After"]) == (503, "3")
    assert json.loads(response.body)["message"] == "This app is starting. Try again soon."


async def test_an_app_that_starts_is_no_error_in_the_access_log(
    fetch: Fetch, hub: StandInHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    await fetch("slow/", token=hub.token_for("sam"), headers=BROWSER)

    assert "503 GET" not in caplog.text


async def test_admins_see_that_a_url_does_not_respond_until_it_does(
    start_service: StartService, client: AsyncHTTPClient, hub: StandInHub
) -> None:
    place = socket.socket()
    place.bind(("127.0.0.1", 0))  # nothing listens there yet
    wiki = {"url": f"http://127.0.0.1:{place.getsockname()[1]}"}
    service = await start_service(TornadoService={"web_apps": {"wiki": wiki}})
    fetch = Fetch(client, f"http://127.0.0.1:{service.port}", service.prefix)
    admin = admin_token(hub)

    async def problem() -> str:
        response = await fetch("api/status", token=admin)
        return json.loads(response.body)["apps"][0]["reason"]

    before = await problem()
    refused = await fetch("wiki/", token=admin)
    said = await problem()
    server = await asyncio.start_server(respond_once, sock=place)
    answered = await fetch("wiki/", token=admin)
    after = await problem()
    server.close()

    assert (before, refused.code, answered.code, after) == ("", 503, 204, "")
    assert said.startswith(f"The app does not respond at {wiki['url']} (Connection refused): ")
    assert said.endswith('or change c.TornadoService.web_apps["wiki"]["url"].')


async def test_an_app_is_not_blamed_if_the_service_has_no_file_for_a_connection(
    start_service: StartService, client: AsyncHTTPClient, hub: StandInHub
) -> None:
    place = await asyncio.start_server(respond_once, "127.0.0.1", 0)
    wiki = {"url": f"http://127.0.0.1:{place.sockets[0].getsockname()[1]}"}
    service = await start_service(TornadoService={"web_apps": {"wiki": wiki}})
    fetch = Fetch(client, f"http://127.0.0.1:{service.port}", service.prefix)
    admin = admin_token(hub)
    await fetch("api/status", token=admin)  # the hub has been asked
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    head = f"HTTP/1.1\r\nHost: x\r\nAuthorization: token {admin}\r\n\r\n"
    writer.write(f"HEAD {service.prefix}health {head}".encode())
    await reader.readuntil(b"\r\n\r\n")  # the connection is open on both sides

    with no_more_files():
        writer.write(f"GET {service.prefix}wiki/ {head}".encode())
        response = await asyncio.wait_for(reader.read(4096), 10)
    writer.close()
    status = json.loads((await fetch("api/status", token=admin)).body)
    place.close()

    assert response.startswith(b"HTTP/1.1 503")
    assert b"The service has too many connections. Try again soon." in response
    assert status["apps"][0]["reason"] == ""


async def respond_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    writer.close()
