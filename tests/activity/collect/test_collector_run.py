"""The running collector: its schedule, and that no failure ends it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tornado_service.activity.collect.collector import Collector, next_time
from tornado_service.activity.domain.records import Sample
from tornado_service.hub.models import User
from tornado_service.hub.pagination import HubPage

NOON = 12 * 3600
LOG = logging.getLogger("test")


@pytest.mark.parametrize(
    ("now", "interval", "then"),
    [(0, 300, 315), (14, 300, 315), (299, 300, 315), (300, 300, 615), (7, 60, 63)],
)
def test_samples_are_taken_a_little_after_multiples_of_the_interval(
    now: int, interval: int, then: int
) -> None:
    assert next_time(now, interval) == then


class OnePage:
    """A hub without users. ``seconds``: the time of a response."""

    def __init__(self, seconds: float = 0) -> None:
        self.seconds = seconds
        self.asked = 0
        self.at_once = 0
        self.most_at_once = 0

    async def user_pages(self, state: str | None = None) -> AsyncIterator[HubPage[User]]:
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await asyncio.sleep(self.seconds)
        self.at_once -= 1
        yield HubPage([], NOON + self.asked)


@asynccontextmanager
async def at_work(collector: Collector, until: asyncio.Event) -> AsyncIterator[None]:
    running = asyncio.create_task(collector.run())
    await asyncio.wait_for(until.wait(), 30)
    yield
    running.cancel()
    await asyncio.wait({running})


class TestRun:
    """The running collector, with a sample per second."""

    @pytest.mark.parametrize("seconds", [0, 1.2])
    async def test_it_samples_continuously_however_slow_the_hub(self, seconds: float) -> None:
        hub = OnePage(seconds)
        collector = Collector(hub, 1, LOG)
        third = asyncio.Event()

        def hear(sample: Sample) -> None:
            if sample.taken == NOON + 3:
                third.set()

        collector.listeners.append(hear)

        async with at_work(collector, third):
            assert collector.latest is not None
            assert collector.latest.taken == NOON + 3
            assert hub.most_at_once == 1

    async def test_it_outlives_a_store_that_fails(self, caplog: pytest.LogCaptureFixture) -> None:
        stored = asyncio.Event()

        async def keep(sample: Sample, interval: int) -> None:
            assert interval == 1
            if sample.taken == NOON + 1:
                raise OSError("no space left")
            stored.set()

        async with at_work(Collector(OnePage(), 1, LOG, keep), stored):
            assert "no space left" in caplog.text

    async def test_it_ends_when_another_replica_is_to_collect(self) -> None:
        hub = OnePage()
        collector = Collector(hub, 1, LOG)
        may_collect = iter([True, True, False])

        await asyncio.wait_for(collector.run(lambda: next(may_collect)), 30)

        assert hub.asked == 2

    @pytest.mark.parametrize(("age", "calls"), [(0, 0), (1_000_000, 1)])
    async def test_it_goes_on_after_the_sample_of_another_replica(
        self, age: int, calls: int
    ) -> None:
        hub = OnePage()
        collector = Collector(hub, 1_000_000, LOG)
        collector.resume(Sample(int(time.time()) - age, True, ()), None)
        is_asked = asyncio.Event()
        collector.listeners.append(lambda sample: is_asked.set())

        running = asyncio.create_task(collector.run())
        if calls:
            await asyncio.wait_for(is_asked.wait(), 30)
        await asyncio.sleep(0)

        assert hub.asked == calls
        running.cancel()
        await asyncio.wait({running})

    @pytest.mark.parametrize(
        ("last_full", "is_full"), [(NOON, False), (NOON - 1, True), (None, True)]
    )
    async def test_after_a_full_sample_of_another_replica_the_hour_needs_none(
        self, last_full: int | None, is_full: bool
    ) -> None:
        collector = Collector(OnePage(), 300, LOG)
        collector.resume(Sample(NOON, False, ()), last_full)

        sample = await collector.collect(NOON + 400)

        assert sample is not None
        assert sample.is_full is is_full
