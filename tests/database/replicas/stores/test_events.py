"""The events of channels in PostgreSQL."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select, text

from tornado_service.database.replicas.stores import events as module
from tornado_service.database.replicas.stores.events import EventStore, Outgoing
from tornado_service.database.replicas.stores.shared_database import SharedDatabase
from tornado_service.database.replicas.stores.tables import events

CHANNEL = "live/news"
LARGE = 10**9


@pytest.fixture
def store(database: SharedDatabase) -> EventStore:
    return EventStore(database)


def outgoing(*numbers: int, channel: str = CHANNEL, data: str = "1") -> list[Outgoing]:
    return [Outgoing(channel, number, "message", data) for number in numbers]


def count(database: SharedDatabase) -> int | None:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(events))


def test_a_new_channel_is_empty(store: EventStore) -> None:
    rows = store.load(CHANNEL, 10, LARGE)

    assert rows.rows == []
    assert rows.floor_id == rows.last_id > 10**15


def test_events_follow_each_other(store: EventStore) -> None:
    start = store.load(CHANNEL, 10, LARGE).last_id
    store.add([Outgoing(CHANNEL, 1, "wünsche", '{"a":1}'), *outgoing(2), *outgoing(3, channel="x")])
    store.add(outgoing(4))

    rows = store.read(CHANNEL, start)
    ids = [row.id for row in rows.rows]

    assert [(row.name, row.data) for row in rows.rows] == [
        ("wünsche", '{"a":1}'),
        ("message", "1"),
        ("message", "1"),
    ]
    assert start < ids[0] < ids[1] < ids[2] == rows.last_id
    assert rows.floor_id == start
    assert store.read(CHANNEL, ids[1]).rows == rows.rows[2:]
    assert store.read(CHANNEL, ids[2]).rows == []
    assert store.load(CHANNEL, 10, LARGE) == rows


def test_only_the_last_ones_are_loaded(store: EventStore) -> None:
    store.add(outgoing(*range(1, 11), data='"12345678"'))
    ids = [row.id for row in store.load(CHANNEL, 10, LARGE).rows]

    by_number = store.load(CHANNEL, 4, LARGE)
    by_size = store.load(CHANNEL, 10, 35)

    assert [row.id for row in by_number.rows] == ids[6:]
    assert by_number.floor_id == ids[5]
    assert [row.id for row in by_size.rows] == ids[7:]
    assert by_size.floor_id == ids[6]


def test_many_are_read_in_pages(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 3)
    start = store.load(CHANNEL, 10, LARGE).last_id
    store.add(outgoing(1, 2, 3, 4))

    first = store.read(CHANNEL, start)
    second = store.read(CHANNEL, first.last_id)

    assert (len(first.rows), first.is_complete) == (3, False)
    assert (len(second.rows), second.is_complete) == (1, True)


def test_one_that_is_there_already_is_not_added_again(store: EventStore, database) -> None:
    store.add(outgoing(1, 2))
    store.add(outgoing(1, 2, 3))

    assert count(database) == 3
    assert len(store.load(CHANNEL, 10, LARGE).rows) == 3


def test_what_follows_a_gap_is_a_new_beginning(store: EventStore) -> None:
    store.add(outgoing(1, 2))
    before = store.load(CHANNEL, 10, LARGE)
    store.add([*outgoing(4), outgoing(5)[0]._replace(follows_gap=True), *outgoing(6)])

    rows = store.read(CHANNEL, before.last_id)

    assert len(rows.rows) == 2
    assert before.last_id < rows.floor_id < rows.rows[0].id
    assert rows.floor_id == rows.rows[0].id - 1


def test_surplus_events_are_deleted(store: EventStore, database: SharedDatabase) -> None:
    store.add(outgoing(*range(1, 11)))
    store.add(outgoing(11, channel="live/other"))
    before = store.load(CHANNEL, 10, LARGE)

    store.prune(CHANNEL, 10, LARGE)
    assert count(database) == 11
    store.prune(CHANNEL, 7, LARGE)
    assert count(database) == 8
    store.prune(CHANNEL, 7, 4)

    after = store.load(CHANNEL, 10, LARGE)
    assert after.rows == before.rows[6:]
    assert after.floor_id == before.rows[5].id
    assert after.last_id == before.last_id
    assert count(database) == 5


def test_old_events_are_deleted(store: EventStore, database: SharedDatabase) -> None:
    store.add(outgoing(1, 2))
    with database.writing() as connection:
        connection.execute(
            text("UPDATE tornado_service_events SET sent_at = now() - interval '2 days'")
        )
    store.add(outgoing(3))
    before = store.load(CHANNEL, 10, LARGE)

    store.prune_old()

    after = store.load(CHANNEL, 10, LARGE)
    assert after.rows == before.rows[2:]
    assert after.floor_id == before.rows[1].id


def test_replicas_add_in_the_order_of_commits(
    store: EventStore, database: SharedDatabase, other: SharedDatabase
) -> None:
    """A reader that has seen an id never finds a smaller one later."""
    start = store.load(CHANNEL, 10, LARGE).last_id
    seen: list[int] = []

    def add(adder: EventStore) -> None:
        for number in range(1, 41):
            adder.add([*outgoing(2 * number, channel="live/z"), *outgoing(2 * number + 1)])

    adders = [
        threading.Thread(target=add, args=(EventStore(replica),)) for replica in (database, other)
    ]
    for adder in adders:
        adder.start()
    after = start
    while len(seen) < 80:
        rows = store.read(CHANNEL, after)
        seen += [row.id for row in rows.rows]
        after = rows.last_id
    for adder in adders:
        adder.join()

    assert seen == sorted(seen)
    assert [row.id for row in store.load(CHANNEL, 100, LARGE).rows] == seen
