"""The thread that works in the shared database."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from tornado_service.database.errors import DatabaseUnavailable
from tornado_service.database.replicas.availability import Availability
from tornado_service.database.replicas.worker import Worker


class Database:
    """It is available or not, and has a record of what was done."""

    def __init__(self) -> None:
        self.is_available = True
        self.done: list[str] = []
        self.attempts = 0
        self.changed = threading.Condition()

    def prepare(self) -> None:
        if not self.is_available:
            with self.changed:
                self.attempts += 1
                self.changed.notify_all()
            raise DatabaseUnavailable("it is away")

    def do(self, name: str) -> None:
        with self.changed:
            self.done.append(name)
            self.changed.notify_all()

    def wait_for(self, number: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.done) >= number, 30)

    def wait_for_attempts(self, number: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.attempts >= number, 30)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def availability() -> Availability:
    return Availability(logging.getLogger("TornadoService"))


@pytest.fixture
def worker(database: Database, availability: Availability) -> Iterator[Worker]:
    worker = Worker(database.prepare, lambda: None, availability)
    yield worker
    worker.close()
    worker.join(30)


def test_work_is_done_in_its_order_and_again_after_an_interval(
    worker: Worker, database: Database
) -> None:
    chores = [worker.add_chore(lambda name=name: database.do(name)) for name in ("a", "b")]
    for chore in reversed(chores):
        chore.request()
    worker.start()
    database.wait_for(2)
    assert database.done == ["a", "b"]
    chores[1].request()
    database.wait_for(3)

    assert database.done == ["a", "b", "b"]


def test_work_is_repeated_after_an_interval(worker: Worker, database: Database) -> None:
    worker.add_chore(lambda: database.do("again"), 0.01)
    worker.start()

    database.wait_for(5)


def test_work_waits_for_the_database(
    worker: Worker,
    database: Database,
    availability: Availability,
    caplog: pytest.LogCaptureFixture,
) -> None:
    chore = worker.add_chore(lambda: database.do("done"))
    database.is_available = False
    worker.start()
    chore.request()
    database.wait_for_attempts(3)
    assert "it is away" in availability.problem
    with pytest.raises(DatabaseUnavailable):
        worker.call(lambda: 1).result(30)

    database.is_available = True
    database.wait_for(1)

    assert worker.call(lambda: availability.problem).result(30) == ""
    assert database.done == ["done"]
    assert caplog.text.count("is not available: it is away") == 1


def test_a_call_returns_or_raises(worker: Worker) -> None:
    worker.start()

    assert worker.call(lambda: 1).result(30) == 1
    with pytest.raises(ZeroDivisionError):
        worker.call(lambda: 1 // 0).result(30)


def test_what_is_due_is_done_at_the_end(worker: Worker, database: Database) -> None:
    chore = worker.add_chore(lambda: database.do("last"))
    chore.request()
    answer: Future[int] = worker.call(lambda: 2)
    worker.close()
    worker.start()
    worker.join(30)

    assert database.done == ["last"]
    assert answer.result(0) == 2
