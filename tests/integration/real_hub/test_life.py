"""Start, crash, restart and stop by the hub."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator

import pytest

from tests.support.launched import accept_slow_request
from tests.support.real_hub import (
    LOG_SIGNALS,
    POLL_EACH_SECOND,
    ended_at_first_signal,
    service_pids,
)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A Hub API that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def silent_api(silent: socket.socket) -> str:
    return f"http://127.0.0.1:{silent.getsockname()[1]}/hub/api"


async def test_a_crashed_service_is_launched_again_and_sessions_last(start_hub, browse) -> None:
    hub = start_hub(extra_config=POLL_EACH_SECOND)
    visitor = browse(hub)
    await visitor.sign_in(hub.service_prefix, "sam")
    (pid,) = service_pids(hub.directory)

    os.kill(pid, signal.SIGKILL)

    deadline = time.monotonic() + 60
    while service_pids(hub.directory) in ([], [pid]):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.5)
    while (response := await visitor.get(hub.service_prefix)).code == 503:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)
    # no redirect: the cookie secret is the same, the session continues
    assert response.code == 200


def test_a_killed_hub_leaves_no_service_behind(start_hub) -> None:
    hub = start_hub()
    assert len(service_pids(hub.directory)) == 1

    hub.kill()

    deadline = time.monotonic() + 5
    while service_pids(hub.directory):
        assert time.monotonic() < deadline, "the service is an orphan"
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_busy_service_ends_before_the_hub_kills_it(start_hub, silent, silent_api, number) -> None:
    hub = start_hub(
        service_environment={"JUPYTERHUB_API_URL": silent_api}, extra_config=LOG_SIGNALS
    )
    directory = hub.directory
    (pid,) = service_pids(directory)
    with socket.create_connection(("127.0.0.1", hub.service_port)) as busy:
        busy.sendall(
            b"GET /services/tornado-service/api/user HTTP/1.1\r\nHost: x\r\n"
            b"Authorization: token abc\r\n\r\n"
        )
        waiting = accept_slow_request(silent)

        hub.process.send_signal(number)
        hub.process.wait(timeout=60)
        waiting.close()

    assert ended_at_first_signal(pid, hub.log)
    assert service_pids(directory) == []
    assert "requests are open" in hub.log


def test_the_hub_starts_while_its_api_does_not_respond_to_the_service(
    start_hub, silent_api
) -> None:
    """The service does not delay the start of the hub."""
    hub = start_hub(service_environment={"JUPYTERHUB_API_URL": silent_api})

    assert "JupyterHub is now running" in hub.log


async def test_the_next_hub_finds_the_port_free(start_hub, client) -> None:
    first = start_hub()
    url = first.service_url
    first.kill()

    second = start_hub(service_url=url)

    token = second.token_for("sam")
    response = await client.fetch(
        second.service_public_url + "api/user", headers={"Authorization": f"token {token}"}
    )
    assert response.code == 200
