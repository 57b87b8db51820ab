"""A history in another database is the same history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.activity.conftest import Open
from tests.support.activity.course import DAY, HOUR, MONDAY, RUNS
from tests.support.activity.stored import FIVE_MINUTES, START, sample
from tornado_service.activity.schema import tables
from tornado_service.activity.schema.upgrade import open_database
from tornado_service.activity.store.copy import COPIED, CannotCopy, copy_history
from tornado_service.activity.store.reader import Reader
from tornado_service.database.database import Database


@pytest.fixture
def source(history: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{history}")
    yield opened
    opened.close()


def rows(database: Database) -> dict[str, list[Any]]:
    with database.reading() as connection:
        return {
            table.name: connection.execute(select(table).order_by(*table.primary_key)).all()
            for table in tables.metadata.sorted_tables
        }


def test_all_rows_are_in_the_copy(source: Database, database: Database) -> None:
    counts = copy_history(source, database)

    copied = rows(database)
    assert copied == rows(source)
    assert counts == {table.name: len(copied[table.name]) for table in COPIED}
    assert counts["activity_users"] == len(RUNS)
    assert all(counts[f"activity_{name}"] for name in ("sessions", "day_totals", "user_days"))


def test_a_copy_back_is_the_same(
    source: Database, new_postgresql: Callable[[str], str], tmp_path: Path
) -> None:
    there = open_database(new_postgresql("postgresql+psycopg2"))
    back = open_database(f"sqlite:///{tmp_path}/back.sqlite")

    copy_history(source, there)
    copy_history(there, back)

    assert rows(back) == rows(source)
    there.close()
    back.close()


async def test_the_copy_goes_on_as_the_history_would(
    source: Database, open_store: Open, database_url: str
) -> None:
    target = open_database(database_url)
    copy_history(source, target)
    target.close()

    store = await open_store(database_url)

    end = MONDAY + 3 * DAY
    assert await store.read(Reader.latest_sample) == end
    assert not await store.add(sample(end, "ada"), HOUR)  # there is one of this hour
    assert await store.add(sample(end + HOUR, "ada"), HOUR)


async def test_a_database_with_a_history_is_refused(
    source: Database, open_store: Open, database_url: str
) -> None:
    store = await open_store(database_url)
    await store.add(sample(START, "eve"), FIVE_MINUTES)
    target = open_database(database_url)
    before = rows(target)

    with pytest.raises(CannotCopy, match="already has a history"):
        copy_history(source, target)

    assert rows(target) == before
    target.close()


def test_a_copy_that_fails_leaves_nothing(
    source: Database, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise OSError("the network is down")

    with monkeypatch.context() as patched:
        patched.setattr("tornado_service.activity.store.copy.insert_new", broken)
        with pytest.raises(OSError, match="network"):
            copy_history(source, database)
        # as if a table had been copied in part
        patched.setattr("tornado_service.activity.store.copy.insert_new", lambda *arguments: None)
        with pytest.raises(CannotCopy, match="Not all rows of activity_coverage were copied"):
            copy_history(source, database)

    assert not any(rows(database).values())


def test_there_has_to_be_something_to_copy(database: Database, tmp_path: Path) -> None:
    empty = open_database(f"sqlite:///{tmp_path}/empty.sqlite")

    with pytest.raises(CannotCopy, match="There is no history to copy"):
        copy_history(empty, database)
    empty.close()
