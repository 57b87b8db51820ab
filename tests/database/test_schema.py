"""The tables of an app's database: upgraded to this version, or not touched."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, inspect

from tests.support.wishes import Base, Wish
from tornado_service.database.database import open_database
from tornado_service.database.errors import DatabaseUnusable
from tornado_service.database.schema import Schema


def older(url: str) -> None:
    """Make the table as an earlier version of the app did."""
    earlier = MetaData()
    Wish.metadata.tables["wishes"].to_metadata(earlier)
    earlier.tables["wishes"]._columns.remove(earlier.tables["wishes"].c.text)  # type: ignore[attr-defined]
    open_database(url, Schema("c.Wishes.database_url", earlier)).close()


def upgrade(connection: Connection) -> None:
    if "text" not in {column["name"] for column in inspect(connection).get_columns("wishes")}:
        connection.exec_driver_sql("ALTER TABLE wishes ADD COLUMN text VARCHAR DEFAULT 'old'")


def test_a_table_of_another_version_is_refused(database_url: str) -> None:
    older(database_url)

    with pytest.raises(DatabaseUnusable, match=r"wishes lacks text.*c\.Wishes\.database_url"):
        open_database(database_url, Schema("c.Wishes.database_url", Base.metadata))


def test_an_upgrade_brings_it_to_this_version(database_url: str) -> None:
    older(database_url)
    schema = Schema("c.Wishes.database_url", Base.metadata, upgrade)

    for _ in range(2):
        database = open_database(database_url, schema)
        with database.writing() as connection:
            columns = inspect(connection).get_columns("wishes")
        assert {column["name"] for column in columns} == {"id", "text"}
        database.close()


def test_an_upgrade_is_not_called_to_make_new_tables(database_url: str) -> None:
    never: Callable[[Connection], None] = partial(pytest.fail, "upgraded")  # type: ignore[arg-type]

    open_database(database_url, Schema("c.Wishes.database_url", Base.metadata, never)).close()


def test_a_file_of_another_program_is_not_touched(sqlite_url: str, sqlite_file: Path) -> None:
    with closing(sqlite3.connect(sqlite_file)) as connection:
        connection.execute("CREATE TABLE users (id INTEGER)")
    before = sqlite_file.read_bytes()

    with pytest.raises(DatabaseUnusable, match="belongs to another program"):
        open_database(sqlite_url, Schema("c.Wishes.database_url", Base.metadata))
    assert sqlite_file.read_bytes() == before


def test_metadata_without_tables_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="has no tables"):
        Schema("c.Wishes.database_url", MetaData())
