"""What an app gets from the replicas of its service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table
from traitlets import Unicode

from tests.support.databases import new_postgresql, postgresql_socket
from tornado_service import AppError, ServiceApp
from tornado_service.testing import StartService

__all__ = ["new_postgresql", "postgresql_socket"]

metadata = MetaData()
notes = Table("notes", metadata, Column("id", Integer, primary_key=True))


class Notes(ServiceApp):
    name = "notes"
    database_url = Unicode().tag(config=True)

    def start(self):
        self.sessions = self.open_database(metadata)


class Plain(ServiceApp):
    name = "plain"


@pytest.fixture(autouse=True)
def shared_url(new_postgresql: Callable[[str], str]) -> str:
    """Created before all services, and so dropped after all of them."""
    return new_postgresql("postgresql+psycopg2")


@pytest.fixture
def settings(tmp_path: Path, shared_url: str) -> dict[str, Any]:
    return {
        "TornadoService": {"apps": [f"{__name__}:Notes"], "database_url": shared_url},
        "Notes": {"database_url": f"sqlite:///{tmp_path}/notes.sqlite"},
    }


async def test_sqlite_is_refused_with_several_replicas(
    settings: dict[str, Any], start_service: StartService, shared_url: str
) -> None:
    service = await start_service(**settings)
    assert service.get_app("notes").shared_database_url == shared_url
    await service.app_manager.stop()
    settings["TornadoService"]["replica_count"] = 2

    with pytest.raises(AppError, match=r"Notes\.database_url is SQLite, which replicas cannot"):
        await start_service(**settings)


async def test_the_only_process_leads_an_app_that_is_ready(start_service: StartService) -> None:
    service = await start_service(TornadoService={"apps": [f"{__name__}:Plain"]})
    app = service.get_app("plain")

    assert app.leadership is app.leadership
    assert app.leadership.is_leader
    assert app.replica_count == 1
    assert app.shared_database_url == ""


def test_an_app_without_a_service_has_no_replicas() -> None:
    app = Plain()

    assert app.replica_count == 1
    assert app.shared_database_url == ""
