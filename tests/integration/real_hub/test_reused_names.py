"""A reused name at a real hub is another account, which sees no earlier usage."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.activity import course
from tests.support.real_hub import wait_for
from tornado_service.activity import Activity
from tornado_service.activity.collect.collector import FULL_SAMPLE_INTERVAL
from tornado_service.app import TornadoService
from tornado_service.testing import Fetch, RealHub, ServiceConfig, StartService

#: Below ``P/activity/``: all paths that show a user's own usage, or figures of it.
OWN = (
    "", "me", "now", "people/kaya", "month/{month}", "api/me", "api/me/sessions.csv",
    "api/me/days.csv", "api/now", "api/now.csv", "api/summary", "api/days", "api/people",
    "api/people.csv", "api/people/kaya", "api/people/kaya/sessions.csv", "api/month/{month}",
)  # fmt: skip

Ask = Callable[[str, str], Awaitable[Any]]


@pytest.fixture
def service_config() -> ServiceConfig:
    return {"TornadoService": {"apps": ["tornado_service.activity:Activity"]}}


@pytest.fixture
async def service(real_hub: RealHub, start_service: StartService, tmp_path: Path) -> TornadoService:
    """Another service in this process, which samples the hub only on demand."""
    address = {"api_url": real_hub.api_url, "api_token": real_hub.service["api_token"]}
    return await start_service(ServiceAuth=address, **course.settings(tmp_path))


@pytest.fixture
async def app(service: TornadoService) -> Activity:
    return await course.ready_and_paused(service)


@pytest.fixture
def hub(real_hub: RealHub) -> RealHub:
    yield real_hub
    for name in ("kaya", "lena"):
        remove(real_hub, name)


@pytest.fixture
def ask(fetch: Fetch) -> Ask:
    async def ask(path: str, token: str) -> Any:
        response = await fetch(f"activity/api/{path}", token=token)
        assert response.code in (200, 404), response.body
        return json.loads(response.body) if response.code == 200 else None

    return ask


def remove(hub: RealHub, name: str) -> None:
    if any(user["name"] == name for user in hub.ask("GET", "users")):
        hub.ask("DELETE", f"users/{name}")


def create(hub: RealHub, name: str, *, after: str = "") -> str:
    """Create a student of class-a in a later second than ``after``; returns the time."""
    while True:
        created: str = hub.ask("POST", f"users/{name}")["created"]
        if created[:19] > after[:19]:
            break
        hub.ask("DELETE", f"users/{name}")
    hub.ask("POST", "groups/class-a/users", {"users": [name]})
    return created


def run_server(hub: RealHub, name: str) -> None:
    hub.ask("POST", f"users/{name}/server")
    wait_for(hub, name, {""})


def stop_server(hub: RealHub, name: str) -> None:
    hub.ask("DELETE", f"users/{name}/server")
    wait_for(hub, name, set())


async def sample(app: Activity, *, full: bool) -> None:
    """Take one, a moment later than the one before."""
    before = app.recorder.archive.history.now
    while int(time.time()) <= before:
        await asyncio.sleep(0.05)
    app.recorder.collector._interval = 1  # each of them is in an interval of its own
    await app.recorder.collector.collect(
        (app.recorder.collector._last_full_hour + full) * FULL_SAMPLE_INTERVAL
    )
    assert app.recorder.archive.history.now > before


def usage(found: Any) -> tuple[int, int]:
    """Number of sessions, and their seconds."""
    return len(found["use"]["sessions"]), found["use"]["whole"]["server_seconds"] or 0


async def rows(ask: Ask, token: str) -> list[tuple[bool, bool]]:
    """For each row of kaya in the table of users: is it deleted, and has it sessions?"""
    people = (await ask("people", token))["people"]
    of_kaya = [person for person in people if person["name"] == "kaya"]
    return sorted((person["deleted"] is not None, bool(person["sessions"])) for person in of_kaya)


async def test_a_user_with_the_name_of_a_deleted_user_reads_nothing_of_them(
    hub: RealHub, app: Activity, fetch: Fetch, ask: Ask
) -> None:
    month = time.strftime("%Y-%m", time.gmtime())
    created = create(hub, "kaya")
    run_server(hub, "kaya")
    admin, instructor = hub.token_for("ada"), hub.token_for("ines")
    await sample(app, full=True)
    await sample(app, full=False)
    earlier = hub.token_for("kaya")
    (started,) = {server["started"] for server in (await ask("now", earlier))["servers"]}
    sessions, seconds = usage(await ask("me", earlier))
    assert sessions == 1
    assert seconds > 0
    assert await rows(ask, instructor) == [(False, True)]

    hub.ask("DELETE", "users/kaya")
    create(hub, "kaya", after=created)
    kaya, instructor = hub.token_for("kaya"), hub.token_for("ines")

    # the service has not detected the new account yet
    assert usage(await ask("me", kaya)) == (0, 0)
    assert (await ask("now", kaya))["servers"] == []
    for path in OWN:
        body = (await fetch(f"activity/{path.format(month=month)}", token=kaya)).body.decode()
        assert str(started) not in body, path
        assert not re.search('"server_seconds": ?[1-9]', body), path
    assert await rows(ask, kaya) == []
    # nor does an instructor read it as the new member's
    assert await rows(ask, instructor) == []
    assert [server["user"] for server in (await ask("now", instructor))["servers"]] == []
    (group,) = (await ask("groups", instructor))["groups"]
    assert (group["name"], group["sessions"]) == ("class-a", 0)
    # the admin's figures are those of the last sample
    assert await rows(ask, admin) == [(False, True)]

    await sample(app, full=True)
    assert await rows(ask, admin) == [(False, False), (True, True)]
    assert usage(await ask("me", kaya)) == (0, 0)
    assert usage(await ask("people/kaya", admin)) == (0, 0)
    page = (await fetch("activity/people", token=admin)).body.decode()
    assert len(re.findall('activity/people/kaya[?"]', page)) == 1

    run_server(hub, "kaya")
    await sample(app, full=False)
    await asyncio.sleep(0)
    kaya, instructor = hub.token_for("kaya"), hub.token_for("ines")
    assert usage(await ask("me", kaya))[0] == 1
    assert await rows(ask, admin) == [(False, True), (True, True)]
