"""The recorder: collects samples, stores them, and keeps the history up to date."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from logging import Logger
from zoneinfo import ZoneInfo

from tornado.web import HTTPError

from .. import Channel, HubCalls
from ..apps.retry import backoff_delays
from .collect.collector import Collector
from .domain.calendar import local_date
from .domain.prices import Prices
from .domain.records import FAR_FUTURE, Sample
from .history.archive import Archive, TooManyFigures
from .history.cache import DerivedCache
from .preparation import prepare
from .store.store import HistoryState, HistoryUnavailable, Store

#: Seconds that a request waits for the history while it is being loaded after a start.
LOADING_WAIT = 2.0

#: Events of samples that a disconnected client may miss and still get.
SAMPLE_EVENTS = 10


class NoHistory(HTTPError):
    """503: there is no history, or not yet."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(503, message)
        self.retry_after = retry_after


class Recorder:
    """Everything of Activity that outlives a request; handlers have it as ``self.app.recorder``.

    Args:
        store: the database; it is not open yet.
        zone: the time zone of the figures' days.
        hub: for the samples.
        interval: seconds between samples.
        log: where failures go.
        is_stored: whether samples are stored, or only the latest one is kept in memory.
        prices: of server-hours; ``None``: no cost is shown.
        sample_events: gets an event for each sample; by default, a channel of this process.
    """

    def __init__(
        self,
        store: Store,
        zone: ZoneInfo,
        hub: HubCalls,
        interval: int,
        log: Logger,
        *,
        is_stored: bool,
        prices: Prices | None = None,
        sample_events: Channel | None = None,
    ) -> None:
        self.store = store
        self.zone = zone
        self.prices = prices
        self.archive = Archive(store, zone, prices)
        self.collector = Collector(hub, interval, log, self.store_sample if is_stored else None)
        self.collector.listeners.append(self._notify)
        self.sample_events = sample_events or Channel(history=SAMPLE_EVENTS)
        self._interval = interval
        self._log = log
        self._has_loaded = asyncio.Event()
        self._prepared: DerivedCache | None = None

    @property
    def collects(self) -> bool:
        """Whether this process takes the samples and stores them; not if another replica does."""
        return True

    @property
    def role(self) -> str:
        """Of several replicas: what this one does, for administrators; else empty."""
        return ""

    @property
    def has_history(self) -> bool:
        """Whether there is a history to show, now or soon."""
        is_coming = self.store.condition.state in (HistoryState.GETTING_READY, HistoryState.READY)
        return self.archive.is_loaded or is_coming

    async def get_archive(self) -> Archive:
        """The archive, with its history: waits a moment while that is being loaded.

        Raises:
            NoHistory: there is none, or it is still being loaded.
        """
        if self.has_history and not self.archive.is_loaded:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._has_loaded.wait(), LOADING_WAIT)
        if self.archive.is_loaded:
            return self.archive
        if self.has_history:
            raise NoHistory("Loading the history. Try again soon.", 5)
        raise NoHistory("No history is stored: only running servers are available.", 3600)

    @property
    def listed_until(self) -> int:
        """Users who were created later may be missing in the history, or else in the sample."""
        if self.has_history:
            return self.archive.history.listed_to or 0
        return self.collector.latest.taken if self.collector.latest else FAR_FUTURE

    async def run(self) -> None:
        may_recover = await self.store.open()
        await self.store.maintain()  # in another time zone, all days are other ones
        await self.refresh()
        await asyncio.gather(self.collector.run(), *([self._reopen()] if may_recover else []))

    async def _reopen(self) -> None:
        """Open a database that was not available at the start, long before the next sample."""
        for pause in backoff_delays(self._interval):
            await asyncio.sleep(pause)
            is_open = self.store.condition.state is HistoryState.READY  # a sample has done it
            if is_open or not await self.store.open():
                break
        await self.store.maintain()
        await self.refresh()
        if self.collector.latest:
            await self.store_sample(self.collector.latest, self._interval)

    async def store_sample(self, sample: Sample, interval: int) -> bool:
        """Store a sample, bring the history up to date; return whether all users are known.

        They are not if a full sample was not stored, or none is yet.
        """
        is_stored = await self._keep(sample, interval)
        await self.refresh()
        return (is_stored or not sample.is_full) and self.archive.history.is_listed

    async def _keep(self, sample: Sample, interval: int) -> bool:
        """Store a sample and roll up days that are over; return whether it was stored."""
        is_stored = await self.store.add(sample, interval)
        if is_stored:
            await self.store.maintain()
        return is_stored

    async def wait_for_news(self) -> None:
        """Wait a moment if there is a newer sample, which is still to be read."""

    async def refresh(self) -> None:
        if self.store.condition.state is not HistoryState.READY:
            return
        try:
            await self.archive.refresh()
        except HistoryUnavailable as error:
            self._log.warning("The figures of activity are not up to date: %s", error)
        except Exception:  # the next sample is to be taken all the same
            self._log.exception("The figures of activity are not up to date")
        if self.archive.is_loaded:
            self._has_loaded.set()
            await self._prepare()

    async def _prepare(self) -> None:
        """After the history was loaded, compute what a request for a year would wait for."""
        history = self.archive.history
        if history.derived_cache is not self._prepared:
            self._prepared = history.derived_cache
            with suppress(TooManyFigures):  # requests compute it, too
                await self.archive.compute(None, prepare, local_date(history.now, self.zone))

    def _notify(self, sample: Sample) -> None:
        self.sample_events.send({"taken": sample.taken}, event="sample")

    async def close(self) -> None:
        self.archive.close()
        await self.store.close()
