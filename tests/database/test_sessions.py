"""What the author of an app gets: sessions, in an app that a service runs."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from traitlets import Unicode

from tornado_service import APIHandler, ServiceApp, Sessions
from tornado_service.app import TornadoService
from tornado_service.database.database import open_database
from tornado_service.database.schema import Schema
from tornado_service.database.trouble import NoDatabase
from tornado_service.testing import AppError, Fetch, ServiceConfig, StandInHub, StartService

SECRET = "s3cret-of-the-database"


class Base(DeclarativeBase):
    pass


class Wish(Base):
    __tablename__ = "wishes"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class WishesAPI(APIHandler):
    app: Wishes

    def get(self) -> list[str]:
        return self.app.wishes()

    def post(self) -> None:
        with self.app.sessions.writing() as session:
            session.add(Wish(text=self.get_query_argument("text")))


class Wishes(ServiceApp):
    name = "wishes"

    database_url = Unicode(help="Where the wishes are.").tag(config=True)

    def handlers(self) -> list[tuple[Any, ...]]:
        return [("api/wishes", WishesAPI)]

    def start(self) -> None:
        self.sessions = self.open_database(Base.metadata)

    def wishes(self) -> list[str]:
        with self.sessions.reading() as session:
            return list(session.scalars(select(Wish.text).order_by(Wish.id)))


class Hasty(Wishes):
    """It opens its database on the loop."""

    async def start(self) -> None:
        self.sessions = self.open_database(Base.metadata)


class Unset(ServiceApp):
    """It has no setting that names a database."""

    name = "unset"

    def start(self) -> None:
        self.open_database(Base.metadata)


class Unready(Wishes):
    """It fails when it has opened its database."""

    opened: list[Sessions] = []

    def start(self) -> None:
        super().start()
        self.opened.append(self.sessions)
        raise ZeroDivisionError


@pytest.fixture
def service_config(database_url: str) -> ServiceConfig:
    return {
        "TornadoService": {"apps": [f"{__name__}:Wishes"]},
        "Wishes": {"database_url": database_url},
    }


@pytest.fixture
def app(service: TornadoService) -> Wishes:
    return app_of(service)


def app_of(service: TornadoService) -> Wishes:
    (mount,) = service.mounts
    assert isinstance(mount.app, Wishes)
    return mount.app


def add(app: Wishes, *texts: str) -> Wish:
    with app.sessions.writing() as session:
        session.add_all(wishes := [Wish(text=text) for text in texts])
    return wishes[-1]


def alone(url: str, name: str = "Wishes") -> dict[str, dict[str, Any]]:
    return {"TornadoService": {"apps": [f"{__name__}:{name}"]}, name: {"database_url": url}}


async def test_what_is_written_is_read_and_outlives_the_service(
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


async def test_what_was_written_is_still_known_afterwards(app: Wishes) -> None:
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
    """Each reads what there is and adds to it; none meets another halfway."""

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
        await start_service(**alone(f"sqlite:///{sqlite_file}", "Hasty"))
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
        await start_service(**alone(url))

    assert SECRET not in str(caught.value)
    told = "".join(capsys.readouterr())
    assert "c.Wishes.database_url" in told
    assert SECRET not in told


async def test_an_app_without_the_setting_is_told_to_have_one(start_service: StartService) -> None:
    with pytest.raises(AppError, match="Unset has no setting database_url"):
        await start_service(TornadoService={"apps": [f"{__name__}:Unset"]})


async def test_a_damaged_file_is_put_aside_and_said(
    start_service: StartService,
    sqlite_url: str,
    sqlite_file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sqlite_file.write_bytes(b"damaged" * 1000)

    app = app_of(await start_service(**alone(sqlite_url)))

    (put_aside,) = sqlite_file.parent.glob("data.sqlite.corrupt-*")
    assert put_aside.read_bytes() == b"damaged" * 1000
    assert f"A damaged database is now {put_aside}" in "".join(capsys.readouterr())
    assert await asyncio.to_thread(app.wishes) == []


async def test_a_file_that_is_gone_is_not_written_to_until_it_is_back(
    start_service: StartService, sqlite_url: str, sqlite_file: Path
) -> None:
    app = app_of(await start_service(**alone(sqlite_url)))
    elsewhere = sqlite_file.rename(sqlite_file.with_name("elsewhere.sqlite"))

    with pytest.raises(NoDatabase, match="moved"):
        await asyncio.to_thread(add, app, "lost")
    with pytest.raises(NoDatabase, match="moved"):
        await asyncio.to_thread(app.wishes)
    elsewhere.rename(sqlite_file)
    await asyncio.to_thread(add, app, "kept")
    assert await asyncio.to_thread(app.wishes) == ["kept"]


async def test_it_is_closed_when_the_app_stops(
    app: Wishes, service: TornadoService, sqlite_file: Path
) -> None:
    await asyncio.to_thread(add, app, "kept")

    await service.mounts.stop()

    with pytest.raises(RuntimeError, match="closed"):
        await asyncio.to_thread(app.wishes)
    assert not [*sqlite_file.parent.glob("data.sqlite-*")], "SQLite has not tidied up"


async def test_it_is_closed_when_the_app_fails_to_start(
    start_service: StartService, sqlite_url: str, sqlite_file: Path
) -> None:
    with pytest.raises(AppError, match="ZeroDivisionError"):
        await start_service(**alone(sqlite_url, "Unready"))

    with pytest.raises(RuntimeError, match="closed"):
        await asyncio.to_thread(Unready.opened.pop().reading().__enter__)
    assert [*sqlite_file.parent.iterdir()] == [sqlite_file]


def older(url: str) -> None:
    """Make the table as an earlier version of the app did."""
    earlier = MetaData()
    Wish.metadata.tables["wishes"].to_metadata(earlier)
    earlier.tables["wishes"]._columns.remove(earlier.tables["wishes"].c.text)  # type: ignore[attr-defined]
    open_database(url, Schema("c.Wishes.database_url", earlier)).close()


def upgrade(connection: Connection) -> None:
    if "text" not in {each["name"] for each in inspect(connection).get_columns("wishes")}:
        connection.exec_driver_sql("ALTER TABLE wishes ADD COLUMN text VARCHAR DEFAULT 'old'")


def test_a_table_of_another_version_is_refused(database_url: str) -> None:
    older(database_url)

    with pytest.raises(NoDatabase, match=r"wishes lacks text.*c\.Wishes\.database_url"):
        open_database(database_url, Schema("c.Wishes.database_url", Base.metadata))


def test_an_upgrade_brings_it_to_this_version(database_url: str) -> None:
    older(database_url)
    schema = Schema("c.Wishes.database_url", Base.metadata, upgrade)

    for _ in range(2):
        database = open_database(database_url, schema)
        with database.writing() as connection:
            columns = inspect(connection).get_columns("wishes")
        assert {each["name"] for each in columns} == {"id", "text"}
        database.close()


def test_an_upgrade_is_not_asked_to_make_new_tables(database_url: str) -> None:
    never: Callable[[Connection], None] = partial(pytest.fail, "upgraded")  # type: ignore[arg-type]

    open_database(database_url, Schema("c.Wishes.database_url", Base.metadata, never)).close()


def test_a_file_of_something_else_is_not_touched(sqlite_url: str, sqlite_file: Path) -> None:
    with closing(sqlite3.connect(sqlite_file)) as connection:
        connection.execute("CREATE TABLE users (id INTEGER)")
    before = sqlite_file.read_bytes()

    with pytest.raises(NoDatabase, match="belongs to something else"):
        open_database(sqlite_url, Schema("c.Wishes.database_url", Base.metadata))
    assert sqlite_file.read_bytes() == before


def test_metadata_without_tables_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="has no tables"):
        Schema("c.Wishes.database_url", MetaData())


def test_a_service_without_such_apps_loads_nothing_of_it() -> None:
    code = "import sys, tornado_service.app, tornado_service.web, tornado_service.mounts"
    code += "; print('tornado_service.database' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert ended.stdout == "False\n", ended.stderr
