"""The outage, with a real hub behind a relay that misbehaves; and sign-ins across a restart."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from tornado.httpclient import HTTPResponse

from tests.real_hub.test_life import service_pids
from tests.relay import FAULTS, Relay
from tornado_service.demo import free_ports
from tornado_service.testing import BROWSER, RealHub
from tornado_service.testing.real_hub import COMMAND


def target_of(answer: HTTPResponse) -> str:
    """Where a redirect leads."""
    assert answer.code == 302, answer.body.decode()
    return answer.headers["Location"]


@pytest.fixture(scope="module")
def relayed():
    """A hub whose service reaches it by a relay, and where that relay listens."""
    (port,) = free_ports(1)
    hub = RealHub(
        service_environment={"JUPYTERHUB_API_URL": f"http://127.0.0.1:{port}/hub/api"},
        service_command=[
            *COMMAND,
            "--HubClient.hub_timeout=1",
            "--HubClient.breaker_pause=0.3",
            "--ServiceAuth.cache_max_age=1",
        ],
    )
    with hub:
        yield hub, port


@pytest.fixture
async def relay(relayed):
    hub, port = relayed
    relay = Relay(hub.hub_port, port)
    await relay.start()
    yield relay
    await relay.stop()


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_outage_table(relayed, relay: Relay, client, browse, fault: str) -> None:
    hub, _ = relayed

    async def ask(path: str, token: str = "", **headers: str):
        if token:
            headers["Authorization"] = f"token {token}"
        return await client.fetch(
            f"{hub.service_url}{hub.service_prefix}{path}",
            headers=headers,
            follow_redirects=False,
            raise_error=False,
        )

    async def until_well(token: str) -> None:
        deadline = time.monotonic() + 20
        while (await ask("api/user", token)).code != 200:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)

    known, newcomer = hub.token_for("sam"), hub.token_for("kim")
    await until_well(known)
    await relay.misbehave(fault)

    answers = await asyncio.gather(*[ask("api/user", f"unknown-{n}") for n in range(6)])
    assert {answer.code for answer in answers} == {503}
    assert all("Retry-After" in answer.headers for answer in answers)
    assert (await ask("api/user", newcomer)).code == 503
    assert (await ask("", **BROWSER)).code == 503
    assert (await ask("api/user", known)).code == 200  # older than the cache by now, or soon
    assert (await ask("health")).code == 200
    assert (await ask("health/ready")).code == 503
    assert (await ask("")).code == 302

    await relay.misbehave(None)
    await until_well(newcomer)
    assert (await ask("health/ready")).code == 200
    visitor = browse(hub)
    assert (await visitor.sign_in(hub.service_prefix, "sam")).code == 200


async def test_a_slow_hub_is_slow_for_strangers_only(relayed, relay: Relay, client) -> None:
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


async def test_a_restart_in_mid_sign_in_goes_unnoticed(start_hub, browse) -> None:
    """The state and the PKCE verifier are in the browser; the new process can read them."""
    hub = start_hub()
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
    answer = await visitor.open(callback)

    assert service_pids(hub.directory) != [pid]
    assert answer.code == 200
    assert visitor.address.endswith(hub.service_prefix + "?page=2")


async def test_two_processes_serve_the_two_halves(start_hub, browse, client) -> None:
    """The second is launched by hand, with the environment of the first, on another port."""
    hub = start_hub()
    (pid,) = service_pids(hub.directory)
    pairs = Path(f"/proc/{pid}/environ").read_text().split("\0")
    environment = dict(pair.split("=", 1) for pair in pairs if pair)
    (port,) = free_ports(1)
    second = await asyncio.create_subprocess_exec(
        *hub.service["command"], f"--port={port}", env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        while b"Listening" not in await second.stderr.readline():
            pass
        visitor = browse(hub)
        await visitor.sign_in("/hub/home", "kim")
        begun = await visitor.get(hub.service_prefix + "?page=3")
        at_the_hub = await visitor.get(target_of(begun))
        visitor.service = f"http://127.0.0.1:{port}"

        answer = await visitor.open(target_of(at_the_hub))

        assert answer.code == 200
        assert visitor.address.endswith("?page=3")
    finally:
        second.terminate()
        await second.communicate()
