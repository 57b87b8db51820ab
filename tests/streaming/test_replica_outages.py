"""Replicas while PostgreSQL is stopped, killed, frozen or emptied."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from tests.support.databases import POSTGRESQL, postgresql_url, server
from tests.support.postgresql import Server
from tests.support.replicas import replica
from tests.support.streaming import until
from tornado_service.streaming import shared_channel
from tornado_service.streaming.channel import Lagged
from tornado_service.streaming.replicas import Replicas

__all__ = ["postgresql_url", "server"]


@pytest.fixture(params=POSTGRESQL)
def url(request: pytest.FixtureRequest, postgresql_url: str) -> str:
    return f"{request.param}{postgresql_url}"


@pytest.fixture
async def one(url: str, server: Server) -> AsyncIterator[Replicas]:
    async with replica(url) as replicas:
        yield replicas


@pytest.fixture
async def two(url: str, server: Server) -> AsyncIterator[Replicas]:
    async with replica(url) as replicas:
        yield replicas


def numbers(channel) -> list[int]:
    return [event.data for event in channel.read(1, 10**9)]


async def lead(replicas: Replicas):
    leadership = replicas.leadership("live")
    leadership.activate(asyncio.get_running_loop())
    await leadership.wait_until()
    return leadership


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_what_was_kept_is_sent_in_order_when_the_server_is_back(
    one: Replicas, two: Replicas, server: Server, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = one.channel("live", "news", 1000), two.channel("live", "news", 1000)
    leadership = await lead(one)
    term = leadership.term
    claim = one.claim("live", "zone", "UTC")
    await claim.wait_until()
    for number in range(50):
        first.send(number)
    await until(lambda: first.end_offset == second.end_offset == 51)

    getattr(server, how)()
    try:
        await leadership.wait_until(False)
        await until(lambda: one.problem != "")
        for number in range(50, 100):
            first.send(number)
        await one.publish_sign_outs([b"a" * 32])
        one.finish_run("live", "job")
        assert numbers(first) == list(range(50))
        with pytest.raises(shared_channel.ChannelUnavailable):
            await two.channel("live", "other", 10).ready("")
    finally:
        server.start()

    await until(lambda: first.end_offset == second.end_offset == 101)
    assert numbers(first) == numbers(second) == list(range(100))
    await until(lambda: b"a" * 32 in two.signed_out)
    await leadership.wait_until()
    assert leadership.term > term
    assert claim.is_held
    await until(lambda: one.problem == two.problem == "")
    assert "is not available" in caplog.text
    assert "Other replicas do not know of a sign-out yet" in caplog.text


async def test_a_server_that_hangs_ends_leadership_and_holds_up_nobody(
    one: Replicas, two: Replicas, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = one.channel("live", "news", 1000), two.channel("live", "news", 1000)
    leadership = await lead(one)
    await first.ready("")

    server.suspend()
    try:
        for number in range(100):
            first.send(number)
        await one.publish_sign_outs([b"a" * 32])
        await leadership.wait_until(False)
        assert not leadership.is_leader
        await until(lambda: one.problem != "")
    finally:
        server.resume()

    await until(lambda: first.end_offset == second.end_offset == 101)
    assert numbers(first) == numbers(second) == list(range(100))
    await until(lambda: b"a" * 32 in two.signed_out)
    await leadership.wait_until()
    assert "a sign-out yet" in caplog.text


async def test_events_beyond_the_limit_make_all_listeners_reload(
    one: Replicas,
    two: Replicas,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(shared_channel, "MAX_WAITING", 5)
    first, second = one.channel("live", "news", 1000), two.channel("live", "news", 1000)
    first.send(0)
    await until(lambda: first.end_offset == second.end_offset == 2)
    before = second.last_event_id(2)

    server.stop()
    try:
        await until(lambda: one.problem != "")
        for number in range(1, 20):
            first.send(number)
    finally:
        server.start()
    await until(lambda: second.read(second._start_offset, 10**6) != [])
    await until(lambda: second.last_event_id(second.end_offset) != before)

    for channel in (first, second):
        await until(lambda channel=channel: channel.end_offset == 8)
        with pytest.raises(Lagged):
            channel.read(2, 10**6)
        assert [event.data for event in channel.read(3, 10**6)] == [15, 16, 17, 18, 19]
        assert channel.offset_after(before) is None
    assert caplog.text.count("too many events wait for the database") == 1


async def test_an_emptied_database_is_filled_again(
    one: Replicas, two: Replicas, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = one.channel("live", "news", 1000), two.channel("live", "news", 1000)
    leadership = await lead(one)
    first.send("before")
    await until(lambda: first.end_offset == second.end_offset == 2)
    before = second.last_event_id(2)
    term = leadership.term

    with server.connect("wishes") as administrator:
        administrator.execute("DROP OWNED BY wishes")
        administrator.execute("GRANT ALL ON SCHEMA public TO wishes")
        administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'wishes'"
        )
    first.send("after")

    await until(lambda: second.last_event_id(second.end_offset) not in (before, "0"))
    assert second.read(second.end_offset - 1, 1000)[0].data == "after"
    assert second.offset_after(before) is None
    await until(lambda: leadership.is_leader and leadership.term > term)
    await until(lambda: one.problem == two.problem == "")


async def test_a_server_that_is_away_at_the_start(
    url: str, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.stop()
    try:
        async with replica(url, is_connected=False) as replicas:
            assert not await replicas.wait_until_connected(0.1)
            channel = replicas.channel("live", "news", 10)
            channel.send("kept")
            await until(lambda: replicas.problem != "")
            server.start()
            await until(lambda: channel.end_offset == 2)
            await until(lambda: replicas.problem == "")
    finally:
        if server._process is None:
            server.start()
    assert caplog.text.count("is not available") == 1
    assert caplog.text.count("is available, after") == 1
