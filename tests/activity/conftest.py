"""Databases of the history, and the service with the history of the course."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support.activity import archives, course
from tests.support.activity.course import ALL_USERS
from tests.support.activity.played import Played, play
from tests.support.activity.replicas import Replica, interval
from tests.support.activity.script import HOUR, write_year
from tests.support.activity.simulator import SimulatedHub, hub_calls
from tornado_service.activity import Activity
from tornado_service.activity.history.archive import Archive
from tornado_service.activity.schema.upgrade import open_database
from tornado_service.activity.store.store import Store
from tornado_service.app import TornadoService
from tornado_service.database.database import Database
from tornado_service.testing import NewVisitor, ServiceConfig, StandInHub, StartService, Visitor

# no test asserts on time
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the history of the course, to be copied."""
    path = tmp_path_factory.mktemp("history") / "activity.sqlite"
    asyncio.run(course.write(path))
    return path


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory) -> Played:
    script = write_year(1, datetime(2025, 3, 1, tzinfo=timezone.utc))
    hub = SimulatedHub(script)
    file = tmp_path_factory.mktemp("year") / "activity.sqlite"
    return asyncio.run(play(script, file, 3 * HOUR, "Europe/Berlin", hub, hub_calls(hub)))


@pytest.fixture
def service_config(tmp_path: Path, history: Path, hub: StandInHub) -> ServiceConfig:
    shutil.copy(history, tmp_path)
    course.fill(hub)
    return course.settings(tmp_path)


@pytest.fixture
async def app(service: TornadoService) -> Activity:
    return await course.ready_and_paused(service)


@pytest.fixture
def visitor(app: Activity, visitor: Visitor) -> Visitor:
    """A student, once there is a history to show."""
    return visitor


@pytest.fixture
def admin(app: Activity, hub: StandInHub, new_visitor: NewVisitor) -> Visitor:
    hub.directory.add_user("root", admin=True)
    hub.grant("root", *ALL_USERS)
    return new_visitor("root")


@pytest.fixture
def instructor(app: Activity, hub: StandInHub, new_visitor: NewVisitor) -> Visitor:
    hub.grant("ines", *course.of_group("class-a"))
    return new_visitor("ines")


@pytest.fixture(params=["postgresql+psycopg", "postgresql+psycopg2"])
def shared_url(request: pytest.FixtureRequest, new_postgresql: Callable[[str], str]) -> str:
    return new_postgresql(request.param)


@pytest.fixture
def shared_interval() -> int:
    """Seconds between samples of all replicas; no interval ends during a test."""
    return interval()


@pytest.fixture
def replica(
    shared_url: str, shared_interval: int, start_service: StartService, hub: StandInHub
) -> Replica:
    """Start a replica with one database for all, and Activity's in it, by default."""
    started = "2026-01-01T08:00:00Z"
    for name in ("ada", "bob"):
        hub.directory.add_user(name, created=started)
        hub.directory.users[name]["servers"] = {
            "": {"name": "", "ready": True, "pending": None, "started": started,
                 "last_activity": None, "user_options": {}}
        }  # fmt: skip

    async def start(**settings: Any) -> TornadoService:
        return await start_service(
            TornadoService={
                "apps": ["tornado_service.activity:Activity"],
                "database_url": shared_url,
                "replica_count": 3,
            },
            Activity={"interval": shared_interval, **settings},
        )

    return start


Open = Callable[..., Awaitable[Store]]


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    return tmp_path / "activity.sqlite"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
async def open_store() -> AsyncIterator[Open]:
    """Make stores and open them; close them at the end."""
    opened: list[Store] = []

    async def make(url: str, **settings: Any) -> Store:
        store = Store(url, logging.getLogger("tests.activity"), **settings)
        opened.append(store)
        await store.open()
        return store

    yield make
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_store: Open, database_url: str) -> Store:
    return await open_store(database_url)


@pytest.fixture
async def make_archive() -> AsyncIterator[archives.Make]:
    """Makes archives that are closed after the test."""
    made: list[Archive] = []

    def make(store: Store) -> Archive:
        made.append(Archive(store, archives.ZONE))
        return made[-1]

    yield make
    for archive in made:
        archive.close()


@pytest.fixture
async def short_store(open_store: Open, sqlite_url: str) -> Store:
    """A store that keeps sessions for a few days only."""
    return await open_store(sqlite_url, zone=archives.ZONE, retention_days=4)
