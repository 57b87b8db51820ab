from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect

import tornado_service
from tests.support.databases import POSTGRESQL
from tornado_service.activity.domain.idle import observed_times
from tornado_service.activity.domain.records import (
    Account,
    Interval,
    Sample,
    ServerSnapshot,
    Session,
    UserDay,
    UserSnapshot,
    Visit,
)
from tornado_service.activity.schema import migrations, tables
from tornado_service.activity.schema.metadata import StoreMetadata
from tornado_service.activity.schema.migrations.versions import v0001_history
from tornado_service.activity.schema.upgrade import open_database
from tornado_service.activity.store.mailed_reports import Claim, claim, settle
from tornado_service.activity.store.reader import Reader
from tornado_service.activity.store.writer import add_sample
from tornado_service.database.database import Database

OPEN = """
import sys
from tornado_service.activity.schema.upgrade import open_database
database = open_database(sys.argv[1])
print(database.quarantined_file)
database.close()
"""


def test_the_migrations_make_the_tables(database: Database) -> None:
    options = {"version_table": migrations.VERSION_TABLE}
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts=options)

        assert compare_metadata(context, tables.metadata) == []


def test_the_migrations_make_them_to_the_letter() -> None:
    """Keys and SQLite's kinds of tables, which alembic does not compare."""

    def schema(connection: Connection) -> dict[str, str]:
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL")
        return {
            # where a column was added, SQLite keeps the text as it was written
            name: re.sub(r"\s+", "", sql)
            for name, sql in rows
            if name != migrations.VERSION_TABLE
        }

    with open_again("sqlite://").begin() as connection:
        migrations.upgrade(connection)
        migrated = schema(connection)
    with open_again("sqlite://").begin() as connection:
        tables.metadata.create_all(connection)
        assert schema(connection) == migrated


def test_a_second_time_changes_nothing(database_url: str) -> None:
    for _ in range(2):
        open_database(database_url).close()

    with open_again(database_url).connect() as connection:
        rows = connection.exec_driver_sql(f"SELECT * FROM {migrations.VERSION_TABLE}")
        assert rows.all() == [("0004",)]


#: The content of a database of the first version.
BEFORE = (
    "INSERT INTO activity_users VALUES (1, 'ada', 100, NULL, 150, 200)",
    "INSERT INTO activity_users VALUES (2, 'bob', 100, 7, 8, NULL)",
    "INSERT INTO activity_sessions VALUES (1, 'gpu', 90, 100, 95, 110)",
    "INSERT INTO activity_sessions VALUES (2, '', 91, 300, NULL, NULL)",
    "INSERT INTO activity_visits VALUES (3, 2)",
    "INSERT INTO activity_user_days VALUES (700000, 1, 20, 1)",
    'INSERT INTO activity_coverage ("start", "end") VALUES (100, 300), (900, 1200)',
    "INSERT INTO activity_meta VALUES ('next_user', '3'), ('last_full', '300')",
)


@pytest.fixture
def first_version(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database of the first version."""
    first = [script for script in migrations._scripts() if script.revision == "0001"]
    with monkeypatch.context() as old:
        old.setattr(migrations, "_scripts", lambda: first)
        engine = open_again(database_url)
        with engine.begin() as connection:
            migrations.upgrade(connection)
    return database_url


def test_all_data_of_an_older_version_is_kept(first_version: str) -> None:
    with open_again(first_version).begin() as connection:
        for statement in BEFORE:
            connection.exec_driver_sql(statement)

    database = open_database(first_version)
    with database.reading() as connection:
        reader = Reader(connection)
        assert reader.people() == [
            Account(1, "ada", 100, None, 150, deleted=200),
            Account(2, "bob", 100, created=7, last_activity=8),
        ]
        assert sorted(reader.sessions(0, 1000)) == [
            Session(1, "gpu", 90, last_seen=100, last_activity=95, ended=110),
            Session(2, "", 91, last_seen=300),
        ]
        assert list(reader.visits(0, 30_000)) == [Visit(2, 3)]
        assert [day.seconds for day in reader.user_days(date.min, date.max)] == [20]
        assert reader.meta() == StoreMetadata(first_full=100, last_full=300, next_user=3)
    with database.writing() as connection:
        assert add_sample(connection, Sample(1500, True, (UserSnapshot("ada"),)), 300)
    with database.reading() as connection:
        assert [account.name for account in Reader(connection).people()] == ["ada", "bob", "ada"]
    database.close()


@pytest.fixture
def second_version(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database of the version before idle time was stored, with a running server."""
    scripts = [script for script in migrations._scripts() if script.revision in ("0001", "0002")]
    with monkeypatch.context() as old:
        old.setattr(migrations, "_scripts", lambda: scripts)
        with open_again(database_url).begin() as connection:
            migrations.upgrade(connection)
            for statement in BEFORE:
                connection.exec_driver_sql(statement)
    return database_url


def test_what_was_stored_before_idle_time_is_not_known(second_version: str) -> None:
    database = open_database(second_version)
    with database.reading() as connection:
        reader = Reader(connection)
        sessions = list(reader.sessions(0, 10_000, with_idle=True))
        assert {(row.profile, row.observed, row.idle) for row in sessions} == {(None, None, None)}
        assert list(observed_times(sessions)) == []
        assert list(reader.user_days(date.min, date.max)) == [
            UserDay(date.fromordinal(700_000), 1, 20, 1, observed=0, idle=0)
        ]
    database.close()


def test_a_server_that_runs_on_is_known_from_the_upgrade_on(second_version: str) -> None:
    database = open_database(second_version)
    for taken in (1500, 1800):
        server = ServerSnapshot("", 91, 800, profile="gpu")
        sample = Sample(taken, False, (UserSnapshot("bob", 7, 8, (server,)),))
        with database.writing() as connection:
            assert add_sample(connection, sample, 300)
    with database.reading() as connection:
        sessions = list(Reader(connection).sessions(0, 10_000, {2}, with_idle=True))
        assert sessions == [Session(2, "", 91, 1800, 800, None, "gpu", "1409-1709", "1609-1709")]
        [times] = observed_times(sessions)
        assert times == (2, [Interval(1500, 1800)], [Interval(1700, 1800)])
    database.close()


def test_reports_of_an_older_version_are_mailed_from_the_last_month_on(second_version: str) -> None:
    database = open_database(second_version)
    with database.writing() as connection:
        assert claim(connection, "2026-10", 1_793_500_000) == Claim(is_given=True)
        settle(connection, "2026-10", is_mailed=True)
    with database.reading() as connection:
        meta = Reader(connection).meta()
        assert (meta.next_user, meta.last_full, meta.report_mailed) == (3, 300, "2026-10")
    database.close()


@pytest.mark.parametrize("statements", [(), BEFORE[6:7]])
def test_a_full_sample_is_not_invented_where_none_was_taken(
    first_version: str, statements: tuple[str, ...]
) -> None:
    with open_again(first_version).begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)

    database = open_database(first_version)
    with database.reading() as connection:
        assert Reader(connection).meta().first_full is None
    database.close()


@pytest.mark.parametrize("driver", POSTGRESQL)
def test_the_hubs_own_tables_and_version_are_left_alone(
    driver: str, new_postgresql: Callable[[str], str]
) -> None:
    database_url = new_postgresql(driver)
    with open_again(database_url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('4621fec11365')")
        connection.exec_driver_sql("CREATE TABLE users (id INTEGER)")

    open_database(database_url).close()

    with open_again(database_url).connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM alembic_version")
        assert rows.all() == [("4621fec11365",)]


def test_one_that_fails_halfway_leaves_nothing_behind(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(v0001_history.op, "create_index", fail)
        with pytest.raises(ZeroDivisionError):
            open_database(database_url)

    with open_again(database_url).connect() as connection:
        assert inspect(connection).get_table_names() == []
    open_database(database_url).close()


def test_two_processes_that_begin_at_once_both_get_ready(database_url: str) -> None:
    def start(_: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-c", OPEN, database_url]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    with ThreadPoolExecutor(4) as threads:
        ended = list(threads.map(start, range(3)))

    assert [(session.returncode, session.stdout) for session in ended] == [(0, "None\n")] * 3, ended
    open_database(database_url).close()


def test_they_run_from_a_zip(sqlite_url: str, tmp_path: Path) -> None:
    """They need no writable directory except the database's."""
    packed = tmp_path / "packed.zip"
    package = Path(tornado_service.__file__).parent
    with ZipFile(packed, "w") as file:
        for path in package.rglob("*.py"):
            file.write(path, path.relative_to(package.parent))
    script = f"import sys; sys.path.insert(0, {str(packed)!r})\n{OPEN}"
    script += "\nfrom tornado_service.activity.schema import migrations; print(migrations.__file__)"
    command = [sys.executable, "-W", "error", "-c", script, sqlite_url]
    environment = {"PATH": "", "TMPDIR": "/nowhere"}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/")

    assert ended.stderr == ""
    assert ended.stdout.startswith(f"None\n{packed}/")


def open_again(url: str) -> sqlalchemy.Engine:
    """With no pool: nothing stays open."""
    return create_engine(url, poolclass=sqlalchemy.NullPool)
