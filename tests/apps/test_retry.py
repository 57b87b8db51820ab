"""Transient errors, as real databases raise them, and the pauses between retries."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError

from tests.support.databases import POSTGRESQL
from tornado_service import HubRefused, HubResponseTooLarge, HubUnavailable
from tornado_service.apps.retry import backoff_delays, describe_error, transient_cause
from tornado_service.database.errors import DatabaseUnavailable, DatabaseUnusable

#: Statements, and whether PostgreSQL's error for each is transient.
STATEMENTS = {
    "SELECT * FROM nothing": False,
    "SELECT nothing": False,
    "SELEC 1": False,
    "SELECT 1 / 0": False,
    "INSERT INTO one VALUES (1)": False,
    "SET LOCAL transaction_read_only = on; INSERT INTO one VALUES (2)": True,
    "SET LOCAL lock_timeout = 1; SELECT * FROM held": True,
    "SET LOCAL statement_timeout = 1; SELECT pg_sleep(5)": True,
    "SET LOCAL ROLE pg_monitor; SELECT * FROM one": True,
    "SELECT pg_terminate_backend(pg_backend_pid())": True,
}


@pytest.fixture(params=POSTGRESQL)
def connection(
    request: pytest.FixtureRequest, new_postgresql: Callable[[str], str]
) -> Iterator[Connection]:
    engine = create_engine(new_postgresql(request.param))
    with engine.begin() as made:
        made.exec_driver_sql("CREATE TABLE one (id int PRIMARY KEY)")
        made.exec_driver_sql("INSERT INTO one VALUES (1)")
        made.exec_driver_sql("CREATE TABLE held (id int)")
    with engine.connect() as holder, engine.connect() as connection:
        holder.exec_driver_sql("LOCK TABLE held")
        yield connection
    engine.dispose()


def test_errors_of_postgresql(connection: Connection) -> None:
    found = {}
    for statement in STATEMENTS:
        with pytest.raises(DBAPIError) as caught:
            connection.exec_driver_sql(statement)
        connection.rollback()
        found[statement] = transient_cause(caught.value) is caught.value

    assert found == STATEMENTS


@pytest.mark.parametrize(
    ("statement", "may_pass"),
    [
        ("SELECT * FROM nothing", False),
        ("SELECT is_locked", False),
        ("SELEC 1", False),
        ("ALTER TABLE one ADD COLUMN id INTEGER", False),
        ("INSERT INTO one VALUES (1)", False),
        ("PRAGMA query_only=ON; DELETE FROM one", True),
        ("ATTACH '/nowhere/x.sqlite' AS x", True),
        ("PRAGMA max_page_count=2; CREATE TABLE two AS SELECT zeroblob(99999)", True),
    ],
)
def test_errors_of_sqlite(statement: str, may_pass: bool) -> None:
    engine = create_engine("sqlite://")
    *before, last = statement.split(";")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE one (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("INSERT INTO one VALUES (1)")
        for each in before:
            connection.exec_driver_sql(each)
        with pytest.raises(DBAPIError) as caught:
            connection.exec_driver_sql(last)
    engine.dispose()

    assert (transient_cause(caught.value) is not None) == may_pass


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    error.__cause__ = cause
    return error


LOCKED = sqlite3.OperationalError("database is locked")
MISTAKE = sqlite3.OperationalError("no such table: wishes")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (LOCKED, LOCKED),
        (raised(RuntimeError(), raised(ValueError(), LOCKED)), LOCKED),
        (raised(RuntimeError(), MISTAKE), None),
        (raised(DatabaseUnavailable("away"), MISTAKE), None),
        (raised(DatabaseUnusable("set another"), LOCKED), None),
        (HubResponseTooLarge("GET users", 1, None), None),
        (HubRefused(403, "list:users"), None),
        (OSError("a disk is full"), None),
    ],
    ids=repr,
)
def test_the_cause_decides(error: Exception, cause: Exception | None) -> None:
    assert transient_cause(error) is cause


@pytest.mark.parametrize(
    "error",
    [
        DatabaseUnavailable("away"),
        raised(DatabaseUnavailable("away"), OSError("no space")),
        HubUnavailable("away"),
        HubRefused(503, "list:users"),
    ],
    ids=repr,
)
def test_our_own_error_has_a_reason_of_one_line(error: Exception) -> None:
    assert transient_cause(error) is error
    assert len(describe_error(error).splitlines()) == 1


def test_a_cycle_of_causes_terminates() -> None:
    error = ValueError()
    error.__cause__ = raised(KeyError(), error)

    assert transient_cause(error) is None


def test_pauses_grow_up_to_the_longest() -> None:
    assert list(islice(backoff_delays(), 9)) == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert list(islice(backoff_delays(0.5), 2)) == [0.5, 0.5]
