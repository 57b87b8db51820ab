"""Activity on several replicas of the service: one collects, and all show the same."""

from __future__ import annotations

import asyncio
from math import isnan
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient

from tests.support.activity.course import app_of
from tests.support.activity.replicas import (
    USERS,
    Replica,
    become_leader,
    fetch_of,
    next_sample,
    replicas,
    samples,
    service_of,
)
from tests.support.postgresql import connect
from tests.support.streaming import metric, until
from tornado_service.activity import Activity
from tornado_service.testing import StandInHub


async def test_all_replicas_together_ask_the_hub_once_per_interval(
    replica: Replica, hub: StandInHub
) -> None:
    leader, *others = await replicas(replica, 3)
    assert [app.recorder.collects for app in others] == [False, False]
    assert hub.calls[USERS] == 1

    taken = await next_sample(leader, hub)
    for app in others:
        await until(lambda: app.recorder.archive.history.now == taken)  # noqa: B023

    assert hub.calls[USERS] == 2


async def test_all_replicas_show_the_same_and_stream_the_same_events(
    replica: Replica, hub: StandInHub, client: AsyncHTTPClient
) -> None:
    apps = await replicas(replica, 3)
    token = hub.token_for("root", ("list:users", "list:groups", "read:groups"))
    fetches = [fetch_of(app, client) for app in apps]

    async def shown(path: str) -> list[Any]:
        return [(await fetch(f"activity/api/{path}", token=token)).json() for fetch in fetches]

    for path in ("now", "summary", "people"):
        first, *rest = await shown(path)
        assert rest == [first, first], path
    (live, *_) = await shown("now")
    assert [server["user"] for server in live["servers"]] == ["ada", "bob"]

    async with (
        fetches[0].listen("activity/api/events", token=token) as one,
        fetches[1].listen("activity/api/events", token=token) as other,
    ):
        hub.directory.users["bob"]["servers"] = {}
        taken = await next_sample(apps[0], hub)
        events = [await anext(reader) for reader in (one, other)]
        assert [event.json for event in events] == [{"taken": taken}] * 2
        assert events[0].id == events[1].id
        for live in await shown("now"):
            assert [server["user"] for server in live["servers"]] == ["ada"]


async def test_only_the_leader_has_values_for_prometheus(replica: Replica, hub: StandInHub) -> None:
    leader, follower = await replicas(replica, 2)
    names = ("running_servers", "last_sample_timestamp_seconds", "users")

    def values(app: Activity) -> list[float | None]:
        service = service_of(app)
        active = metric(service, "activity_active_users", days="7")
        return [*(metric(service, f"activity_{name}") for name in names), active]

    assert values(leader)[0] == 2
    assert values(leader)[2] == 2
    assert all(value is not None and isnan(value) for value in values(follower))


async def test_another_replica_takes_over_without_a_sample_more_or_less(
    replica: Replica, hub: StandInHub
) -> None:
    leader, *others = await replicas(replica, 3)
    assert leader.details == {"Samples": "Collected by this replica."}

    await service_of(leader).app_manager.stop()

    leader = await become_leader(others)
    assert hub.calls[USERS] == 1  # of this interval, there is a sample
    (follower,) = [app for app in others if app is not leader]
    instance = leader.leadership.instance
    await until(lambda: follower.details == {"Samples": f"Collected by the replica {instance}."})
    taken = await next_sample(leader, hub)
    assert hub.calls[USERS] == 2
    await until(lambda: follower.recorder.archive.history.now == taken)
    assert await samples(follower) == taken


async def test_a_sample_that_was_not_stored_is_taken_by_the_next_leader(
    replica: Replica, hub: StandInHub
) -> None:
    hub.gate = asyncio.Event()  # the first sample does not end
    apps = [app_of(await replica()) for _ in range(2)]
    await until(lambda: hub.calls[USERS] == 1)
    leader = await become_leader(apps)
    (other,) = [app for app in apps if app is not leader]

    await service_of(leader).app_manager.stop()
    await until(lambda: hub.calls[USERS] == 2)
    hub.gate.set()

    await until(lambda: other.recorder.archive.history.is_listed)
    assert other.recorder.collects
    assert hub.calls[USERS] == 2


async def test_the_end_of_all_sessions_loses_and_doubles_nothing(
    replica: Replica, hub: StandInHub, shared_url: str, postgresql_socket: Path
) -> None:
    apps = await replicas(replica, 3)
    before = hub.calls[USERS]
    database = shared_url.partition("@/")[2].partition("?")[0]

    with connect(postgresql_socket) as connection:
        while any(app.recorder.collects for app in apps):
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND state = 'idle'",
                [database],
            )
            await asyncio.sleep(0.01)

    leader = await become_leader(apps)

    taken = await next_sample(leader, hub)
    assert hub.calls[USERS] == before + 1
    for app in apps:
        await until(lambda: app.recorder.archive.history.now == taken)  # noqa: B023


async def test_a_former_leader_stores_nothing(replica: Replica, hub: StandInHub) -> None:
    """As one that was suspended, and does not know yet that another one leads."""
    leader, follower = await replicas(replica, 2)
    first = await samples(follower)
    await follower.recorder.store.take_over("another")

    await next_sample(leader, hub)

    assert not leader.recorder.collects
    assert await samples(follower) == first
