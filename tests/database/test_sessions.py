"""Database sessions of an app in a running service."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from tests.support.wishes import APPS, Unready, Wish, Wishes, add, app_of, settings_for
from tornado_service.app import TornadoService
from tornado_service.database.errors import DatabaseUnusable
from tornado_service.testing import AppError, Fetch, ServiceConfig, StandInHub, StartService

SECRET = "s3cret-of-the-database"


@pytest.fixture
def service_config(database_url: str) -> ServiceConfig:
    return {
        "TornadoService": {"apps": [f"{APPS}:Wishes"]},
        "Wishes": {"database_url": database_url},
    }


@pytest.fixture
def app(service: TornadoService) -> Wishes:
    return app_of(service)


async def test_written_data_is_read_and_outlives_the_service(
    fetch: Fetch, hub: StandInHub, start_service: StartService, service_config: ServiceConfig
) -> None:
    token = hub.token_for("sam")
    posted = await fetch("wishes/api/wishes?text=more", token=token, method="POST", body="")
    assert posted.code == 204
    assert (await fetch("wishes/api/wishes", token=token)).body == b'["more"]'

    again = app_of(await start_service(**service_config))
    assert await asyncio.to_thread(again.wishes) == ["more"]


async def test_what_fails_halfway_leaves_nothing(app: Wishes) -> None:
    def fail() -> None:
        with app.sessions.writing() as session:
            session.add(Wish(text="lost"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(fail)
    assert await asyncio.to_thread(app.wishes) == []


async def test_committed_objects_are_still_usable_afterwards(app: Wishes) -> None:
    wish = await asyncio.to_thread(add, app, "more")

    assert (wish.id, wish.text) == (1, "more")


async def test_a_session_for_reading_cannot_write(app: Wishes) -> None:
    def write() -> None:
        with app.sessions.reading() as session:
            session.add(Wish(text="lost"))

    with pytest.raises(DBAPIError, match=r"read-?only"):
        await asyncio.to_thread(write)
    await asyncio.to_thread(add, app, "kept")
    assert await asyncio.to_thread(app.wishes) == ["kept"]


async def test_one_reads_what_was_there_while_another_writes(app: Wishes) -> None:
    written, looked = threading.Event(), threading.Event()

    def write() -> None:
        with app.sessions.writing() as session:
            session.add(Wish(text="new"))
            session.flush()
            written.set()
            assert looked.wait(20)

    writing = asyncio.ensure_future(asyncio.to_thread(write))
    assert await asyncio.to_thread(written.wait, 20)
    assert await asyncio.to_thread(app.wishes) == []
    looked.set()
    await writing
    assert await asyncio.to_thread(app.wishes) == ["new"]


async def test_many_threads_write_side_by_side(app: Wishes) -> None:
    """Each reads the rows and adds to them; transactions are isolated."""

    def count() -> None:
        with app.sessions.writing() as session:
            number = len(session.scalars(select(Wish)).all())
            session.add(Wish(text=str(number)))

    await asyncio.gather(*(asyncio.to_thread(count) for _ in range(20)))

    assert await asyncio.to_thread(app.wishes) == [str(number) for number in range(20)]


@pytest.mark.parametrize("kind", ["reading", "writing"])
async def test_the_loop_is_refused(app: Wishes, kind: str) -> None:
    with pytest.raises(RuntimeError, match=r"`def` and not `async def`"):
        getattr(app.sessions, kind)().__enter__()


async def test_opening_on_the_loop_is_refused(
    start_service: StartService, sqlite_file: Path
) -> None:
    with pytest.raises(AppError, match=r"`def` and not `async def`"):
        await start_service(**settings_for(f"sqlite:///{sqlite_file}", "Hasty"))
    assert not sqlite_file.exists()


@pytest.mark.parametrize(
    "url",
    [
        f"nonsense://user:{SECRET}@host/name",
        f"postgresql+psycopg2://user:{SECRET}@127.0.0.1:1/name",
        "sqlite:////nowhere/wishes.sqlite",
        "",
    ],
)
async def test_a_wrong_url_fails_the_app_and_is_not_shown(
    start_service: StartService, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AppError, match=r"c\.Wishes\.database_url") as caught:
        await start_service(**settings_for(url))

    assert SECRET not in str(caught.value)
    told = "".join(capsys.readouterr())
    assert "c.Wishes.database_url" in told
    assert SECRET not in told


async def test_an_app_without_the_setting_gets_an_error_that_names_it(
    start_service: StartService,
) -> None:
    with pytest.raises(AppError, match="Unset has no setting database_url"):
        await start_service(TornadoService={"apps": [f"{APPS}:Unset"]})


async def test_a_damaged_file_is_put_aside_and_logged(
    start_service: StartService,
    sqlite_url: str,
    sqlite_file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sqlite_file.write_bytes(b"damaged" * 1000)

    app = app_of(await start_service(**settings_for(sqlite_url)))

    (quarantined_file,) = sqlite_file.parent.glob("data.sqlite.corrupt-*")
    assert quarantined_file.read_bytes() == b"damaged" * 1000
    assert f"A damaged database is now {quarantined_file}" in "".join(capsys.readouterr())
    assert await asyncio.to_thread(app.wishes) == []


async def test_a_removed_file_is_not_written_to_until_it_is_back(
    start_service: StartService, sqlite_url: str, sqlite_file: Path
) -> None:
    app = app_of(await start_service(**settings_for(sqlite_url)))
    elsewhere = sqlite_file.rename(sqlite_file.with_name("elsewhere.sqlite"))

    with pytest.raises(DatabaseUnusable, match="moved"):
        await asyncio.to_thread(add, app, "lost")
    with pytest.raises(DatabaseUnusable, match="moved"):
        await asyncio.to_thread(app.wishes)
    elsewhere.rename(sqlite_file)
    await asyncio.to_thread(add, app, "kept")
    assert await asyncio.to_thread(app.wishes) == ["kept"]


async def test_it_is_closed_when_the_app_stops(
    app: Wishes, service: TornadoService, sqlite_file: Path
) -> None:
    await asyncio.to_thread(add, app, "kept")

    await service.app_manager.stop()

    with pytest.raises(RuntimeError, match="closed"):
        await asyncio.to_thread(app.wishes)
    assert not [*sqlite_file.parent.glob("data.sqlite-*")], "SQLite has not tidied up"


async def test_it_is_closed_when_the_app_fails_to_start(
    start_service: StartService, sqlite_url: str, sqlite_file: Path
) -> None:
    with pytest.raises(AppError, match="ZeroDivisionError"):
        await start_service(**settings_for(sqlite_url, "Unready"))

    with pytest.raises(RuntimeError, match="closed"):
        await asyncio.to_thread(Unready.opened.pop().reading().__enter__)
    assert [*sqlite_file.parent.iterdir()] == [sqlite_file]


def test_a_service_without_such_apps_loads_nothing_of_it() -> None:
    code = "import sys, tornado_service.app, tornado_service.apps.manager"
    code += "; print('tornado_service.database' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert ended.stdout == "False\n", ended.stderr
