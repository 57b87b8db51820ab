"""Event streams and web sockets through the real proxy."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import AsyncExitStack
from typing import Any
from urllib.request import Request, urlopen

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.support import ROOT
from tornado_service.testing import EventReader, Fetch, RealHub, StartHub
from tornado_service.testing.http_browser import Browse

NEWS = "live/api/news"


@pytest.fixture
def service_config() -> dict[str, Any]:
    return {
        "TornadoService": {
            "apps": ["tests.support.live_app:Live"],
            "authenticate_prometheus": False,
        },
        "ServiceAuth": {"cache_max_age": 1},
    }


def program(hub: RealHub, client) -> Fetch:
    return Fetch(client, f"http://127.0.0.1:{hub.port}", hub.service_prefix)


def open_streams(hub: RealHub) -> int:
    request = Request(f"{hub.service_public_url}metrics")
    with urlopen(request, timeout=10) as response:
        lines = response.read().decode().splitlines()
    values = [line.split()[1] for line in lines if line.startswith("tornado_service_streams{")]
    return int(sum(map(float, values)))


async def last_of(events: EventReader) -> dict[str, Any]:
    *_, last = [event async for event in events]
    assert last.name == "end"
    return last.json


async def test_events_pass_the_proxy_and_a_reader_who_leaves_is_noticed(
    real_hub: RealHub, browse: Browse, client
) -> None:
    fetch, token = program(real_hub, client), real_hub.token_for("kim")
    visitor = browse(real_hub)
    await visitor.sign_in(real_hub.service_prefix, "sam")

    async with visitor.listen(NEWS) as page, fetch.listen(NEWS, token=token) as script:
        for number in range(3):
            body = {"number": number}
            sent = await fetch("live/api/send", token=token, method="POST", json=body)
            assert sent.code == 204
            for events in (page, script):
                (event,) = await events.read(1)
                assert (event.name, event.json) == ("report", body)
        assert open_streams(real_hub) == 2

    deadline = time.monotonic() + 20
    while open_streams(real_hub):
        assert time.monotonic() < deadline, "they were not noticed to be gone"
        await asyncio.sleep(0.1)


async def test_a_sign_out_here_or_at_the_hub_ends_the_pages_streams(
    real_hub: RealHub, browse: Browse, client
) -> None:
    kim = real_hub.token_for("kim")
    for method, address in (("post", "logout"), ("get", "/hub/logout")):
        visitor = browse(real_hub)
        await visitor.sign_in(real_hub.service_prefix, "sam")
        fetch = program(real_hub, client)
        async with visitor.listen(NEWS) as page, fetch.listen(NEWS, token=kim) as other:
            await getattr(visitor, method)(address)

            assert await last_of(page) == {"reason": "signed-out", "retry": False}
            await fetch("live/api/send", token=kim, method="POST", json="still here")
            assert (await other.read(1))[0].json == "still here"


async def test_visitors_get_no_redirect(real_hub: RealHub, client) -> None:
    response = await program(real_hub, client)(NEWS, headers={"Accept": "text/html"})

    assert response.code == 401


async def test_a_socket_passes_the_proxy(real_hub: RealHub, browse: Browse) -> None:
    visitor = browse(real_hub)
    await visitor.sign_in(real_hub.service_prefix, "sam")
    cookies = {name: value for (_, _, name), value in visitor.jar.items()} | visitor.cookies
    headers = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "Origin": f"http://127.0.0.1:{real_hub.port}",
    }
    address = real_hub.service_public_url.replace("http", "ws", 1) + "live/api/echo"
    url = f"{address}?_xsrf={visitor.xsrf_token}"

    connection = await websocket_connect(HTTPRequest(url, headers=headers))
    await connection.write_message("hello")
    assert await connection.read_message() == "hello"
    await visitor.post("logout")

    assert await asyncio.wait_for(connection.read_message(), 20) is None
    connection.close()
    assert (connection.close_code, connection.close_reason) == (1008, "signed-out")


async def test_open_streams_do_not_hold_up_the_hubs_stop(start_hub: StartHub, client) -> None:
    hub = start_hub(
        service_command=[
            *(sys.executable, "-m", "tornado_service"),
            *("--TornadoService.apps=tests.support.live_app:Live", "--Streams.per_user=50"),
        ],
        service_environment={"PYTHONPATH": str(ROOT)},
    )
    hub.wait_for_apps()
    fetch, token = program(hub, client), hub.token_for("kim")
    address = hub.service_public_url.replace("http", "ws", 1) + "live/api/echo"
    async with AsyncExitStack() as stack:
        readers = [
            await stack.enter_async_context(fetch.listen(NEWS, token=token)) for _ in range(30)
        ]
        request = HTTPRequest(address, headers={"Authorization": f"token {token}"})
        connection = await websocket_connect(request)
        stack.callback(connection.close)

        hub.process.send_signal(signal.SIGTERM)

        ends = [await last_of(events) for events in readers]
        await asyncio.wait_for(connection.read_message(), 20)
        await asyncio.to_thread(hub.process.wait, 20)

    assert ends == [{"reason": "stopping", "retry": True}] * 30
    assert connection.close_code == 1001
    assert "Stopping; 0 requests are open" in hub.log
