"""A small hub with a history worked out by hand: two classes, and days of use."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from tornado_service.activity import Activity
from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot
from tornado_service.activity.store.store import HistoryState, Store
from tornado_service.app import TornadoService
from tornado_service.testing import StandInHub

HOUR = 3600
DAY = 24 * HOUR

#: Monday, 2026-01-05, at midnight UTC.
MONDAY = 1767571200

CLASS_A = ("ada", "alan")
CLASS_B = ("bob", "=bea", "x/y <b>")

#: Users and their servers' start and stop, in hours after Monday's midnight.
RUNS = {
    "ada": [(9, 12), (33, 35)],
    "alan": [(10, 11)],
    "bob": [(9, 20), (57, 60)],
    "=bea": [(34, 36)],
    "x/y <b>": [(58, 59)],
}

#: The last sample, in hours after Monday's midnight.
WATCHED = 72

#: The whole period, as a query.
RANGE = "from=2026-01-05&to=2026-01-07"

#: The scopes of an admin's token.
ALL_USERS = ("list:users", "list:groups", "read:groups")


def of_group(name: str) -> tuple[str, ...]:
    """The scopes of a group's instructor."""
    return tuple(f"{scope}!group={name}" for scope in ALL_USERS)


def fill(hub: StandInHub) -> None:
    """Add the users to the hub, in two classes, a minute after the end of the history."""
    end = datetime.fromtimestamp(MONDAY + WATCHED * HOUR + 60, timezone.utc)
    hub.date = format_datetime(end, usegmt=True)
    for group, names in (("class-a", CLASS_A), ("class-b", CLASS_B)):
        for name in names:
            hub.directory.add_user(name, groups=[group], created=None)


def samples() -> list[Sample]:
    """A sample per hour."""
    return [Sample(MONDAY + hour * HOUR, True, _users(hour)) for hour in range(WATCHED + 1)]


def _users(hour: int) -> tuple[UserSnapshot, ...]:
    return tuple(
        UserSnapshot(name, None, None, _servers(runs, hour)) for name, runs in RUNS.items()
    )


def _servers(runs: list[tuple[int, int]], hour: int) -> tuple[ServerSnapshot, ...]:
    return tuple(
        ServerSnapshot("", MONDAY + begin * HOUR) for begin, end in runs if begin <= hour <= end
    )


def app_of(service: TornadoService) -> Activity:
    """The service's Activity."""
    (app,) = (mount.app for mount in service.app_manager)
    assert isinstance(app, Activity)
    return app


async def ready(service: TornadoService) -> Activity:
    """Activity, after its first sample."""
    app = app_of(service)
    end = MONDAY + WATCHED * HOUR
    while (
        app.recorder.archive.history.now <= end
        and app.recorder.store.condition.state is not HistoryState.LIVE_ONLY
    ):
        await asyncio.sleep(0.01)
    return app


async def ready_and_paused(service: TornadoService) -> Activity:
    """Activity, after its only sample."""
    app = await ready(service)
    app._running.cancel()
    await asyncio.wait([app._running])
    return app


async def write(path: Path) -> None:
    """Create a database with the history."""
    store = Store(f"sqlite:///{path}", logging.getLogger(__name__))
    await store.open()
    for sample in samples():
        assert await store.add(sample, HOUR)
    await store.maintain()
    await store.close()


def settings(tmp_path: Path, **more: Any) -> dict[str, Any]:
    """Settings of a service with Activity."""
    return {
        "TornadoService": {"apps": ["tornado_service.activity:Activity"]},
        "Activity": {"database_url": f"sqlite:///{tmp_path}/activity.sqlite", **more},
    }
