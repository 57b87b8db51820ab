"""The database that replicas share: its limits, and concurrent starts."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from tornado_service.database.errors import DatabaseUnavailable
from tornado_service.database.replicas.stores import shared_database
from tornado_service.database.replicas.stores.events import EventStore, Outgoing
from tornado_service.database.replicas.stores.shared_database import SharedDatabase


def test_replicas_that_start_at_once_create_the_tables(url: str) -> None:
    databases = [SharedDatabase(url, "tornado-service", str(number)) for number in range(4)]
    failures: list[BaseException] = []

    def prepare(database: SharedDatabase) -> None:
        try:
            database.prepare()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=prepare, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in databases:
        database.close()

    assert failures == []


def test_a_frozen_transaction_does_not_hold_up_other_replicas(
    database: SharedDatabase, other: SharedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_database, "IDLE_TIMEOUT", 0.2)
    channel = "live/news"
    EventStore(database).add([Outgoing(channel, 1, "message", "1")])
    is_locked = threading.Event()
    is_over = threading.Event()

    def freeze() -> None:
        with database.writing() as connection:
            connection.execute(text("UPDATE tornado_service_channels SET floor_id = 0"))
            is_locked.set()
            is_over.wait(30)
            connection.execute(text("SELECT 1"))

    def freeze_and_fail() -> None:
        with pytest.raises(DatabaseUnavailable):
            freeze()

    thread = threading.Thread(target=freeze_and_fail)
    thread.start()
    is_locked.wait(30)
    EventStore(other).add([Outgoing(channel, 1, "message", "2")])
    is_over.set()
    thread.join()

    assert len(EventStore(other).load(channel, 10, 1000).rows) == 2


def test_a_lost_connection_is_replaced(database: SharedDatabase) -> None:
    with pytest.raises(DatabaseUnavailable), database.writing() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with database.writing() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
