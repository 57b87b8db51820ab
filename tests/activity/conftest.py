"""Databases of every kind, and the service with the history of the course."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.activity import course, postgresql
from tests.activity.course import EVERYBODY
from tests.prepare import find_postgresql
from tornado_service.activity import Activity
from tornado_service.activity.database import Database, open_database
from tornado_service.activity.store import Store
from tornado_service.app import TornadoService
from tornado_service.testing import NewVisitor, ServiceConfig, StandInHub, Visitor

# no test asserts on time
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the history of the course; copy it."""
    path = tmp_path_factory.mktemp("history") / "activity.sqlite"
    asyncio.run(course.write(path))
    return path


@pytest.fixture
def service_config(tmp_path: Path, history: Path, hub: StandInHub) -> ServiceConfig:
    shutil.copy(history, tmp_path)
    course.fill(hub)
    return course.settings(tmp_path)


@pytest.fixture
async def app(service: TornadoService) -> Activity:
    """Activity, when it has looked at the hub once; it does not look again by itself."""
    app = await course.ready(service)
    app._running.cancel()
    await asyncio.wait([app._running])
    return app


@pytest.fixture
def admin(app: Activity, hub: StandInHub, new_visitor: NewVisitor) -> Visitor:
    hub.directory.add_user("root", admin=True)
    hub.grant("root", *EVERYBODY)
    return new_visitor("root")


@pytest.fixture
def instructor(app: Activity, hub: StandInHub, new_visitor: NewVisitor) -> Visitor:
    hub.grant("ines", *course.of_group("class-a"))
    return new_visitor("ines")


Open = Callable[..., Awaitable[Store]]

POSTGRESQL = ("postgresql+psycopg", "postgresql+psycopg2")


@pytest.fixture(scope="session")
def postgresql_socket() -> Iterator[Path]:
    programs = find_postgresql()
    if not programs:
        pytest.skip(f"no PostgreSQL. On Debian, as root: {postgresql.INSTALL} && make test-6.1")
    with postgresql.running(Path(programs)) as directory:
        yield directory


@dataclass
class Disk:
    """A directory; where root runs the tests, a file system of 1 MB."""

    path: Path
    is_small: bool

    def make_read_only(self) -> None:
        if self.is_small:
            mount("-o", "remount,ro", str(self.path))
        else:
            self.path.chmod(0o555)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    path = tmp_path / "disk"
    path.mkdir()
    yield (small := Disk(path, mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path))))
    if small.is_small:
        subprocess.run(["umount", str(path)], check=True)
    path.chmod(0o755)


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True).returncode == 0


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    return tmp_path / "activity.sqlite"


@pytest.fixture
def sqlite_url(sqlite_file: Path) -> str:
    return f"sqlite:///{sqlite_file}"


@pytest.fixture
def new_postgresql(postgresql_socket: Path) -> Iterator[Callable[[str], str]]:
    """Make a database; returns its URL, for a driver."""
    names: list[str] = []

    def make(driver: str) -> str:
        names.append(f"test_{secrets.token_hex(4)}")
        with postgresql.connect(postgresql_socket) as connection:
            connection.execute(f"CREATE DATABASE {names[-1]}")
        return f"{driver}://tests@/{names[-1]}?host={postgresql_socket}"

    yield make
    with postgresql.connect(postgresql_socket) as connection:
        for name in names:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", *POSTGRESQL])
def database_url(request: pytest.FixtureRequest) -> str:
    """Of an empty database, of each kind that there is."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    return str(request.getfixturevalue("new_postgresql")(request.param))


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
