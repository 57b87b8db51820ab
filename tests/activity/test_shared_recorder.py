"""Replicas of Activity with other settings, with pseudonyms, and without a database."""

from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.activity.course import app_of
from tests.support.activity.replicas import (
    USERS,
    Replica,
    fetch_of,
    next_sample,
    replicas,
    service_of,
)
from tests.support.streaming import until
from tornado_service import AppError
from tornado_service.activity.domain.records import Sample
from tornado_service.activity.shared_recorder import (
    SharedRecorder,
    conflict_message,
    shaping_settings,
)
from tornado_service.activity.store.reader import Reader
from tornado_service.activity.store.store import HistoryState
from tornado_service.testing import StandInHub, StartService


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"timezone": "Europe/Berlin"}, "timezone is 'Europe/Berlin', and 'UTC' there"),
        ({"retention_days": 50}, "retention_days is 50, and 400 there"),
        ({"pseudonym_secret": "0123456789abcdef"}, "pseudonym_secret differs"),
    ],
)
async def test_a_replica_with_other_settings_takes_no_part(
    replica: Replica,
    hub: StandInHub,
    client: AsyncHTTPClient,
    capsys: pytest.CaptureFixture[str],
    settings: dict[str, Any],
    said: str,
) -> None:
    (leader,) = await replicas(replica, 1)
    other = app_of(await replica(**settings))

    await until(lambda: said in other.problem)
    instance = leader.leadership.instance
    assert f"The replica {instance} has other settings of Activity" in other.problem
    assert "Give all replicas the same settings" in other.problem
    assert said in capsys.readouterr().err
    assert other.details == {"Samples": "Not collected by this replica, whose settings differ."}
    fetch, token = fetch_of(other, client), hub.token_for("ada")
    assert (await fetch("activity/api/summary", token=token)).code == 503
    assert (await fetch("activity/api/now", token=token)).json()["servers"] == []
    # the leader's data is untouched
    assert (await leader.recorder.store.read(Reader.meta)).zone in ("", "UTC")
    names = [account.name for account in await leader.recorder.store.read(Reader.people)]
    assert names == ["ada", "bob"]

    await service_of(leader).app_manager.stop()

    await until(lambda: other.recorder.collects and other.problem == "")
    await until(lambda: other.recorder.archive.history.is_listed)
    assert (await fetch("activity/api/summary", token=token)).code == 200


async def test_the_activity_of_another_service_takes_no_part(
    replica: Replica,
    hub: StandInHub,
    shared_url: str,
    shared_interval: int,
    start_service: StartService,
) -> None:
    """Each would take the samples from the other, and lose one."""
    (leader,) = await replicas(replica, 1)
    service = await start_service(
        TornadoService={
            "apps": ["tornado_service.activity:Activity"],
            "database_url": shared_url,
            "service_name": "renamed",
        },
        ServiceAuth={"base_url": "/services/renamed/"},
        Activity={"interval": shared_interval},
    )
    other = app_of(service)

    await until(lambda: "is that of /services/tornado-service/activity/" in other.problem)
    assert "Activity.database_url" in other.problem
    assert not other.recorder.collects
    assert leader.recorder.collects
    await next_sample(leader, hub)

    await service_of(leader).app_manager.stop()

    await until(lambda: other.recorder.collects and other.problem == "")


async def test_with_pseudonyms_all_replicas_show_a_user_their_own_servers(
    replica: Replica, hub: StandInHub, client: AsyncHTTPClient
) -> None:
    apps = [app_of(await replica(pseudonym_secret="0123456789abcdef")) for _ in range(2)]
    for app in apps:
        await until(lambda: bool(app.recorder.collector.latest))  # noqa: B023
    own, everybody = hub.token_for("ada"), hub.token_for("root", ("list:users",))

    shown = []
    for app in apps:
        fetch = fetch_of(app, client)
        for token in (own, everybody):
            listed = (await fetch("activity/api/now", token=token)).json()["servers"]
            shown.append([server["user"] for server in listed])

    assert shown[0] == shown[2] == [app.recorder.store.map_name("ada")]
    assert shown[1] == shown[3] == sorted(map(app.recorder.store.map_name, ("ada", "bob")))
    (follower,) = [app for app in apps if not app.recorder.collects]
    latest = follower.recorder.collector.latest
    assert latest is not None
    assert not {"ada", "bob"} & {user.name for user in latest.users}


async def test_a_forgotten_user_is_gone_everywhere_after_the_next_sample(
    replica: Replica, hub: StandInHub
) -> None:
    leader, follower = await replicas(replica, 2)
    del hub.directory.users["bob"]

    assert await follower.recorder.store.forget("bob")
    await next_sample(leader, hub)

    for app in (leader, follower):
        people = app.recorder.archive
        await until(
            lambda: [a.name for a in people.history.people.values()] == ["ada"]  # noqa: B023
        )


async def test_a_replica_that_fails_to_collect_tries_again_and_follows_once(
    replica: Replica, hub: StandInHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader, follower = await replicas(replica, 2)
    recorder = follower.recorder
    monkeypatch.setattr(recorder, "_interval", 0.1)
    readers: set[asyncio.Task[None] | None] = set()
    live, take_over, attempts = recorder.store.live, recorder.store.take_over, count(1)

    async def read_live() -> Sample | None:
        readers.add(asyncio.current_task())
        return await live()

    async def fail_at_first(instance: str) -> None:
        if next(attempts) <= 8:
            raise TypeError("a row of another version")
        await take_over(instance)

    monkeypatch.setattr(recorder.store, "live", read_live)
    monkeypatch.setattr(recorder.store, "take_over", fail_at_first)
    await service_of(leader).app_manager.stop()

    await until(lambda: recorder.collects)
    # one that opened the history, one that collects, and one that would follow
    assert len([task for task in readers if task and not task.done()]) <= 3


async def test_news_during_a_takeover_hold_up_no_request(
    replica: Replica, hub: StandInHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader, follower = await replicas(replica, 2)
    recorder = follower.recorder
    live, release = recorder.store.live, asyncio.Event()

    async def read_slowly() -> Sample | None:
        monkeypatch.undo()
        await release.wait()
        return await live()

    monkeypatch.setattr(recorder.store, "live", read_slowly)
    recorder.on_new_events()
    await until(lambda: recorder.store.live == live)  # it is reading
    recorder.on_new_events()
    await service_of(leader).app_manager.stop()
    await until(lambda: recorder.collects)
    release.set()

    await until(recorder._is_up_to_date.is_set)


async def test_replicas_need_postgresql(replica: Replica, tmp_path: Path) -> None:
    with pytest.raises(AppError, match="3 replicas cannot share a SQLite file") as error:
        await replica(database_url=f"sqlite:///{tmp_path}/activity.sqlite")

    assert str(error.value).count("\n") == 0
    assert not list(tmp_path.iterdir())


async def test_without_a_history_each_replica_collects_for_itself(
    replica: Replica, hub: StandInHub
) -> None:
    apps = [app_of(await replica(database_url="")) for _ in range(2)]
    for app in apps:
        await until(lambda: bool(app.recorder.collector.latest))  # noqa: B023

    assert hub.calls[USERS] == 2


async def test_a_database_that_is_away_at_the_start(
    start_service: StartService,
    hub: StandInHub,
    shared_url: str,
    postgresql_socket: Path,
    tmp_path: Path,
) -> None:
    hub.directory.add_user("ada")
    away = shared_url.replace(str(postgresql_socket), str(tmp_path / "socket"))
    service = await start_service(
        TornadoService={"apps": ["tornado_service.activity:Activity"], "database_url": away},
    )
    app = app_of(service)
    assert isinstance(app.recorder, SharedRecorder)
    assert app.recorder.store.condition.state is HistoryState.GETTING_READY  # nobody has agreed yet

    (tmp_path / "socket").symlink_to(postgresql_socket)

    await until(lambda: app.recorder.archive.history.is_listed)
    assert app.problem == ""


def test_a_conflict_names_settings_and_hides_the_secret() -> None:
    ours = {"timezone": "UTC", "retention_days": 400, "interval": 300, "pseudonym_secret": "s" * 16}
    theirs = {**ours, "interval": 60, "pseudonym_secret": ""}

    message = conflict_message(shaping_settings(ours), shaping_settings(theirs), "hub-1")

    assert "interval is 300, and 60 there, pseudonym_secret differs" in message
    assert "ssss" not in str(shaping_settings(ours))
    assert "timezone" not in message
