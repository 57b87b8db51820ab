"""A channel of several replicas, beyond what its listeners see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from tests.support.databases import new_postgresql, postgresql_socket
from tests.support.replicas import replica
from tests.support.streaming import until
from tornado_service.database.replicas.stores.events import EventStore
from tornado_service.streaming import shared_channel, shared_replicas
from tornado_service.streaming.channel import Channel, Lagged
from tornado_service.streaming.replicas import LocalReplicas
from tornado_service.streaming.shared_channel import ChannelUnavailable, SharedChannel
from tornado_service.streaming.shared_replicas import SharedReplicas

__all__ = ["new_postgresql", "postgresql_socket"]


@pytest.fixture
def url(new_postgresql: Callable[[str], str]) -> str:
    return new_postgresql("postgresql+psycopg")


@pytest.fixture
async def replicas(url: str) -> AsyncIterator[SharedReplicas]:
    async with replica(url) as replicas:
        assert isinstance(replicas, SharedReplicas)
        yield replicas


@pytest.fixture
async def channel(replicas: SharedReplicas) -> SharedChannel:
    channel = replicas.channel("live", "news", 3)
    assert isinstance(channel, SharedChannel)
    await channel.ready("")
    return channel


async def sent(channel: Channel, *data: object) -> None:
    """Send events, and wait for their return."""
    before = channel.last_event_id(channel.end_offset)
    end = channel.end_offset + len(data)
    for each in data:
        channel.send(each)
    await until(lambda: channel.end_offset == end)
    assert int(channel.last_event_id(end)) > int(before)


@pytest.mark.parametrize(
    ("data", "event", "error"),
    [
        (object(), "message", TypeError),
        (float("nan"), "message", ValueError),
        ("x" * 64 * 1024, "message", ValueError),
        ("x", "end", ValueError),
        ("x", "a\nb", ValueError),
    ],
)
async def test_what_cannot_be_sent_is_refused_at_once(
    channel: SharedChannel, data: object, event: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        channel.send(data, event)

    assert channel.waiting_count == 0


@pytest.mark.parametrize("name", ["", "wünsche", "a\nb", "x" * 201])
def test_a_name_that_is_not_short_ascii_text_is_refused(url: str, name: str) -> None:
    with pytest.raises(ValueError, match="takes ASCII text"):
        LocalReplicas().channel("live", name, 10)


async def test_a_name_is_that_of_one_channel(
    replicas: SharedReplicas, channel: SharedChannel
) -> None:
    with pytest.raises(ValueError, match="has opened the channel 'news'"):
        replicas.channel("live", "news", 3)
    replicas.channel("other", "news", 3)
    with pytest.raises(ValueError, match="keep one event"):
        replicas.channel("live", "few", 0)


async def test_a_new_instance_of_the_app_sends_what_the_earlier_one_has_not(
    replicas: SharedReplicas, channel: SharedChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(channel, 1)
    channel._flush.is_requested = False
    monkeypatch.setattr(channel._flush, "request", lambda: None)
    channel.send(2)
    channel.close()
    monkeypatch.undo()

    again = replicas.channel("live", "news", 3)
    again.send(3)

    await again.ready("")
    await until(lambda: [event.data for event in again.read(1, 1000)] == [1, 2, 3])


async def test_a_listener_that_lags_behind_is_told(channel: SharedChannel) -> None:
    start = channel.end_offset
    begin = channel.last_event_id(start)
    await sent(channel, 0, 1, 2, 3, 4)

    assert [event.data for event in channel.read(start + 2, 1000)] == [2, 3, 4]
    with pytest.raises(Lagged):
        channel.read(start + 1, 1000)
    first = channel.read(start + 2, 1000)[0]
    assert channel.offset_after(first.id) == start + 3
    assert channel.offset_after(channel.last_event_id(start + 2)) == start + 2
    assert channel.last_event_id(start + 1) == "0"
    assert channel.offset_after(begin) is None


async def test_the_database_keeps_as_many_as_the_channel(
    replicas: SharedReplicas, channel: SharedChannel, url: str
) -> None:
    await sent(channel, *range(10))
    replicas._prune.request()
    await until(lambda: not channel._is_to_prune)

    async with replica(url) as later:
        same = later.channel("live", "news", 100)
        await same.ready("")
        assert [event.data for event in same.read(1, 1000)] == [7, 8, 9]


async def test_a_listener_does_not_wait_long_for_the_database(
    replicas: SharedReplicas, channel: SharedChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_channel, "READY_TIMEOUT", 0.05)
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(self, name: str, after: int):
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(30)
        return read(self, name, after)

    read = EventStore.read
    monkeypatch.setattr(EventStore, "read", hang)
    known = channel.last_event_id(channel.end_offset)
    await channel.ready(known)
    await channel.ready("")
    with pytest.raises(ChannelUnavailable) as raised:
        await channel.ready(str(int(known) + 1))
    release.set()

    assert raised.value.status_code == 503
    assert raised.value.retry_after


async def test_events_are_sent_before_the_service_stops(url: str) -> None:
    async with replica(url) as first:
        channel = first.channel("live", "news", 1000)
        await channel.ready("")
        for number in range(2 * shared_replicas.BATCH // 10):
            channel.send(number)
        channel.close()

    async with replica(url) as second:
        channel = second.channel("live", "news", 1000)
        await channel.ready("")
        assert len(channel.read(1, 10**6)) == 100
