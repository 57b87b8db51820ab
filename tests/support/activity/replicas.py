"""Replicas of a service with Activity, in the process of a test."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from email.utils import format_datetime

from tornado.httpclient import AsyncHTTPClient

from tests.support.activity.course import app_of
from tests.support.streaming import until
from tornado_service.activity import Activity
from tornado_service.activity.store.reader import Reader
from tornado_service.app import TornadoService
from tornado_service.testing import Fetch, StandInHub

#: The hub's path for samples.
USERS = "/hub/api/users"

Replica = Callable[..., Awaitable[TornadoService]]


def interval() -> int:
    """Seconds between samples, so that no interval ends during a test."""
    return next(
        seconds for seconds in range(1800, 3600, 60) if time.time() % seconds < seconds - 900
    )


async def replicas(replica: Replica, count: int) -> list[Activity]:
    """Start replicas, and wait until all show a sample and a history; the leader is the first."""
    apps = [app_of(await replica()) for _ in range(count)]
    for app in apps:
        await until(lambda: bool(app.recorder.collector.latest))  # noqa: B023
        await until(lambda: app.recorder.archive.history.is_listed)  # noqa: B023
    return sorted(apps, key=lambda app: not app.recorder.collects)


async def next_sample(leader: Activity, hub: StandInHub) -> int:
    """Let the leader take the sample of the next interval; return its time."""
    recorder = leader.recorder
    assert recorder.collector.latest is not None
    taken = recorder.collector.latest.taken + leader.interval
    hub.date = format_datetime(datetime.fromtimestamp(taken, timezone.utc), usegmt=True)
    assert await recorder.collector.collect(taken)
    return taken


async def become_leader(apps: list[Activity]) -> Activity:
    """Wait until one of them collects."""
    await until(lambda: any(app.recorder.collects for app in apps))
    (leader,) = [app for app in apps if app.recorder.collects]
    return leader


def fetch_of(app: Activity, client: AsyncHTTPClient) -> Fetch:
    service = app.parent
    assert isinstance(service, TornadoService)
    return Fetch(client, f"http://127.0.0.1:{service.port}", service.prefix)


def service_of(app: Activity) -> TornadoService:
    assert isinstance(app.parent, TornadoService)
    return app.parent


async def samples(app: Activity) -> int | None:
    return await app.recorder.store.read(Reader.latest_sample)
