"""Outages of a real hub behind a relay, and sign-ins across a restart."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from tests.support import ROOT
from tests.support.real_hub import POLL_EACH_SECOND, service_pids
from tests.support.relay import FAULTS, Relay
from tornado_service.demo.processes import free_ports
from tornado_service.testing import BROWSER, Fetch, RealHub
from tornado_service.testing.real_hub import SERVICE_COMMAND

pytestmark = pytest.mark.library


def target_of(response: HTTPResponse) -> str:
    assert response.code == 302, response.body.decode()
    return response.headers["Location"]


def relayed_hub(*settings: str) -> tuple[RealHub, int]:
    """A hub whose service reaches it by a relay, and the relay's port."""
    (port,) = free_ports(1)
    hub = RealHub(
        service_environment={
            "JUPYTERHUB_API_URL": f"http://127.0.0.1:{port}/hub/api",
            "PYTHONPATH": str(ROOT),
        },
        service_command=[
            *SERVICE_COMMAND,
            "--TornadoService.apps=tests.support.live_app:Live",
            "--HubClient.hub_timeout=3",
            "--HubClient.breaker_pause=0.3",
            "--ServiceAuth.cache_max_age=1",
            *settings,
        ],
    )
    return hub, port


@pytest.fixture(scope="module")
def relayed():
    hub, port = relayed_hub()
    with hub:
        yield hub, port


@pytest.fixture
async def relay(relayed):
    hub, port = relayed
    relay = Relay(hub.hub_port, port)
    await relay.start()
    yield relay
    await relay.stop()


async def read(fetch: Fetch, token: str) -> int:
    return (await fetch("api/user", token=token)).code


async def write(fetch: Fetch, token: str) -> int:
    return (await fetch("live/api/send", token=token, method="POST", json={})).code


async def ready(fetch: Fetch) -> int:
    return (await fetch("health/ready")).code


async def until(status: int, fetch: Callable[..., Awaitable[int]], *whom: Any) -> None:
    """Repeat a request until it has this status."""
    deadline = time.monotonic() + 20
    while (found := await fetch(*whom)) != status:
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_outage_table(relayed, relay: Relay, client, browse, fault: str) -> None:
    hub, _ = relayed
    fetch = Fetch(client, hub.service_url, hub.service_prefix)
    known, newcomer = hub.token_for("sam"), hub.token_for("kim")
    await until(204, write, fetch, known)
    await until(200, read, fetch, known)
    await relay.misbehave(fault)
    # a response that is too large exceeds our own limit: a retry does not help
    away = 502 if fault == "huge" else 503

    responses = await asyncio.gather(*[fetch("api/user", token=f"unknown-{n}") for n in range(6)])
    assert {response.code for response in responses} == {away}
    assert all(("Retry-After" in response.headers) == (away == 503) for response in responses)
    assert await read(fetch, newcomer) == away
    # visitors are redirected to the hub, which responds
    assert (await fetch("", headers=BROWSER)).code == (503 if away == 503 else 302)
    assert await read(fetch, known) == 200  # older than the cache by now, or soon
    assert await write(fetch, known) == away
    assert (await fetch("health")).code == 200
    if fault == "cut":  # within 5 s
        await until(503, ready, fetch)
    assert (await fetch("")).code == 302

    await relay.misbehave(None)
    await until(200, read, fetch, newcomer)
    assert await write(fetch, known) == 204
    await until(200, ready, fetch)
    visitor = browse(hub)
    assert (await visitor.sign_in(hub.service_prefix, "sam")).code == 200


async def test_read_access_lasts_for_the_grace_period_and_not_longer(client) -> None:
    hub, port = relayed_hub("--ServiceAuth.stale_grace=2")
    with hub:
        relay = Relay(hub.hub_port, port)
        await relay.start()
        fetch = Fetch(client, hub.service_url, hub.service_prefix)
        token = hub.token_for("sam")
        await until(200, read, fetch, token)

        await relay.misbehave("error")

        assert await write(fetch, token) == 503
        assert await read(fetch, token) == 200
        await until(503, read, fetch, token)
        assert (await fetch("health")).code == 200
        await relay.stop()


async def test_a_user_who_is_removed_from_the_hub_has_no_access_any_more(
    relayed, relay: Relay, client, browse
) -> None:
    """Neither by a token nor by a session, once the cached identity expires."""
    hub, _ = relayed
    fetch = Fetch(client, hub.service_url, hub.service_prefix)
    hub.ask("POST", "users/zoe")
    hub.ask("POST", "groups/class-a/users", {"users": ["zoe"]})
    token = hub.token_for("zoe")
    visitor = browse(hub)
    await until(200, read, fetch, token)
    assert (await visitor.sign_in(hub.service_prefix, "zoe")).code == 200
    assert await write(fetch, token) == 204

    hub.ask("DELETE", "users/zoe")

    assert await write(fetch, token) == 401
    await until(401, read, fetch, token)
    while (response := await visitor.get(f"{hub.service_prefix}home")).code == 200:
        await asyncio.sleep(0.1)
    assert target_of(response).startswith("/hub/")


async def test_a_slow_hub_is_slow_for_visitors_only(relayed, relay: Relay, client) -> None:
    hub, _ = relayed
    relay.delay = 0.5
    url = f"{hub.service_url}{hub.service_prefix}"
    token = hub.token_for("kim")
    stranger = asyncio.ensure_future(
        client.fetch(f"{url}api/user", headers={"Authorization": f"token {token}"})
    )
    while relay.calls == 0:
        await asyncio.sleep(0.01)

    health = await client.fetch(f"{url}health")

    assert health.code == 200
    assert not stranger.done()
    assert (await stranger).code == 200


async def test_a_restart_during_a_sign_in_goes_unnoticed(start_hub, browse) -> None:
    """State and PKCE verifier are in the browser; the new process can decrypt them."""
    hub = start_hub(extra_config=POLL_EACH_SECOND)
    visitor = browse(hub)
    # signed in at the hub, so that its form does not come between
    await visitor.sign_in("/hub/home", "sam")
    begun = await visitor.get(hub.service_prefix + "?page=2")
    at_the_hub = await visitor.get(target_of(begun))
    callback = target_of(at_the_hub)
    assert "oauth_callback?code=" in callback
    (pid,) = service_pids(hub.directory)

    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while (await visitor.get(hub.service_prefix + "health")).code != 200:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)
    response = await visitor.open(callback)

    assert service_pids(hub.directory) != [pid]
    assert response.code == 200
    assert visitor.address.endswith(hub.service_prefix + "?page=2")


async def test_two_processes_serve_the_two_halves(start_hub, browse, client) -> None:
    """The test launches the second, with the environment of the first, on another port."""
    hub = start_hub()
    (pid,) = service_pids(hub.directory)
    pairs = Path(f"/proc/{pid}/environ").read_text().split("\0")
    environment = dict(pair.split("=", 1) for pair in pairs if pair)
    (port,) = free_ports(1)
    second = await asyncio.create_subprocess_exec(
        *hub.service["command"], f"--port={port}", env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        await asyncio.wait_for(second.stderr.readuntil(b"Listening"), 60)
        visitor = browse(hub)
        await visitor.sign_in("/hub/home", "kim")
        begun = await visitor.get(hub.service_prefix + "?page=3")
        at_the_hub = await visitor.get(target_of(begun))
        visitor.service = f"http://127.0.0.1:{port}"

        response = await visitor.open(target_of(at_the_hub))

        assert response.code == 200
        assert visitor.address.endswith("?page=3")
    finally:
        second.terminate()
        await second.communicate()
