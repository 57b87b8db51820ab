"""The connection that listens and holds the locks of a replica."""

from __future__ import annotations

import logging
import queue
import select
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from tests.support.streaming import until
from tornado_service.database.errors import DatabaseUnusable
from tornado_service.database.replicas import session as module
from tornado_service.database.replicas.availability import Availability
from tornado_service.database.replicas.notifications import check_driver
from tornado_service.database.replicas.session import Session
from tornado_service.database.replicas.stores.shared_database import SharedDatabase


class Replica:
    """A session, and what it reports."""

    def __init__(self, url: str, database: SharedDatabase) -> None:
        self.events: queue.Queue[str] = queue.Queue()
        self.availability = Availability(logging.getLogger("TornadoService"))
        self.session = Session(
            url,
            "tornado-service",
            "one",
            self.availability,
            prepare=database.prepare,
            on_connect=lambda: self.events.put("connected"),
            on_notification=self.events.put,
        )

    def next(self) -> str:
        return self.events.get(timeout=30)


@pytest.fixture
def replica(url: str, database: SharedDatabase) -> Iterator[Replica]:
    replica = Replica(url, database)
    yield replica
    replica.session.close()
    replica.session.join(30)


def terminate(database: SharedDatabase) -> None:
    """End the session, by its heartbeat."""
    statement = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE :query"
    )
    terminated = 0
    while not terminated:
        with database.writing() as connection:
            terminated = len(
                connection.execute(statement, {"query": "SELECT current_setting%"}).all()
            )


def test_it_listens_again_after_the_connection_was_lost(
    replica: Replica, database: SharedDatabase
) -> None:
    replica.session.start()
    assert replica.next() == "connected"
    for number in range(3):
        with database.writing() as connection:
            database.notify(connection, "events", number)
        assert replica.next() == f'["events", {number}]'

    terminate(database)
    assert replica.next() == "connected"
    with database.writing() as connection:
        database.notify(connection, "events", 3)
    assert replica.next() == '["events", 3]'


def test_a_notification_that_arrives_with_the_result_of_a_statement_is_passed_on_at_once(
    replica: Replica, database: SharedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no new input of the connection, for which the session waits."""
    beat, is_sent = Session._beat, threading.Event()

    def notify_and_beat(self: Session, connection: Any) -> float:
        if not is_sent.is_set():
            with database.writing() as other:
                database.notify(other, "events", 0)
            while not select.select([connection.fileno()], [], [], 1)[0]:
                pass  # the notification is there before the statement
            is_sent.set()
        beat(self, connection)
        return 3600.0

    monkeypatch.setitem(module._SETTINGS, "idle_session_timeout", 0)  # whose end is new input
    monkeypatch.setattr(module.Session, "_beat", notify_and_beat)
    replica.session.start()

    assert [replica.next(), replica.next()] == ["connected", '["events", 0]']


def test_the_server_ends_sessions_without_a_heartbeat(
    replica: Replica, database: SharedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module._SETTINGS, "idle_session_timeout", 100)
    monkeypatch.setitem(module._SETTINGS, "a_setting_of_a_later_version", 1)
    replica.session.start()

    assert [replica.next(), replica.next()] == ["connected", "connected"]


async def test_a_pooler_that_shares_sessions_is_reported(
    replica: Replica, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Another session responds than the one that was set up."""
    settle = module.Session._set_up

    def set_up(self, connection) -> None:
        settle(self, connection)
        connection.cursor().execute("RESET tornado_service.instance")

    monkeypatch.setattr(module.Session, "_set_up", set_up)
    replica.session.start()

    await until(lambda: "pool_mode = session" in replica.availability.problem)
    assert caplog.text.count("pool_mode = session") == 1
    assert replica.session.confirmed_at < 0
    assert replica.events.empty()


def test_an_old_version_of_postgresql_is_warned_of_once(
    replica: Replica,
    database: SharedDatabase,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "OLDEST_WITH_IDLE_TIMEOUT", 1000)
    monkeypatch.setitem(module._SETTINGS, "idle_session_timeout", 100)
    replica.session.start()

    assert [replica.next(), replica.next()] == ["connected", "connected"]
    assert caplog.text.count("Use PostgreSQL 1000 or newer") == 1


def test_another_driver_is_refused() -> None:
    with pytest.raises(DatabaseUnusable, match="psycopg2 or psycopg"):
        check_driver("pg8000")
