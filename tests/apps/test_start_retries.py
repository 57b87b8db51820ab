"""An app whose start fails with a transient error is started again; others are not."""

from __future__ import annotations

import asyncio
import json
import secrets
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support import postgresql, retried_apps
from tests.support.apps import StartApps, reasons, states
from tests.support.databases import Disk
from tests.support.retried_apps import APPS
from tests.support.streaming import metric, until
from tests.support.wishes import Base
from tornado_service.app import TornadoService
from tornado_service.apps import retry as transient
from tornado_service.database import engine as engines
from tornado_service.doctor.diagnosis import check_apps, fetch_status
from tornado_service.hub import client as hubs
from tornado_service.selfcheck.findings import Finding
from tornado_service.testing import BROWSER, PREFIX, AppError, StandInHub, StartService

pytestmark = pytest.mark.usefixtures("impatient")

Start = Callable[..., Awaitable[TornadoService]]


@pytest.fixture
def start(start_apps: StartApps) -> Start:
    """Start the service with one of the apps."""

    async def start(name: str, **settings: Any) -> TornadoService:
        return await start_apps(f"{APPS}:{name}", **{name: settings})

    return start


async def tried(service: TornadoService, name: str, times: int = 3) -> None:
    """Wait until an app's start has failed so often."""
    await until(lambda: len(getattr(retried_apps, name).starts) >= times)
    assert states(service) == {name: "retrying"}


async def ready(service: TornadoService, name: str) -> None:
    await until(lambda: states(service)[name] == "ready")
    assert reasons(service)[name] == ""


async def test_a_database_that_comes_later(
    start: Start, tmp_path: Path, hub: StandInHub, client, capsys: pytest.CaptureFixture[str]
) -> None:
    """Responses meanwhile, and the log."""
    service = await start("Kept", database_url=f"sqlite:///{tmp_path}/volume/wishes.sqlite")
    ada, sam = hub.token_for("ada", ("read:hub",), admin=True), hub.token_for("sam")

    async def get(path: str, token: str, **headers: str):
        return await client.fetch(
            f"http://127.0.0.1:{service.port}{PREFIX}{path}",
            headers={"Authorization": f"token {token}", **headers},
            raise_error=False,
        )

    await tried(service, "Kept")
    response = await get("wishes/api/wishes", sam)
    assert (response.code, response.headers["Retry-After"]) == (503, "5")
    assert "volume" not in response.body.decode()
    page = (await get("wishes/", sam, **BROWSER)).body.decode()
    assert 'data-retry-after="5"' in page
    checks = json.loads((await get("health/ready", sam)).body)["checks"]
    assert checks["app wishes"] == "not ready"
    status = json.loads((await get("api/status", ada)).body)
    assert status["status"] == "wrong"
    assert status["apps"][0]["state"] == "retrying"
    assert "volume/wishes.sqlite cannot be used" in status["apps"][0]["reason"]
    assert "retrying" in (await get("status", ada)).body.decode()
    assert metric(service, "apps", state="retrying") == 1
    assert "volume/wishes.sqlite" in (await doctor_finding(service)).message

    (tmp_path / "volume").mkdir()
    await ready(service, "Kept")

    assert (await get("wishes/api/wishes", sam)).body == b"[]"
    assert (await get("health/ready", sam)).code == 200
    assert json.loads((await get("api/status", ada)).body)["apps"][0]["reason"] == ""
    assert (metric(service, "apps", state="retrying"), metric(service, "apps", state="ready")) == (
        0,
        1,
    )
    reported = [line for line in capsys.readouterr().err.splitlines() if "App " in line]
    assert len(reported) == 2, reported
    assert "cannot start yet, and is tried again" in reported[0]
    assert "App wishes is ready" in reported[1]


async def doctor_finding(service: TornadoService) -> Finding:
    process = Finding("process", "ok", "")
    return check_apps(*await fetch_status(service.checked_setup(), process))


async def test_each_try_has_an_instance_of_its_own(start: Start, tmp_path: Path) -> None:
    service = await start("Kept", database_url=f"sqlite:///{tmp_path}/volume/wishes.sqlite")
    await tried(service, "Kept")
    (tmp_path / "volume").mkdir()
    await ready(service, "Kept")

    starts = retried_apps.Kept.starts
    (mount,) = service.app_manager
    assert len({id(app) for app in starts}) == len(starts)
    assert mount.app is starts[-1]


async def test_what_a_try_has_opened_is_closed(start: Start, tmp_path: Path) -> None:
    """Databases, and gauges that query them; each try has its own."""
    service = await start(
        "Two",
        database_url=f"sqlite:///{tmp_path}/wishes.sqlite",
        second_url=f"sqlite:///{tmp_path}/volume/more.sqlite",
    )
    await tried(service, "Two")
    opened = retried_apps.Two.opened[:2]
    for sessions in opened:
        with pytest.raises(RuntimeError, match="closed"):
            await asyncio.to_thread(sessions.reading().__enter__)
    (tmp_path / "volume").mkdir()
    await ready(service, "Two")

    assert b"\nwishes 0.0\n" in await asyncio.to_thread(service.metrics.exposition)


async def test_handlers_that_need_the_database(start: Start, tmp_path: Path) -> None:
    service = await start("InHandlers", database_url=f"sqlite:///{tmp_path}/volume/w.sqlite")
    await tried(service, "InHandlers")
    (tmp_path / "volume").mkdir()
    await ready(service, "InHandlers")


async def test_a_locked_file(start: Start, sqlite_url: str, sqlite_file: Path) -> None:
    with closing(sqlite3.connect(sqlite_file, isolation_level=None)) as other:
        other.execute("CREATE TABLE wishes (id INTEGER PRIMARY KEY, text VARCHAR NOT NULL)")
        other.execute("BEGIN EXCLUSIVE")
        service = await start("Kept", database_url=sqlite_url)
        await tried(service, "Kept")
        assert "locked" in reasons(service)["Kept"]
        other.execute("ROLLBACK")
        await ready(service, "Kept")


async def test_a_file_system_that_is_read_only(disk: Disk, start: Start) -> None:
    disk.make_read_only()
    service = await start("Kept", database_url=f"sqlite:///{disk.path}/wishes.sqlite")
    await tried(service, "Kept")
    disk.make_writable()
    await ready(service, "Kept")


@pytest.fixture(params=["postgresql+psycopg", "postgresql+psycopg2"])
def driver(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_server_that_is_started_later(
    start: Start,
    new_postgresql: Callable[[str], str],
    tmp_path: Path,
    postgresql_socket: Path,
    driver: str,
) -> None:
    url = new_postgresql(driver).replace(str(postgresql_socket), str(tmp_path / "socket"))
    service = await start("Kept", database_url=url)
    await tried(service, "Kept")
    assert "does not respond" in reasons(service)["Kept"]
    (tmp_path / "socket").symlink_to(postgresql_socket)
    await ready(service, "Kept")


async def test_a_password_that_is_corrected(
    start: Start,
    new_postgresql: Callable[[str], str],
    postgresql_socket: Path,
    driver: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    password = secrets.token_hex(8)
    with postgresql.requiring_password(postgresql_socket) as (role, set_password):
        set_password("another")
        url = new_postgresql(driver).replace("//tests@", f"//{role}:{password}@")
        service = await start("Kept", database_url=url)
        await tried(service, "Kept")
        assert "password authentication failed" in reasons(service)["Kept"]
        set_password(password)
        await ready(service, "Kept")
        await service.app_manager.stop()
    assert password not in capsys.readouterr().err


async def test_a_right_that_is_granted_later(
    start: Start, new_postgresql: Callable[[str], str], postgresql_socket: Path, driver: str
) -> None:
    url = new_postgresql(driver)
    name = url.rpartition("/")[0].rpartition("?")[0].rpartition("/")[2]
    with postgresql.connect(postgresql_socket) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        service = await start("Kept", database_url=url)
        await tried(service, "Kept")
        connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    await ready(service, "Kept")


@pytest.mark.parametrize("fault", ["error", "cut"])
async def test_an_unavailable_hub(start_apps: StartApps, hub: StandInHub, fault: str) -> None:
    hub.service_scopes |= {"list:users"}
    hub.directory.add_user("sam")
    hub.fault = fault
    service = await start_apps(f"{APPS}:AsksHub", HubClient={"breaker_pause": 0.1})
    await tried(service, "AsksHub")
    assert reasons(service)["AsksHub"].startswith("JupyterHub does not respond: ")
    hub.fault = None
    await ready(service, "AsksHub")

    (mount,) = service.app_manager
    assert mount.app.names == ["sam"]


async def test_a_scope_that_is_granted_later(
    start: Start, hub: StandInHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "REFUSED_SCOPE_MAX_AGE", 0)
    hub.service_scopes.clear()
    service = await start("AsksHub")
    await tried(service, "AsksHub")
    assert "needs the scope list:users" in reasons(service)["AsksHub"]
    hub.service_scopes.add("list:users")
    await ready(service, "AsksHub")


@pytest.mark.parametrize("way", ["plain", "from", "while", "driver"])
async def test_a_database_of_an_authors_own(start: Start, tmp_path: Path, way: str) -> None:
    service = await start("OwnEngine", url=f"sqlite:///{tmp_path}/volume/x.sqlite", way=way)
    await tried(service, "OwnEngine")
    assert "unable to open database file" in reasons(service)["OwnEngine"]
    assert "\n" not in reasons(service)["OwnEngine"]
    (tmp_path / "volume").mkdir()
    await ready(service, "OwnEngine")


async def test_a_stop_does_not_wait_for_the_next_try(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transient, "INITIAL_DELAY", 3600)
    service = await start("Kept", database_url=f"sqlite:///{tmp_path}/volume/wishes.sqlite")
    await tried(service, "Kept", 1)

    await asyncio.wait_for(service.app_manager.stop(), 10)
    (tmp_path / "volume").mkdir()

    assert len(retried_apps.Kept.starts) == 1


async def test_a_new_reason_is_logged(
    start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A repeated reason is not logged, a new one is."""
    file = tmp_path / "volume/wishes.sqlite"
    service = await start("Kept", database_url=f"sqlite:///{file}")
    await tried(service, "Kept")
    with closing(sqlite3.connect(tmp_path / "other.sqlite", isolation_level=None)) as other:
        engine = engines.make_engine(f"sqlite:///{tmp_path}/other.sqlite", "")
        Base.metadata.create_all(engine)
        engine.dispose()
        other.execute("BEGIN EXCLUSIVE")
        file.parent.mkdir()
        file.symlink_to(tmp_path / "other.sqlite")
        await until(lambda: "locked" in reasons(service)["Kept"])
        await tried(service, "Kept", len(retried_apps.Kept.starts) + 2)
    await ready(service, "Kept")

    reported = [line for line in capsys.readouterr().err.splitlines() if "App " in line]
    assert ["No such file" in reported[0], "locked" in reported[1], "ready" in reported[2]] == [
        True
    ] * 3
    assert len(reported) == 3


async def test_a_test_of_an_author_fails_at_once(
    start_service: StartService, tmp_path: Path
) -> None:
    with pytest.raises(AppError, match=r"volume/w\.sqlite cannot be used"):
        await start_service(
            TornadoService={"apps": [f"{APPS}:Kept"]},
            Kept={"database_url": f"sqlite:///{tmp_path}/volume/w.sqlite"},
        )
