"""A dependency that was unavailable at the start is used soon, before the next sample."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.activity.course import app_of
from tests.support.streaming import until
from tornado_service.activity import Activity
from tornado_service.activity.collect.collector import Collector
from tornado_service.activity.store.store import HistoryState
from tornado_service.apps import retry as transient
from tornado_service.hub.errors import HubUnavailable
from tornado_service.hub.models import User
from tornado_service.hub.pagination import HubPage
from tornado_service.testing import ServiceConfig, StandInHub, StartService


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transient, "INITIAL_DELAY", 0.02)


@pytest.fixture
def service_config() -> ServiceConfig:
    return {"TornadoService": {"apps": ["tornado_service.activity:Activity"]}}


@pytest.fixture
def start(start_service: StartService, service_config: ServiceConfig, hub: StandInHub) -> Any:
    hub.directory.add_user("ada")

    async def start(url: str) -> Activity:
        service = await start_service(**service_config, Activity={"database_url": url})
        app = app_of(service)
        await until(lambda: app.recorder.collector.latest is not None)
        return app

    return start


async def kept(app: Activity) -> None:
    """Wait until the history has the user of the hub."""
    await until(
        lambda: "ada" in {account.name for account in app.recorder.archive.history.people.values()}
    )
    assert app.problem == ""


async def test_a_file_that_can_be_made_later(start, tmp_path: Path) -> None:
    app = await start(f"sqlite:///{tmp_path}/volume/activity.sqlite")
    assert app.recorder.store.condition.state is HistoryState.LIVE_ONLY

    (tmp_path / "volume").mkdir()

    await kept(app)


async def test_a_server_that_is_started_later(
    start, tmp_path: Path, new_postgresql: Callable[[str], str], postgresql_socket: Path
) -> None:
    url = new_postgresql("postgresql+psycopg2")
    app = await start(url.replace(str(postgresql_socket), str(tmp_path / "socket")))
    assert app.recorder.store.condition.state is HistoryState.LIVE_ONLY

    (tmp_path / "socket").symlink_to(postgresql_socket)

    await kept(app)


async def test_a_file_of_another_program_is_not_opened_again(
    start, sqlite_file: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(sqlite_file)) as there:
        there.execute("CREATE TABLE grades (id INTEGER)")
    app = await start(sqlite_url)
    await until(
        lambda: "Could not store the sample" in capsys.readouterr().err
    )  # by the first sample
    sqlite_file.unlink()

    await asyncio.sleep(0.3)  # fifteen times the first pause

    assert app.recorder.store.condition.state is HistoryState.LIVE_ONLY
    assert not sqlite_file.exists()


class Stumbling:
    """A hub whose first calls fail."""

    def __init__(self) -> None:
        self.asked = 0

    async def user_pages(self, state: str | None = None) -> AsyncIterator[HubPage[User]]:
        self.asked += 1
        if self.asked < 6:
            raise HubUnavailable("it is away")
        yield HubPage([], 1000)


async def test_an_unavailable_hub_is_called_again_soon() -> None:
    hub = Stumbling()
    collector = Collector(hub, 3600, logging.getLogger(__name__))
    running = asyncio.create_task(collector.run())
    await until(lambda: collector.latest is not None)
    running.cancel()
    await asyncio.wait({running})
