from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from tornado_service.activity.domain.records import Interval, Session, UserDay, Visit
from tornado_service.activity.schema import tables
from tornado_service.activity.store import reader as reader_module
from tornado_service.activity.store.reader import Reader
from tornado_service.database.database import Database

HOUR = 3600
DAY = date(2026, 3, 2)


@pytest.fixture
def fill(database: Database) -> Any:
    """Put rows into a table; there are users 1 to 5."""

    def fill(table: Any, *rows: tuple[Any, ...]) -> None:
        names = table.c.keys()  # those at the end are null if they are not given
        with database.writing() as connection:
            connection.execute(insert(table), [dict(zip(names, row, strict=False)) for row in rows])

    fill(tables.users, *((number, f"user-{number}", 0, None, None, None) for number in range(1, 6)))
    return fill


@pytest.fixture
def reader(database: Database) -> Iterator[Reader]:
    with database.reading() as connection, closing(Reader(connection)) as reader:
        yield reader


def test_an_empty_database_has_nothing(reader: Reader) -> None:
    assert reader.people() == []
    assert list(reader.sessions(0, 2**42)) == []
    assert reader.coverage(0, 2**42) == []
    assert (reader.first_observed(), reader.latest_sample()) == (None, None)
    assert (reader.meta().rolled, reader.meta().sessions_from) == (None, None)


def test_sessions_with_a_part_in_an_interval(fill: Any, database: Database) -> None:
    fill(
        tables.sessions,
        (1, "", 10, 90, None, 99),  # before
        (1, "", 20, 90, None, 100),  # ends as it begins
        (1, "", 30, 90, None, 101),
        (1, "", 100, 100, None, 100),  # of no length, in it
        (1, "", 150, 160, None, None),
        (2, "", 40, 90, None, None),  # seen before
        (2, "", 50, 110, None, None),
        (2, "", 199, 900, None, 900),
        (2, "", 200, 900, None, 900),  # after
    )
    with database.reading() as connection:
        sessions = sorted(Reader(connection).sessions(100, 200))
        assert [(session.user, session.started) for session in sessions] == [
            (1, 30),
            (1, 100),
            (1, 150),
            (2, 50),
            (2, 199),
        ]
        assert sessions[0] == Session(1, "", 30, last_seen=90, ended=101)
        assert {session.user for session in Reader(connection).sessions(0, 999, {2, 3})} == {2}


def test_visits_in_an_hour_with_a_part_in_it(fill: Any, database: Database) -> None:
    fill(tables.visits, (1, 1), (2, 1), (2, 2), (3, 1))
    with database.reading() as connection:
        reader = Reader(connection)
        assert sorted(reader.visits(HOUR, 3 * HOUR)) == [Visit(1, 1), Visit(1, 2), Visit(2, 2)]
        assert list(reader.visits(HOUR + 1800, 2 * HOUR)) == [Visit(1, 1)]
        assert list(reader.visits(0, 9 * HOUR, [2])) == [Visit(2, 2)]


def test_coverage_that_overlaps(fill: Any, database: Database) -> None:
    fill(tables.coverage, (0, 100), (150, 250), (300, 400))
    with database.reading() as connection:
        reader = Reader(connection)
        assert reader.coverage(100, 300) == [Interval(150, 250)]
        assert reader.coverage(99, 301) == [
            Interval(0, 100),
            Interval(150, 250),
            Interval(300, 400),
        ]
        assert (reader.first_observed(), reader.latest_sample()) == (0, 400)


def test_days_come_in_order_and_whole(fill: Any, database: Database) -> None:
    first = DAY.toordinal()
    fill(tables.user_days, *((first + d, u, 60, 1) for d in (2, 0, 1, 3) for u in (3, 1, 2)))
    with database.reading() as connection:
        rows = list(Reader(connection).user_days(DAY, DAY + timedelta(2)))
    assert rows == [UserDay(DAY + timedelta(d), u, 60, 1) for d in (0, 1, 2) for u in (1, 2, 3)]


def test_a_class_of_thousands_can_be_queried(fill: Any, database: Database) -> None:
    fill(tables.user_days, (DAY.toordinal(), 1, 60, 1), (DAY.toordinal(), 2, 60, 1))
    with database.reading() as connection:
        reader = Reader(connection)
        rows = list(reader.user_days(DAY, DAY, range(2, 50_000)))
        assert [row.user for row in rows] == [2]
        assert list(reader.user_days(DAY, DAY, [])) == []


def test_two_may_be_read_at_a_time_and_none_to_its_end(fill: Any, database: Database) -> None:
    fill(tables.user_days, *((DAY.toordinal(), user, 60, 1) for user in range(1, 6)))
    with database.reading() as connection, closing(Reader(connection)) as reader:
        one, other = reader.user_days(DAY, DAY), reader.user_days(DAY, DAY)
        assert [next(one), next(other), next(one)] == [
            UserDay(DAY, 1, 60, 1),
            UserDay(DAY, 1, 60, 1),
            UserDay(DAY, 2, 60, 1),
        ]


def test_what_was_not_read_to_its_end_ends_with_the_reader(
    fill: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "FETCH_SIZE", 1)
    fill(tables.user_days, *((DAY.toordinal(), user, 60, 1) for user in range(1, 6)))
    with database.reading() as connection:
        with closing(Reader(connection)) as reader:
            days = reader.user_days(DAY, DAY)
            assert next(days) == UserDay(DAY, 1, 60, 1)

        with pytest.raises(DBAPIError, match="closed"):
            next(days)
