"""The collecting replica is killed or frozen: another one takes over, and no sample is doubled."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.activity.course import app_of
from tests.support.activity.replicas import USERS, Replica, next_sample, samples
from tests.support.launched import Launch, wait_for_line
from tests.support.postgresql import connect
from tests.support.streaming import until
from tornado_service.activity import Activity
from tornado_service.testing import StandInHub
from tornado_service.testing.fake_hub import SERVICE_TOKEN


@pytest.fixture
async def follower(replica: Replica, hub: StandInHub) -> Activity:
    """A replica in this process, which is to follow."""
    hub.service_scopes |= Activity.service_scopes
    return app_of(await replica())


@pytest.fixture
async def leader(
    launch: Launch, hub: StandInHub, shared_url: str, shared_interval: int, replica: Replica
) -> subprocess.Popen[str]:
    """A replica in a process of its own, which has collected a sample."""
    hub.service_scopes |= Activity.service_scopes
    process = launch(
        "--TornadoService.apps=activity",
        f"--Activity.interval={shared_interval}",
        JUPYTERHUB_API_URL=hub.api_url,
        JUPYTERHUB_API_TOKEN=SERVICE_TOKEN,
        TORNADO_SERVICE_DATABASE_URL=shared_url,
    )
    await asyncio.to_thread(wait_for_line, process, "This replica collects")
    await until(lambda: hub.calls[USERS] == 1)
    return process


async def freeze_outside_of_transactions(
    process: subprocess.Popen[str], postgresql_socket: Path
) -> None:
    """In one, the database keeps the writer's lock for longer than this test waits."""
    with connect(postgresql_socket) as connection:
        while True:
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(0.1)  # what the server still does for it ends
            [(count,)] = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE state LIKE 'idle in transaction%' OR wait_event = 'advisory'"
            )
            if not count:
                return
            process.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.1)


async def test_after_a_kill(
    leader: subprocess.Popen[str], follower: Activity, hub: StandInHub
) -> None:
    await until(lambda: follower.recorder.archive.history.is_listed)
    assert not follower.recorder.collects
    first = await samples(follower)

    leader.kill()
    await until(lambda: follower.recorder.collects)

    assert hub.calls[USERS] == 1
    assert await samples(follower) == first
    taken = await next_sample(follower, hub)
    assert await samples(follower) == taken
    assert hub.calls[USERS] == 2


async def test_a_frozen_one_that_goes_on_collects_no_more(
    leader: subprocess.Popen[str], follower: Activity, hub: StandInHub, postgresql_socket: Path
) -> None:
    await until(lambda: follower.recorder.archive.history.is_listed)

    await freeze_outside_of_transactions(leader, postgresql_socket)
    await until(lambda: follower.recorder.collects)
    taken = await next_sample(follower, hub)
    leader.send_signal(signal.SIGCONT)
    # it has connected anew
    await asyncio.to_thread(wait_for_line, leader, "that the replicas share is available")

    assert follower.recorder.collects
    assert hub.calls[USERS] == 2
    assert await samples(follower) == taken
