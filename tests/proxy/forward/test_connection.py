"""The idle connections of an app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import h11
import pytest

from tests.support.proxy import OK, Call, Upstream
from tests.support.streaming import until
from tornado_service.proxy.forward import connection as connections
from tornado_service.proxy.forward.connection import Connection, Pool
from tornado_service.proxy.forward.target import Target


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool()
    yield pool
    pool.close()


async def used(upstream: Upstream) -> Connection:
    """A connection after one request."""
    connection = await Connection.open(upstream.target)
    protocol = connection.protocol
    request = h11.Request(method="GET", target="/", headers=[("Host", "x")])
    await connection.wire.send(protocol.send(request) + protocol.send(h11.EndOfMessage()))
    while protocol.their_state is not h11.DONE:
        if protocol.next_event() is h11.NEED_DATA:
            protocol.receive_data(await connection.wire.receive())
    return connection


def is_closed(connection: Connection) -> bool:
    return not connection.wire.is_quiet()


async def test_the_newest_is_used_first(pool: Pool, upstream: Upstream) -> None:
    first, second = await used(upstream), await used(upstream)
    pool.give(first)
    pool.give(second)

    assert pool.take(upstream.target) is second
    assert second.is_reused
    assert pool.take(upstream.target) is first
    assert pool.take(upstream.target) is None
    first.close()
    second.close()


async def test_one_of_another_target_is_closed(pool: Pool, upstream: Upstream) -> None:
    connection = await used(upstream)
    pool.give(connection)

    assert pool.take(Target(port=1)) is None
    assert is_closed(connection)


async def test_one_whose_exchange_is_not_complete_is_closed(pool: Pool, upstream: Upstream) -> None:
    connection = await Connection.open(upstream.target)
    request = h11.Request(method="GET", target="/", headers=[("Host", "x")])
    connection.protocol.send(request)
    pool.give(connection)

    assert len(pool) == 0
    assert is_closed(connection)


async def test_one_with_unexpected_bytes_is_closed(pool: Pool, upstream: Upstream) -> None:
    async def script(call: Call) -> None:
        await call.send(OK + b"more")

    upstream.script = script
    connection = await used(upstream)
    pool.give(connection)

    assert len(pool) == 0
    assert is_closed(connection)


async def test_one_that_the_app_has_closed_is_not_used(pool: Pool, upstream: Upstream) -> None:
    async def script(call: Call) -> None:
        await call.send(OK)
        call.writer.close()

    upstream.script = script
    connection = await used(upstream)
    pool.give(connection)
    await until(lambda: is_closed(connection))

    assert pool.take(upstream.target) is None


async def test_their_number_is_limited(
    pool: Pool, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_IDLE", 2)
    given = [await used(upstream) for _ in range(3)]
    for connection in given:
        pool.give(connection)

    assert len(pool) == 2
    assert [is_closed(connection) for connection in given] == [True, False, False]


async def test_they_expire(pool: Pool, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_TIMEOUT", 0.05)
    connection = await used(upstream)
    pool.give(connection)
    await asyncio.sleep(0.02)
    pool.give(await used(upstream))

    await until(lambda: len(pool) == 0)
    assert is_closed(connection)


async def test_none_is_kept_after_the_end(pool: Pool, upstream: Upstream) -> None:
    kept, open_one = await used(upstream), await used(upstream)
    pool.give(kept)
    pool.close()
    pool.give(open_one)

    assert is_closed(kept)
    assert is_closed(open_one)
    assert len(pool) == 0
