"""Several replicas with one PostgreSQL database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
from sqlalchemy import text

from tests.support.databases import POSTGRESQL, new_postgresql, postgresql_socket
from tests.support.replicas import replica
from tests.support.streaming import until
from tornado_service import DatabaseUnavailable
from tornado_service.config.checks import ConfigError
from tornado_service.streaming.replica_setup import make_replicas
from tornado_service.streaming.replicas import LocalReplicas, Replicas

__all__ = ["new_postgresql", "postgresql_socket"]


@pytest.fixture(params=POSTGRESQL)
def url(request: pytest.FixtureRequest, new_postgresql: Callable[[str], str]) -> str:
    return new_postgresql(request.param)


@pytest.fixture
async def one(url: str) -> AsyncIterator[Replicas]:
    async with replica(url) as replicas:
        yield replicas


@pytest.fixture
async def two(url: str) -> AsyncIterator[Replicas]:
    async with replica(url) as replicas:
        yield replicas


def texts(channel, start: int = 1) -> list[str]:
    return [event.data for event in channel.read(start, 10**6)]


async def test_a_sign_out_is_known_everywhere(one, two, url) -> None:
    await one.publish_sign_outs([b"a" * 32, b"b" * 32])
    await until(lambda: len(two.signed_out) == 2)

    assert two.signed_out == [b"a" * 32, b"b" * 32]
    async with replica(url) as later:
        assert sorted(later.signed_out) == [b"a" * 32, b"b" * 32]
    async with replica(url, "other-service") as other:
        assert other.signed_out == []


async def test_one_replica_leads_at_a_time_and_the_next_takes_over(one, two) -> None:
    loop = asyncio.get_running_loop()
    first, second = one.leadership("activity"), two.leadership("activity")
    seen: list[bool] = []
    second.subscribe(seen.append)
    first.activate(loop)
    await first.wait_until()
    second.activate(loop)
    await until(lambda: second.leader == one.instance)
    assert not second.is_leader
    term = first.term

    first.may_lead = False
    assert not first.is_leader
    await second.wait_until()

    assert second.term > term > 0
    assert two.leaders == {"activity": two.instance}
    first.may_lead = True
    second.close()
    await first.wait_until()
    assert not second.is_leader
    assert first.term > term
    assert seen == [True]


async def test_replicas_have_the_same_events_in_the_same_order(one, two) -> None:
    first, second = one.channel("live", "news", 1000), two.channel("live", "news", 1000)
    other = two.channel("live", "other", 1000)

    for number in range(50):
        first.send(f"one {number}")
        second.send({"two": number}, event="report")
    other.send("other")
    await until(lambda: first.end_offset == second.end_offset == 101)
    await until(lambda: other.end_offset == 2)

    assert texts(first) == texts(second)
    assert [event.encoded for event in first.read(1, 10**6)] == [
        event.encoded for event in second.read(1, 10**6)
    ]
    assert [text for text in texts(first) if isinstance(text, str)] == [
        f"one {number}" for number in range(50)
    ]
    assert texts(other) == ["other"]


async def test_an_app_that_sends_as_fast_as_the_database_stores_holds_up_nothing_else(
    one, two, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, store = one.channel("live", "news", 10), one._events
    add = store.add

    def add_and_send(outgoing) -> None:
        add(outgoing)
        channel.send("and another")

    monkeypatch.setattr(store, "add", add_and_send)
    channel.send("first")

    try:
        await until(lambda: channel.end_offset > 10)  # its own listeners have them, too
        await one.publish_sign_outs([b"a" * 32])
        await until(lambda: two.signed_out == [b"a" * 32])
        await one.claim("live", "zone", "UTC").wait_until()
    finally:
        monkeypatch.undo()


async def test_what_follows_an_event_is_the_same_on_all_replicas(one, two, url) -> None:
    first = one.channel("live", "news", 10)
    await first.ready("")
    start = first.last_event_id(first.end_offset)
    for number in range(10):
        first.send(number)
    await until(lambda: first.end_offset == 11)
    ids = [event.id for event in first.read(1, 10**6)]
    second = two.channel("live", "news", 10)

    for position, id_ in enumerate([start, *ids]):
        await second.ready(id_)
        offset = second.offset_after(id_)
        assert offset is not None
        assert texts(second, offset) == list(range(position, 10))
        assert first.offset_after(id_) == 1 + position
        assert first.last_event_id(1 + position) == id_
    first.send("more")
    await until(lambda: first.end_offset == 12)
    last = first.last_event_id(first.end_offset)
    await second.ready(last)
    assert second.offset_after(last) == second.end_offset
    async with replica(url) as later:
        third = later.channel("live", "news", 10)
        await third.ready(start)
        assert third.offset_after(start) is None
        assert third.offset_after(ids[0]) is not None
        assert third.offset_after("nonsense") is None
        assert third.offset_after("0") is None
        assert third.offset_after(str(int(last) + 10**9)) is None


async def test_a_claim_is_refused_while_another_replica_has_another_value(one, two) -> None:
    first = one.claim("activity", "settings", {"timezone": "UTC"})
    assert not first.is_held
    await first.wait_until()
    same = two.claim("activity", "settings", {"timezone": "UTC"})
    await same.wait_until()
    same.close()

    other = two.claim("activity", "settings", {"timezone": "Europe/Berlin"})
    await until(lambda: other.conflict is not None)

    assert not other.is_held
    assert other.conflict.value == {"timezone": "UTC"}
    assert other.conflict.instance == one.instance
    first.close()
    one._confirm_claims.request()
    await until(lambda: one._claims == [])
    two._confirm_claims.request()
    await other.wait_until()
    assert other.conflict is None


async def test_a_job_runs_once_an_interval_and_an_unfinished_run_is_repeated(one, two) -> None:
    loop = asyncio.get_running_loop()
    first, second = one.leadership("activity"), two.leadership("activity")
    first.activate(loop)
    await first.wait_until()
    second.activate(loop)

    assert await one.begin_run("activity", "collect", 3600) == 0
    assert await one.begin_run("activity", "collect", 3600) == 0  # it did not end
    one.finish_run("activity", "collect")
    assert 3500 < await one.begin_run("activity", "collect", 3600) <= 3600
    assert await two.begin_run("activity", "collect", 0) > 0  # it does not lead
    first.close()
    await second.wait_until()
    assert 3500 < await two.begin_run("activity", "collect", 3600) <= 3600
    assert await two.begin_run("activity", "collect", 0) == 0
    one.finish_run("activity", "collect")  # of the earlier leader, too late
    await until(lambda: not one._finished_runs)
    assert await two.begin_run("activity", "collect", 3600) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE tornado_service_leaders, tornado_service_jobs",
        "UPDATE tornado_service_leaders SET term = term - 1, instance = 'of the backup'",
    ],
)
async def test_jobs_go_on_when_a_backup_is_restored_meanwhile(one, two, statement: str) -> None:
    loop = asyncio.get_running_loop()
    first, second = one.leadership("activity"), two.leadership("activity")
    first.activate(loop)
    await first.wait_until()
    second.activate(loop)
    await until(lambda: second.leader == one.instance)

    with one._database.writing() as connection:
        connection.execute(text(statement))

    async def begins(replicas: Replicas) -> bool:
        with suppress(DatabaseUnavailable):
            return await replicas.begin_run("activity", "collect", 0) == 0
        return False

    deadline = loop.time() + 20
    while not (await begins(one) or await begins(two)):
        assert loop.time() < deadline
        await asyncio.sleep(0.1)
    (leader,) = [one for one in (first, second) if one.is_leader]
    await until(lambda: first.leader == second.leader == leader.instance)


async def test_without_a_database_nothing_is_shared() -> None:
    replicas = make_replicas("", "tornado-service", None)

    assert type(replicas) is LocalReplicas
    assert not replicas.is_shared


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///a.sqlite", "is not PostgreSQL"),
        ("postgresql+asyncpg://x/y", "psycopg"),
        ("nonsense", "is no URL"),
        ("mysql://x/y", "neither sqlite"),
    ],
)
def test_another_database_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_replicas(url, "tornado-service", None)
