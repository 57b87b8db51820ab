"""Databases that hang, and endless statements: both are aborted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import Connection, MetaData, event, insert, select
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from tornado.httpclient import AsyncHTTPClient

from tests.database.conftest import ADA, SETTING, metadata, notices
from tests.support.outages import TERMINATE_CONNECTIONS
from tests.support.postgresql import Server
from tests.support.wishes import LIMIT, started
from tornado_service.database.database import open_database
from tornado_service.database.errors import DatabaseUnavailable
from tornado_service.database.schema import Schema
from tornado_service.testing import StandInHub, StartService

#: Seconds after which a request counts as hanging.
PATIENCE = 40

DRIVERS = ("psycopg", "psycopg2")

#: It would end after some minutes.
ENDLESS = (
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 1000000000)"
    " SELECT count(*) FROM t"
)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_server_that_hangs_delays_no_other_request_and_is_used_again_afterwards(
    driver: str,
    server: Server,
    postgresql_url: str,
    start_service: StartService,
    client: AsyncHTTPClient,
    hub: StandInHub,
) -> None:
    _, fetch = await started(start_service, client, f"postgresql+{driver}{postgresql_url}")
    token = hub.token_for("sam")
    assert (await fetch("wishes/api/wishes", token=token)).code == 200

    server.suspend()
    try:
        waiting = [
            asyncio.ensure_future(fetch("wishes/api/wishes", token=token, request_timeout=PATIENCE))
            for _ in range(30)
        ]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert (await fetch("wishes/api/time", token=token)).code == 200
        assert {response.code for response in await asyncio.gather(*waiting)} == {503}
    finally:
        server.resume()

    assert (await fetch("wishes/api/wishes", token=token)).code == 200


async def test_a_new_connection_to_a_server_that_hangs_is_given_up(
    server: Server,
    postgresql_url: str,
    start_service: StartService,
    client: AsyncHTTPClient,
    hub: StandInHub,
) -> None:
    service, fetch = await started(start_service, client, f"postgresql+psycopg2{postgresql_url}")
    (mount,) = service.app_manager
    assert mount.app
    mount.app._databases[0]._database.close()

    server.suspend()
    try:
        response = await fetch(
            "wishes/api/wishes", token=hub.token_for("sam"), request_timeout=PATIENCE
        )
        assert response.code == 503
    finally:
        server.resume()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_statement_without_end_is_broken_off(
    method: str,
    database_url: str,
    start_service: StartService,
    client: AsyncHTTPClient,
    hub: StandInHub,
) -> None:
    service, fetch = await started(start_service, client, database_url)
    token = hub.token_for("sam")
    arguments = {"method": method, "body": b"" if method == "POST" else None}

    response = await fetch(
        f"wishes/api/statement?{urlencode({'sql': ENDLESS})}",
        token=token,
        request_timeout=PATIENCE,
        **arguments,
    )

    assert response.code == 503, response.body
    assert (await fetch("wishes/api/wishes", token=token)).code == 200
    await service.app_manager.stop()


@pytest.mark.parametrize("what", ["a missing table", "a broken constraint", "no SQL"])
async def test_an_error_that_only_a_change_can_fix_is_the_apps_own(
    what: str,
    database_url: str,
    start_service: StartService,
    client: AsyncHTTPClient,
    hub: StandInHub,
    capsys: pytest.CaptureFixture[str],
) -> None:
    service, fetch = await started(start_service, client, database_url)
    sql = {
        "a missing table": "INSERT INTO nowhere VALUES (1)",
        "a broken constraint": "INSERT INTO wishes VALUES (1, NULL)",
        "no SQL": "WISH",
    }[what]

    response = await fetch(
        f"wishes/api/statement?{urlencode({'sql': sql})}",
        token=hub.token_for("sam"),
        method="POST",
        body=b"",
    )

    assert response.code == 500
    assert "Traceback" in capsys.readouterr().err
    assert [app["reason"] for app in service.app_manager.statuses()] == [""]
    await service.app_manager.stop()


def wait_a_while(connection: Connection) -> None:
    """Let the database work for longer than its limit."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_sleep({LIMIT * 1.5})")
    else:
        connection.exec_driver_sql(ENDLESS.replace("1000000000", "4000000"))


def test_a_change_of_the_tables_takes_as_long_as_it_does(database_url: str) -> None:
    schema = Schema(SETTING, metadata)
    open_database(database_url, schema).close()

    open_database(database_url, Schema(SETTING, metadata, wait_a_while), timeout=LIMIT / 4).close()


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_server_that_hangs_while_tables_are_made_is_given_up(
    driver: str, server: Server, postgresql_url: str
) -> None:
    new = MetaData()
    notices.to_metadata(new)
    event.listen(new, "before_create", lambda *_, **__: server.suspend())
    rescue = threading.Timer(PATIENCE / 4, server.resume)
    rescue.start()
    try:
        with pytest.raises(DatabaseUnavailable, match="no response"):
            open_database(
                f"postgresql+{driver}{postgresql_url}", Schema(SETTING, new), timeout=LIMIT
            )
    finally:
        rescue.cancel()
        server.resume()


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("outage", ["hangs", "ends connections"])
def test_a_cursor_at_a_server_in_an_outage_is_closed(
    driver: str, outage: str, server: Server, postgresql_url: str
) -> None:
    url = f"postgresql+{driver}{postgresql_url}"
    database = open_database(url, Schema(SETTING, metadata), timeout=LIMIT)
    rescue = threading.Timer(PATIENCE / 4, server.resume)

    def read() -> None:
        with database.reading() as connection:
            cursor: Any = connection.connection.cursor("numbers")
            cursor.execute("SELECT generate_series(1, 100)")
            assert cursor.fetchone() == (1,)
            if outage == "hangs":
                server.suspend()
            else:
                server.run(TERMINATE_CONNECTIONS)
            with pytest.raises(connection.dialect.loaded_dbapi.OperationalError):
                cursor.close()
            assert cursor.closed

    rescue.start()
    try:
        with pytest.raises(DatabaseUnavailable):
            read()
    finally:
        rescue.cancel()
        server.resume()
        database.close()


def test_waiting_for_a_connection_ends(database_url: str) -> None:
    database = open_database(database_url, Schema(SETTING, metadata), timeout=LIMIT)
    enough, over = threading.Barrier(16), threading.Event()

    def read() -> None:
        with database.reading():
            enough.wait(PATIENCE)
            over.wait(PATIENCE)

    threads = [threading.Thread(target=read) for _ in range(15)]
    for thread in threads:
        thread.start()
    enough.wait(PATIENCE)
    with pytest.raises(DatabaseUnavailable, match="QueuePool"):
        read()
    over.set()
    for thread in threads:
        thread.join()
    database.close()


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_follows_an_error_is_not_taken_to_be_kept_by_postgresql(
    driver: str, new_postgresql: Callable[[str], str]
) -> None:
    """It then treats COMMIT as ROLLBACK, silently."""
    database = open_database(new_postgresql(f"postgresql+{driver}"), Schema(SETTING, metadata))

    def write() -> None:
        with database.writing() as connection:
            connection.execute(insert(notices).values(ADA))
            with suppress(DBAPIError):
                connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(InvalidRequestError, match="nothing is kept"):
        write()
    database.close()


def test_what_follows_a_full_disk_is_not_kept_by_sqlite(sqlite_url: str) -> None:
    """It has rolled back already, so the next statements would be a separate transaction."""
    database = open_database(sqlite_url, Schema(SETTING, metadata))

    def write() -> None:
        with database.writing() as connection:
            connection.execute(insert(notices).values(ADA))
            connection.exec_driver_sql("PRAGMA max_page_count=20")
            with suppress(DBAPIError):
                connection.execute(insert(notices).values(id=2, text="x" * 200_000))
            connection.execute(insert(notices).values(id=3, text="half"))

    with pytest.raises(DatabaseUnavailable):
        write()
    with database.reading() as connection:
        assert connection.execute(select(notices)).all() == []
    database.close()


def test_using_a_session_after_a_lost_connection_raises(
    server: Server, postgresql_url: str
) -> None:
    url = f"postgresql+psycopg2{postgresql_url}"
    database = open_database(url, Schema(SETTING, metadata))

    def write(*, again: bool) -> None:
        with database.writing() as connection:
            connection.execute(insert(notices).values(ADA))
            server.run(TERMINATE_CONNECTIONS)
            with suppress(DBAPIError):
                connection.exec_driver_sql("SELECT 1")
            if again:
                connection.exec_driver_sql("SELECT 1")

    for again in (False, True):
        with pytest.raises(DatabaseUnavailable, match="lost"):
            write(again=again)
    with database.reading() as connection:
        assert connection.execute(select(notices)).all() == []
    database.close()
