"""An app whose start fails permanently is not started again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support import retried_apps
from tests.support.apps import StartApps, states
from tests.support.retried_apps import APPS
from tests.support.streaming import until
from tornado_service.testing import StartService

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.mark.parametrize(
    "way",
    ["raises", "upgrades_wrongly", "queries_a_missing_table", "hides_it"],
)
async def test_a_mistake_is_not_tried_again(
    start_apps: StartApps, sqlite_url: str, sqlite_file: Path, tmp_path: Path, way: str
) -> None:
    with closing(sqlite3.connect(sqlite_file)) as there:
        there.execute("CREATE TABLE wishes (id INTEGER PRIMARY KEY, text VARCHAR NOT NULL)")
    await not_again(start_apps, tmp_path, "Mistaken", database_url=sqlite_url, way=way)


@pytest.mark.parametrize("url", ["", "nonsense://host/name", "mysql://host/name"])
async def test_a_wrong_url_is_not_tried_again(
    start_apps: StartApps, tmp_path: Path, url: str
) -> None:
    await not_again(start_apps, tmp_path, "Kept", database_url=url)


async def test_a_file_of_another_program_is_not_tried_again(
    start_apps: StartApps, sqlite_url: str, sqlite_file: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(sqlite_file)) as there:
        there.execute("CREATE TABLE grades (id INTEGER)")
    await not_again(start_apps, tmp_path, "Kept", database_url=sqlite_url)


async def not_again(start_apps: StartApps, tmp_path: Path, name: str, **settings: Any) -> None:
    """Check that an app has failed while another is retried."""
    away = {"url": f"sqlite:///{tmp_path}/volume/x.sqlite"}
    service = await start_apps(
        f"{APPS}:{name}", f"{APPS}:OwnEngine", OwnEngine=away, **{name: settings}
    )
    await until(lambda: len(retried_apps.OwnEngine.starts) >= 4)

    assert states(service) == {name: "failed", "OwnEngine": "retrying"}
    assert len(getattr(retried_apps, name).starts) == 1


async def test_an_import_is_not_tried_again(
    start_apps: StartApps, modules: Path, tmp_path: Path
) -> None:
    (modules / "ill_app.py").write_text(
        "import sqlite3\nraise sqlite3.OperationalError('database is locked')\n"
    )
    service = await start_apps("ill_app:Ill")

    assert states(service) == {"Ill": "failed"}


async def test_what_a_failed_app_has_registered_is_not_shown(
    start_service: StartService,
) -> None:
    spec = f"{__name__}:FailsWithGauge"
    service = await start_service(load=False, TornadoService={"apps": [spec]})
    await service.app_manager.load()

    assert states(service) == {"FailsWithGauge": "failed"}
    assert b"unready" not in service.metrics.exposition()


class FailsWithGauge(retried_apps.ServiceApp):
    name = "fails-with-gauge"

    async def start(self) -> None:
        retried_apps.Gauge("unready", "Not to be shown.", registry=self.registry)
        raise ZeroDivisionError
