"""Activity's own checks of its database; tests/database has the rest."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tornado_service.activity.schema.migrations import VERSION_TABLE, NewerDatabase
from tornado_service.activity.schema.upgrade import open_database
from tornado_service.database.errors import DatabaseUnusable


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite:////nowhere/activity.sqlite"])
def test_one_that_cannot_be_used_names_the_setting(url: str) -> None:
    with pytest.raises(DatabaseUnusable, match=r"c\.Activity\.database_url"):
        open_database(url)


def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    opened = open_database(database_url)
    with opened.writing() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
        connection.exec_driver_sql("DROP TABLE activity_visits")
    opened.close()

    with pytest.raises(NewerDatabase, match="Nothing in it was changed"):
        open_database(database_url)


def test_nothing_is_imported_before_a_database_is_opened() -> None:
    """Only the named driver is needed."""
    code = "import sys, tornado_service.activity.store.store; print('psycopg' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert ended.stdout == "False\n", ended.stderr


def test_a_file_of_a_newer_version_is_not_touched(sqlite_url: str, sqlite_file: Path) -> None:
    open_database(sqlite_url).close()
    with closing(sqlite3.connect(sqlite_file)) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
        connection.commit()
    before = sqlite_file.read_bytes()

    with pytest.raises(NewerDatabase):
        open_database(sqlite_url)
    assert sqlite_file.read_bytes() == before


def test_a_file_of_another_program_is_not_touched(sqlite_url: str, sqlite_file: Path) -> None:
    with closing(sqlite3.connect(sqlite_file)) as connection:
        connection.execute("CREATE TABLE users (id INTEGER)")
    before = sqlite_file.read_bytes()

    with pytest.raises(DatabaseUnusable, match="belongs to another program"):
        open_database(sqlite_url)
    assert sqlite_file.read_bytes() == before
