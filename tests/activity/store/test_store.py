from __future__ import annotations

import asyncio
import logging
import threading
from datetime import date

import pytest

from tests.activity.conftest import Open
from tests.support.activity.stored import FIVE_MINUTES, START, sample, stored_users
from tornado_service.activity.domain.pseudonyms import pseudonyms
from tornado_service.activity.domain.records import Account, Interval, Session
from tornado_service.activity.store.reader import Reader
from tornado_service.activity.store.store import Condition, HistoryState, HistoryUnavailable, Store

DAY = 86400


async def test_a_sample_is_kept(store: Store) -> None:
    assert store.condition == Condition(HistoryState.READY)
    assert await store.add(sample(START, "ada", "bob"), FIVE_MINUTES)
    assert await store.add(sample(START + 300, "bob"), FIVE_MINUTES)

    assert await store.read(Reader.people) == [
        Account(1, "ada", first_seen=START, created=294, deleted=START + 300),
        Account(2, "bob", first_seen=START, created=307),
    ]
    sessions = await store.read(lambda reader: sorted(reader.sessions(START - 60, START + DAY)))
    assert sessions == [
        Session(1, "", START - 60, last_seen=START, ended=START),
        Session(2, "", START - 60, last_seen=START + 300),
    ]
    assert await store.read(Reader.first_observed) == START
    assert await store.read(Reader.latest_sample) == START + 300


async def test_of_two_processes_one_keeps_the_sample(open_store: Open, database_url: str) -> None:
    first, second = await open_store(database_url), await open_store(database_url)

    kept = await asyncio.gather(
        *(store.add(sample(START, "ada"), FIVE_MINUTES) for store in (first, second))
    )

    assert sorted(kept) == [False, True]
    assert await second.add(sample(START + 300, "ada", "bob"), FIVE_MINUTES)
    assert not await first.add(sample(START + 310, "ada"), FIVE_MINUTES)
    assert await stored_users(first) == await stored_users(second) == ["ada", "bob"]


async def test_history_lasts(open_store: Open, database_url: str) -> None:
    store = await open_store(database_url)
    await store.add(sample(START, "ada"), FIVE_MINUTES)
    await store.close()

    store = await open_store(database_url)

    assert await stored_users(store) == ["ada"]


async def test_a_gap_is_kept_as_a_gap(store: Store) -> None:
    for taken in (START, START + 300, START + 1050, START + 2400, START + 2100):
        await store.add(sample(taken, "ada"), FIVE_MINUTES)

    intervals = await store.read(lambda reader: reader.coverage(0, START + DAY))

    assert intervals == [Interval(START, START + 1050), Interval(START + 2100, START + 2400)]


async def test_the_loop_runs_on_while_something_is_read_or_written(store: Store) -> None:
    entered, leave = threading.Event(), threading.Event()

    def block(reader: Reader) -> str:
        entered.set()
        leave.wait()
        return "read"

    reading = asyncio.create_task(store.read(block))
    await asyncio.to_thread(entered.wait)

    assert await store.add(sample(START, "ada"), FIVE_MINUTES)
    assert await stored_users(store) == ["ada"]  # next to a slow one
    leave.set()
    assert await reading == "read"


async def test_what_fails_in_a_figure_is_the_figures_fault(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        await store.read(lambda reader: 1 // 0)


async def test_without_a_database_there_is_no_history_and_nothing_fails(
    open_store: Open, caplog: pytest.LogCaptureFixture
) -> None:
    store = await open_store("")

    assert store.condition.state is HistoryState.LIVE_ONLY
    assert "c.Activity.database_url" in store.condition.reason
    assert not await store.add(sample(START, "ada"), FIVE_MINUTES)
    await store.maintain()
    assert "is not kept" not in caplog.text  # no database is configured
    with pytest.raises(HistoryUnavailable, match="No database is set"):
        await stored_users(store)
    with pytest.raises(HistoryUnavailable, match="No database is set"):
        await store.forget("ada")


async def test_an_unexpected_error_ends_only_the_history(
    open_store: Open, caplog: pytest.LogCaptureFixture
) -> None:
    store = await open_store("sqlite:////tmp/\0")

    assert store.condition == Condition(
        HistoryState.LIVE_ONLY, "ValueError: see the service's log."
    )
    assert "embedded null" in caplog.text


async def test_before_it_is_open_it_is_getting_ready(sqlite_url: str) -> None:
    store = Store(sqlite_url, logging.getLogger(__name__))

    assert store.condition == Condition(HistoryState.GETTING_READY)
    with pytest.raises(HistoryUnavailable, match="getting ready"):
        await stored_users(store)
    await store.close()


async def test_days_that_are_over_are_rolled_up(store: Store) -> None:
    for taken in range(START, START + 2 * DAY + 1, DAY // 2):
        await store.add(sample(taken, "ada", started=START), DAY)
    await store.maintain()

    days = date(2026, 3, 1), date(2026, 3, 31)
    rows = await store.read(lambda reader: list(reader.user_days(*days)))
    assert [(row.day.day, row.seconds, row.sessions) for row in rows] == [
        (2, DAY, 1),
        (3, DAY, 0),
    ]


async def test_pseudonyms_hide_names_and_find_them(open_store: Open, database_url: str) -> None:
    store = await open_store(database_url)
    await store.add(sample(START, "ada"), FIVE_MINUTES)
    await store.close()
    store = await open_store(database_url, map_name=pseudonyms(b"0123456789abcdef"))
    await store.add(sample(START + 300, "ada", "bob"), FIVE_MINUTES)

    assert await stored_users(store) == [store.map_name("ada"), store.map_name("bob")]
    exported = await store.export("ada")
    assert exported
    assert len(exported["sessions"]) == 1
    assert await store.forget("ada")
    assert await store.export("ada") is None
    assert await stored_users(store) == [store.map_name("bob")]
