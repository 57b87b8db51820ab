from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from tests.database.conftest import ADA, SCHEMA, SETTING, notices
from tests.support.databases import POSTGRESQL, Disk
from tornado_service.database import engine
from tornado_service.database.database import Database, open_database
from tornado_service.database.errors import DatabaseUnavailable, DatabaseUnusable

SECRET = "s3cret-of-the-database"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "No database is set"),
        ("a file", "no URL of a database"),
        (f"nonsense://user:{SECRET}@host/name", "no URL of a database"),
        (f"mysql+pymysql://user:{SECRET}@host/name", "neither"),
        (f"postgresql+nonsense://user:{SECRET}@host/name", "no URL of a database"),
        (f"postgresql+pg8000://user:{SECRET}@host/name", "pg8000 .* is not installed"),
        (f"postgresql+psycopg_async://user:{SECRET}@host/name", "asyncio"),
        (f"postgresql+psycopg://user:{SECRET}@127.0.0.1:1/name", "does not respond"),
        (f"postgresql+psycopg2://user:{SECRET}@127.0.0.1:1/name", "does not respond"),
        (f"postgresql://user:a@host:{SECRET}@host/name", "percent-encoded"),
        (f"postgresql://host:{SECRET}/name", "no URL of a database"),
        ("sqlite:////nowhere/data.sqlite?timeout=long", "no URL of a database"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:////nowhere/data.sqlite", "cannot be used"),
        ("sqlite:////dev/null/data.sqlite", "cannot be used"),
        ("sqlite:////proc/data.sqlite", "cannot be used"),
    ],
)
def test_a_database_that_cannot_be_used_names_the_setting_and_no_secret(
    url: str, message: str
) -> None:
    with pytest.raises(DatabaseUnusable, match=message) as caught:
        open_database(url, SCHEMA)

    assert SETTING in str(caught.value)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in str(error)
        error = None if error.__suppress_context__ else error.__cause__ or error.__context__


def test_a_directory_that_is_read_only_names_the_setting(disk: Disk) -> None:
    url = f"sqlite:///{disk.path}/data.sqlite"
    open_database(url, SCHEMA).close()
    disk.make_read_only()

    with pytest.raises(DatabaseUnusable, match=r"cannot be used.*c\.Notices\.database_url"):
        open_database(url, SCHEMA)


@pytest.mark.parametrize("driver", POSTGRESQL)
def test_a_database_that_may_only_be_read_cannot_be_used(
    driver: str, new_postgresql: Callable[[str], str]
) -> None:
    url = new_postgresql(driver)
    opened = open_database(url, SCHEMA)
    reader = f"reader_{secrets.token_hex(4)}"
    with opened.writing() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {reader} LOGIN")
        connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}")
    try:
        with pytest.raises(DatabaseUnusable, match="permission denied"):
            open_database(url.replace("tests@", f"{reader}@"), SCHEMA)
    finally:
        with opened.writing() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {reader}")
            connection.exec_driver_sql(f"DROP ROLE {reader}")
        opened.close()


def test_a_reader_sees_one_moment_whatever_is_written(database: Database) -> None:
    names = select(notices.c.text)
    with database.reading() as reading:
        assert reading.execute(names).all() == []
        with database.writing() as writing:
            writing.execute(insert(notices).values(ADA))
        assert reading.execute(names).all() == []
    with database.reading() as reading:
        assert reading.execute(names).all() == [("ada",)]


def test_what_fails_halfway_is_not_written(database: Database) -> None:
    def fail() -> None:
        with database.writing() as connection:
            connection.execute(insert(notices).values(ADA))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.reading() as reading:
        assert reading.execute(select(notices)).all() == []


def test_two_write_one_after_the_other_and_none_waits_forever(
    database: Database, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    monkeypatch.setattr(engine, "LOCK_TIMEOUT", 0.1)
    impatient = open_database(database_url, SCHEMA)

    def write() -> None:
        with impatient.writing() as connection:
            connection.execute(insert(notices).values(ADA))

    with database.writing(), pytest.raises(DatabaseUnavailable):
        write()
    write()
    impatient.close()


def test_sqlite_lets_readers_and_the_writer_work_side_by_side(sqlite_url: str) -> None:
    opened = open_database(sqlite_url, SCHEMA)
    with opened.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
    opened.close()


def test_nothing_is_left_next_to_a_closed_file(sqlite_url: str, tmp_path: Path) -> None:
    open_database(sqlite_url, SCHEMA).close()

    assert [file.name for file in tmp_path.iterdir()] == ["data.sqlite"]


def test_a_file_that_is_moved_away_is_noticed(sqlite_url: str, tmp_path: Path) -> None:
    opened = open_database(sqlite_url, SCHEMA)
    assert opened.is_same_file

    (tmp_path / "data.sqlite").rename(tmp_path / "elsewhere.sqlite")
    assert not opened.is_same_file

    with closing(sqlite3.connect(tmp_path / "data.sqlite")) as other:
        other.execute("CREATE TABLE t (x)")
        assert not opened.is_same_file
    opened.close()


@pytest.mark.parametrize("driver", POSTGRESQL)
def test_a_writer_that_hangs_in_a_transaction_loses_the_lock(
    new_postgresql: Callable[[str], str], driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one whose process is suspended, or whose machine has vanished."""
    url = new_postgresql(driver)
    hanging, other = open_database(url, SCHEMA), open_database(url, SCHEMA)
    monkeypatch.setattr("tornado_service.database.database.IDLE_LIMIT", 0.2)

    def hang() -> None:
        with hanging.writing() as connection:
            connection.execute(insert(notices).values(ADA))
            with other.writing() as writer:  # waits for the end of the first
                assert writer.execute(select(notices)).all() == []
            connection.execute(select(notices))

    with pytest.raises(DatabaseUnavailable):
        hang()

    for database in (hanging, other):
        with database.writing() as writer:
            assert writer.execute(select(notices)).all() == []
        database.close()
