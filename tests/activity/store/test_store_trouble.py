"""Errors of a database cost one sample at most, and are logged."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from tests.activity.conftest import Open
from tests.support.activity.stored import FIVE_MINUTES, START, sample, stored_users
from tests.support.databases import POSTGRESQL, Disk
from tests.support.postgresql import Server
from tornado_service.activity.schema.migrations import VERSION_TABLE
from tornado_service.activity.schema.upgrade import SETTING
from tornado_service.activity.store.store import Condition, HistoryState, HistoryUnavailable, Store
from tornado_service.database import engine as engines


@pytest.fixture
async def used(open_store: Open, sqlite_url: str) -> Store:
    """A store with a sample of ada."""
    store = await open_store(sqlite_url)
    await store.add(sample(START, "ada"), FIVE_MINUTES)
    return store


async def test_a_database_that_comes_later_is_used_from_then_on(
    open_store: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    store = await open_store(f"sqlite:///{tmp_path}/volume/activity.sqlite")
    assert store.condition.state is HistoryState.LIVE_ONLY

    (tmp_path / "volume").mkdir()
    assert await store.add(sample(START, "ada"), FIVE_MINUTES)

    assert store.condition == Condition(HistoryState.READY)
    assert [record.levelname for record in caplog.records if "History" in record.message] == [
        "WARNING",
        "INFO",
    ]


async def test_one_of_a_newer_version_is_refused(open_store: Open, database_url: str) -> None:
    store = await open_store(database_url)
    await store.add(sample(START, "ada"), FIVE_MINUTES)
    await store.close()
    engine = engines.make_engine(database_url, SETTING)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    engine.dispose()

    store = await open_store(database_url)

    assert store.condition.state is HistoryState.REFUSED
    assert not await store.add(sample(START + 300, "bob"), FIVE_MINUTES)
    assert store.condition.state is HistoryState.REFUSED


async def test_a_damaged_one_is_put_aside_and_logged(
    open_store: Open, sqlite_url: str, sqlite_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sqlite_file.write_bytes(b"damaged" * 1000)

    store = await open_store(sqlite_url)

    (quarantined_file,) = sqlite_file.parent.glob("activity.sqlite.corrupt-*")
    assert store.condition.state is HistoryState.READY
    assert str(quarantined_file) in store.condition.reason
    assert str(quarantined_file) in caplog.text
    assert await store.add(sample(START, "ada"), FIVE_MINUTES)
    assert str(quarantined_file) in store.condition.reason


async def test_one_that_is_damaged_while_it_is_used_is_put_aside(
    used: Store, sqlite_file: Path
) -> None:
    assert used._database
    used._database.truncate_wal()  # all of it is in the file
    used._database.close()
    content = sqlite_file.read_bytes()
    sqlite_file.write_bytes(content[:4096] + b"\xa5" * 100_000)  # the same file still

    lost = await used.add(sample(START + 300, "bob"), FIVE_MINUTES)
    kept = await used.add(sample(START + 600, "bob"), FIVE_MINUTES)

    assert (lost, kept) == (False, True)
    assert await stored_users(used) == ["bob"]
    (quarantined_file,) = sqlite_file.parent.glob("activity.sqlite.corrupt-*Z")
    assert str(quarantined_file) in used.condition.reason


async def test_damage_that_only_a_reader_meets_is_put_aside(
    used: Store, open_store: Open, sqlite_url: str, sqlite_file: Path
) -> None:
    await used.close()
    with closing(sqlite3.connect(sqlite_file)) as connection:
        root = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'activity_day_totals'"
        ).fetchone()[0]
    with sqlite_file.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xa5" * 4096)
    store = await open_store(sqlite_url)
    assert store.condition == Condition(HistoryState.READY)

    with pytest.raises(HistoryUnavailable, match="malformed"):
        await store.read(lambda reader: reader.day_totals(date.min, date.max))

    assert await store.add(sample(START + 300, "bob"), FIVE_MINUTES)
    assert "corrupt" in store.condition.reason
    assert await stored_users(store) == ["bob"]


async def test_one_that_is_moved_away_is_followed_by_a_new_one(
    used: Store, sqlite_file: Path
) -> None:
    sqlite_file.rename(sqlite_file.with_name("elsewhere.sqlite"))

    assert await used.add(sample(START + 300, "bob"), FIVE_MINUTES)

    assert sqlite_file.exists()
    assert await stored_users(used) == ["bob"]


async def test_a_lock_of_another_process_costs_a_sample(
    open_store: Open,
    sqlite_url: str,
    sqlite_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(engines, "LOCK_TIMEOUT", 0.1)
    store = await open_store(sqlite_url)
    with closing(sqlite3.connect(sqlite_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not await store.add(sample(START, "ada"), FIVE_MINUTES)
        assert "locked" in store.condition.reason
        assert "database is locked" in caplog.text
        await store.maintain()

    assert await store.add(sample(START + 300, "ada"), FIVE_MINUTES)
    assert store.condition == Condition(HistoryState.READY)


async def test_a_full_disk_costs_the_current_sample(used: Store) -> None:
    """SQLite's own limit of pages simulates a full disk."""
    assert used._database
    pages = 20

    @event.listens_for(used._database._engine, "begin")
    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    crowd = [f"user-{number:04}" for number in range(2000)]
    assert not await used.add(sample(START + 300, *crowd), FIVE_MINUTES)
    assert "full" in used.condition.reason
    assert await stored_users(used) == ["ada"]

    pages = 100_000
    assert await used.add(sample(START + 600, *crowd), FIVE_MINUTES)
    assert used.condition == Condition(HistoryState.READY)
    assert len(await stored_users(used)) == 2001


async def test_a_disk_that_is_full_for_real(open_store: Open, disk: Disk) -> None:
    disk.require_small()
    store = await open_store(f"sqlite:///{disk.path}/activity.sqlite")
    assert await store.add(sample(START, "ada"), FIVE_MINUTES)
    ballast = disk.path / "ballast"
    fill(ballast)

    crowd = [f"user-{number:04}" for number in range(500)]
    assert not await store.add(sample(START + 300, *crowd), FIVE_MINUTES)
    assert not await store.add(sample(START + 600, *crowd), FIVE_MINUTES)
    assert store.condition.state is HistoryState.READY
    assert await stored_users(store) == ["ada"]

    ballast.unlink()
    assert await store.add(sample(START + 900, *crowd), FIVE_MINUTES)
    assert len(await stored_users(store)) == 501
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
    engine = engines.make_engine(url, SETTING)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    engine.dispose()

    await store.add(sample(START + 300, "bob"), FIVE_MINUTES)
    assert await store.add(sample(START + 600, "bob"), FIVE_MINUTES)
    assert await stored_users(store) == ["ada", "bob"]


@pytest.mark.parametrize("driver", POSTGRESQL)
async def test_a_postgresql_that_hangs_costs_one_sample_and_delays_no_request(
    open_store: Open, server: Server, postgresql_url: str, driver: str
) -> None:
    store = await open_store(f"{driver}{postgresql_url}", timeout=0.5)
    await store.add(sample(START, "ada"), FIVE_MINUTES)

    server.suspend()
    try:
        assert not await asyncio.wait_for(store.add(sample(START + 300, "bob"), FIVE_MINUTES), 40)
        assert "no response within 0.5 s" in store.condition.reason
        with pytest.raises(HistoryUnavailable):
            await asyncio.wait_for(stored_users(store), 40)
    finally:
        server.resume()

    assert await store.add(sample(START + 600, "bob"), FIVE_MINUTES)
    assert await stored_users(store) == ["ada", "bob"]
    assert store.condition == Condition(HistoryState.READY)
    await store.close()
