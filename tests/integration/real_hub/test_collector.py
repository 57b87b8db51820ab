"""The collector calls a real hub with the service's own token."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import pytest

from tests.support.real_hub import wait_for
from tornado_service.activity.collect.collector import Collector
from tornado_service.activity.domain.records import Sample
from tornado_service.demo.hub import USERS
from tornado_service.testing.real_hub import RealHub

SCOPES = ["list:users", "read:users:activity", "read:servers"]
SMALL_PAGES = "c.JupyterHub.api_page_default_limit = c.JupyterHub.api_page_max_limit = 2"


@pytest.fixture
def collector_of(start_service) -> Callable[..., object]:
    async def collector_of(hub: RealHub) -> Collector:
        address = {"api_url": hub.api_url, "api_token": hub.service["api_token"]}
        service = await start_service(ServiceAuth=address)
        return Collector(service.hub, 300, logging.getLogger("test"))

    return collector_of


async def take(collector: Collector, now: float) -> Sample:
    sample = await collector.collect(now)
    assert sample is not None
    return sample


async def test_a_sample_of_a_real_hub(start_hub, collector_of) -> None:
    """Named servers, more users than fit on a page, and a server between two samples."""
    hub = start_hub(service_scopes=SCOPES, extra_config=SMALL_PAGES)
    newcomers = [f"user-{number}" for number in range(6)]
    hub.ask("POST", "users", {"usernames": newcomers})
    hub.ask("POST", "users/sam/server")
    hub.ask("POST", "users/sam/servers/gpu")
    hub.ask("POST", "users/user-5/server")
    of_sam = wait_for(hub, "sam", {"", "gpu"})
    of_user = wait_for(hub, "user-5", {""})
    collector = await collector_of(hub)

    began = int(time.time())
    full = await take(collector, now=0)
    active = await take(collector, now=300)

    users = {user.name: user for user in full.users}
    assert full.is_full
    assert len(full.users) == len(users)
    assert set(users) == {*USERS, *newcomers}
    assert began <= full.taken <= active.taken <= time.time()
    assert {user.name for user in active.users} == {"sam", "user-5"}
    for sample in (full, active):
        servers = {
            (user.name, server.name): server.started
            for user in sample.users
            for server in user.servers
        }
        assert servers == {
            ("sam", ""): in_seconds(of_sam[""]),
            ("sam", "gpu"): in_seconds(of_sam["gpu"]),
            ("user-5", ""): in_seconds(of_user[""]),
        }
    assert all(not server.pending for user in full.users for server in user.servers)
    assert users["kim"].last_activity is None
    assert {user.created for user in full.users} == {None}

    hub.ask("POST", "users/kim/server")
    started = in_seconds(wait_for(hub, "kim", {""})[""])
    hub.ask("DELETE", "users/kim/server")
    hub.ask("DELETE", "users/sam/servers/gpu")
    wait_for(hub, "kim", set())
    wait_for(hub, "sam", {""})
    later = {user.name: user for user in (await take(collector, now=3600)).users}

    assert later["kim"].servers == ()
    assert later["kim"].last_activity >= started
    assert [server.name for server in later["sam"].servers] == [""]


async def test_a_scope_that_the_hub_does_not_grant_is_named(
    start_hub, collector_of, caplog: pytest.LogCaptureFixture
) -> None:
    hub = start_hub(service_scopes=SCOPES[:2])
    collector = await collector_of(hub)

    assert await collector.collect(0) is None

    assert "needs the scope read:servers," in caplog.text


def in_seconds(text: str) -> int:
    return int(time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone)
