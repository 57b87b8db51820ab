from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from tests.activity.conftest import Disk, Open
from tornado_service.activity import database
from tornado_service.activity.migrations import VERSION_TABLE
from tornado_service.activity.model import Interval, Person, Sample, SeenServer, SeenUser, Session
from tornado_service.activity.privacy import pseudonyms
from tornado_service.activity.reader import Reader
from tornado_service.activity.store import Condition, State, Store, Unavailable

START = 1_772_409_600  # Monday, 2 March 2026
FIVE_MINUTES = 300
DAY = 86400


def sample(taken: int, *names: str, started: int = START - 60) -> Sample:
    """Of users who all run a server; when they were created tells them apart."""
    server = SeenServer("", started)
    users = (SeenUser(name, sum(map(ord, name)), servers=(server,)) for name in names)
    return Sample(taken, True, tuple(users))


async def people(store: Store) -> list[str]:
    return [each.name for each in await store.read(Reader.people)]


async def test_a_sample_is_kept(store: Store) -> None:
    assert store.condition == Condition(State.READY)
    assert await store.add(sample(START, "ada", "bob"), FIVE_MINUTES)
    assert await store.add(sample(START + 300, "bob"), FIVE_MINUTES)

    assert await store.read(Reader.people) == [
        Person(1, "ada", first_seen=START, created=294, deleted=START + 300),
        Person(2, "bob", first_seen=START, created=307),
    ]
    found = await store.read(lambda reader: sorted(reader.sessions(START - 60, START + DAY)))
    assert found == [
        Session(1, "", START - 60, last_seen=START, ended=START),
        Session(2, "", START - 60, last_seen=START + 300),
    ]
    assert await store.read(Reader.first_watched) == START
    assert await store.read(Reader.latest_sample) == START + 300


async def test_of_two_processes_one_keeps_the_sample(open_store: Open, database_url: str) -> None:
    first, second = await open_store(database_url), await open_store(database_url)

    kept = await asyncio.gather(
        *(store.add(sample(START, "ada"), FIVE_MINUTES) for store in (first, second))
    )

    assert sorted(kept) == [False, True]
    assert await second.add(sample(START + 300, "ada", "bob"), FIVE_MINUTES)
    assert not await first.add(sample(START + 310, "ada"), FIVE_MINUTES)
    assert await people(first) == await people(second) == ["ada", "bob"]


async def test_history_lasts(open_store: Open, database_url: str) -> None:
    store = await open_store(database_url)
    await store.add(sample(START, "ada"), FIVE_MINUTES)
    await store.close()

    store = await open_store(database_url)

    assert await people(store) == ["ada"]


async def test_a_gap_is_kept_as_a_gap(store: Store) -> None:
    for taken in (START, START + 300, START + 1050, START + 2400, START + 2100):
        await store.add(sample(taken, "ada"), FIVE_MINUTES)

    found = await store.read(lambda reader: reader.coverage(0, START + DAY))

    assert found == [Interval(START, START + 1050), Interval(START + 2100, START + 2400)]


async def test_the_loop_runs_on_while_something_is_read_or_written(store: Store) -> None:
    entered, leave = threading.Event(), threading.Event()

    def block(reader: Reader) -> str:
        entered.set()
        leave.wait()
        return "read"

    reading = asyncio.create_task(store.read(block))
    await asyncio.to_thread(entered.wait)

    assert await store.add(sample(START, "ada"), FIVE_MINUTES)
    assert await people(store) == ["ada"]  # beside one that takes long
    leave.set()
    assert await reading == "read"


async def test_what_fails_in_a_figure_is_the_figures_fault(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        await store.read(lambda reader: 1 // 0)


async def test_without_a_database_there_is_no_history_and_nothing_fails(open_store: Open) -> None:
    store = await open_store("")

    assert store.condition.state is State.LIVE_ONLY
    assert "c.Activity.database_url" in store.condition.reason
    assert not await store.add(sample(START, "ada"), FIVE_MINUTES)
    await store.maintain()
    with pytest.raises(Unavailable, match="No database is set"):
        await people(store)
    with pytest.raises(Unavailable, match="No database is set"):
        await store.forget("ada")


async def test_what_nobody_thought_of_is_the_end_of_the_history_only(
    open_store: Open, caplog: pytest.LogCaptureFixture
) -> None:
    store = await open_store("sqlite:////tmp/\0")

    assert store.condition == Condition(State.LIVE_ONLY, "ValueError: see the service's log.")
    assert "embedded null" in caplog.text


async def test_before_it_is_open_it_is_getting_ready(sqlite_url: str) -> None:
    store = Store(sqlite_url, logging.getLogger(__name__))

    assert store.condition == Condition(State.GETTING_READY)
    with pytest.raises(Unavailable, match="getting ready"):
        await people(store)
    await store.close()


async def test_a_database_that_comes_later_is_used_from_then_on(
    open_store: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    store = await open_store(f"sqlite:///{tmp_path}/volume/activity.sqlite")
    assert store.condition.state is State.LIVE_ONLY

    (tmp_path / "volume").mkdir()
    assert await store.add(sample(START, "ada"), FIVE_MINUTES)

    assert store.condition == Condition(State.READY)
    assert [each.levelname for each in caplog.records if "History" in each.message] == [
        "WARNING",
        "INFO",
    ]


async def test_one_of_a_newer_version_is_refused(open_store: Open, database_url: str) -> None:
    store = await open_store(database_url)
    await store.add(sample(START, "ada"), FIVE_MINUTES)
    await store.close()
    engine = database._make_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    engine.dispose()

    store = await open_store(database_url)

    assert store.condition.state is State.REFUSED
    assert not await store.add(sample(START + 300, "bob"), FIVE_MINUTES)
    assert store.condition.state is State.REFUSED


async def test_a_damaged_one_is_put_aside_and_said(
    open_store: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "activity.sqlite").write_bytes(b"damaged" * 1000)

    store = await open_store(f"sqlite:///{tmp_path}/activity.sqlite")

    (put_aside,) = tmp_path.glob("activity.sqlite.corrupt-*")
    assert store.condition.state is State.READY
    assert str(put_aside) in store.condition.reason
    assert str(put_aside) in caplog.text
    assert await store.add(sample(START, "ada"), FIVE_MINUTES)
    assert str(put_aside) in store.condition.reason


async def test_one_that_is_damaged_while_it_is_used_is_put_aside(
    open_store: Open, tmp_path: Path
) -> None:
    path = tmp_path / "activity.sqlite"
    store = await open_store(f"sqlite:///{path}")
    await store.add(sample(START, "ada"), FIVE_MINUTES)
    assert store._database
    store._database.erase()  # all of it is in the file
    store._database.close()
    path.write_bytes(path.read_bytes()[:4096] + b"\xa5" * 100_000)  # the same file still

    lost = await store.add(sample(START + 300, "bob"), FIVE_MINUTES)
    kept = await store.add(sample(START + 600, "bob"), FIVE_MINUTES)

    assert (lost, kept) == (False, True)
    assert await people(store) == ["bob"]
    (put_aside,) = tmp_path.glob("activity.sqlite.corrupt-*Z")
    assert str(put_aside) in store.condition.reason


async def test_damage_that_only_a_reader_meets_is_put_aside(
    open_store: Open, tmp_path: Path
) -> None:
    path = tmp_path / "activity.sqlite"
    store = await open_store(f"sqlite:///{path}")
    await store.add(sample(START, "ada"), FIVE_MINUTES)
    await store.close()
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'activity_day_totals'"
        ).fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xa5" * 4096)
    store = await open_store(f"sqlite:///{path}")
    assert store.condition == Condition(State.READY)

    with pytest.raises(Unavailable, match="malformed"):
        await store.read(lambda reader: reader.day_totals(date.min, date.max))

    assert await store.add(sample(START + 300, "bob"), FIVE_MINUTES)
    assert "corrupt" in store.condition.reason
    assert await people(store) == ["bob"]


async def test_one_that_is_moved_away_is_followed_by_a_new_one(
    open_store: Open, tmp_path: Path
) -> None:
    path = tmp_path / "activity.sqlite"
    store = await open_store(f"sqlite:///{path}")
    await store.add(sample(START, "ada"), FIVE_MINUTES)
    path.rename(tmp_path / "elsewhere.sqlite")

    assert await store.add(sample(START + 300, "bob"), FIVE_MINUTES)

    assert path.exists()
    assert await people(store) == ["bob"]


async def test_a_lock_of_another_process_costs_a_sample(
    open_store: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.1)
    store = await open_store(f"sqlite:///{tmp_path}/activity.sqlite")
    with closing(sqlite3.connect(tmp_path / "activity.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not await store.add(sample(START, "ada"), FIVE_MINUTES)
        assert "locked" in store.condition.reason
        assert "is not kept: database is locked" in caplog.text
        await store.maintain()

    assert await store.add(sample(START + 300, "ada"), FIVE_MINUTES)
    assert store.condition == Condition(State.READY)


async def test_a_full_disk_costs_the_sample_at_hand(open_store: Open, sqlite_url: str) -> None:
    """SQLite's own limit of pages stands for the disk."""
    store = await open_store(sqlite_url)
    await store.add(sample(START, "ada"), FIVE_MINUTES)
    assert store._database
    pages = 20

    @event.listens_for(store._database._engine, "begin")
    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    crowd = [f"user-{number:04}" for number in range(2000)]
    assert not await store.add(sample(START + 300, *crowd), FIVE_MINUTES)
    assert "full" in store.condition.reason
    assert await people(store) == ["ada"]

    pages = 100_000
    assert await store.add(sample(START + 600, *crowd), FIVE_MINUTES)
    assert store.condition == Condition(State.READY)
    assert len(await people(store)) == 2001


async def test_a_disk_that_is_full_for_real(open_store: Open, disk: Disk) -> None:
    if not disk.is_small:
        pytest.skip("only root can mount a small disk")
    store = await open_store(f"sqlite:///{disk.path}/activity.sqlite")
    assert await store.add(sample(START, "ada"), FIVE_MINUTES)
    ballast = disk.path / "ballast"
    fill(ballast)

    crowd = [f"user-{number:04}" for number in range(500)]
    assert not await store.add(sample(START + 300, *crowd), FIVE_MINUTES)
    assert not await store.add(sample(START + 600, *crowd), FIVE_MINUTES)
    assert store.condition.state is State.READY
    assert await people(store) == ["ada"]

    ballast.unlink()
    assert await store.add(sample(START + 900, *crowd), FIVE_MINUTES)
    assert len(await people(store)) == 501
    await store.close()


def fill(file: Path) -> None:
    """Write until the disk is full."""
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        while ballast.write(bytes(4096)):
            pass


async def test_a_postgresql_that_hangs_up_costs_a_sample_at_most(
    open_store: Open, new_postgresql: Callable[[str], str]
) -> None:
    url = new_postgresql("postgresql+psycopg2")
    store = await open_store(url)
    await store.add(sample(START, "ada"), FIVE_MINUTES)
    engine = database._make_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    engine.dispose()

    await store.add(sample(START + 300, "bob"), FIVE_MINUTES)
    assert await store.add(sample(START + 600, "bob"), FIVE_MINUTES)
    assert await people(store) == ["ada", "bob"]


async def test_days_that_are_over_are_rolled_up(store: Store) -> None:
    for taken in range(START, START + 2 * DAY + 1, DAY // 2):
        await store.add(sample(taken, "ada", started=START), DAY)
    await store.maintain()

    days = date(2026, 3, 1), date(2026, 3, 31)
    found = await store.read(lambda reader: list(reader.user_days(*days)))
    assert [(each.day.day, each.seconds, each.sessions) for each in found] == [
        (2, DAY, 1),
        (3, DAY, 0),
    ]


async def test_pseudonyms_hide_names_and_find_them(open_store: Open, database_url: str) -> None:
    store = await open_store(database_url)
    await store.add(sample(START, "ada"), FIVE_MINUTES)
    await store.close()
    store = await open_store(database_url, naming=pseudonyms(b"0123456789abcdef"))
    await store.add(sample(START + 300, "ada", "bob"), FIVE_MINUTES)

    assert await people(store) == [store.naming("ada"), store.naming("bob")]
    exported = await store.export("ada")
    assert exported
    assert len(exported["sessions"]) == 1
    assert await store.forget("ada")
    assert await store.export("ada") is None
    assert await people(store) == [store.naming("bob")]
