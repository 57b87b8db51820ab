"""The recorder of a service with several replicas: one of them collects, the others follow it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any

from ..apps.retry import backoff_delays
from ..database.replicas.claims import Claim
from ..database.replicas.leadership import Leadership
from .domain.pseudonyms import fingerprint
from .domain.records import Sample
from .history.archive import Archive
from .recorder import NoHistory, Recorder
from .store.live_sample import Superseded
from .store.reader import Reader
from .store.store import HistoryState, HistoryUnavailable

#: Seconds that a request waits for a sample that another replica has just stored.
NEWS_WAIT = 2.0

#: Seconds between two checks for how another replica's settings differ.
CLAIM_CHECK_INTERVAL = 1.0

#: Seconds after which a replica without a history tries again to read it.
LOAD_RETRY_DELAY = 5.0

#: Settings of Activity that shape the stored data: all replicas must have the same ones.
SHAPING_SETTINGS = ("timezone", "retention_days", "interval", "pseudonym_secret")


def shaping_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `SHAPING_SETTINGS`, to be compared with those of other replicas.

    The secret of pseudonyms is replaced by a fingerprint of it.
    """
    values = {name: settings[name] for name in SHAPING_SETTINGS}
    return values | {"pseudonym_secret": fingerprint(settings["pseudonym_secret"])}


class SharedRecorder(Recorder):
    """The recorder of one replica; all replicas store in one PostgreSQL database.

    The leader takes the samples and writes. The others read what it has stored after each of its
    samples, and at least once per interval. A replica whose settings would store other data than
    that of the others does neither.

    Args:
        leadership: of the app.
        claim: of `shaping_settings`.
        arguments: those of `Recorder`; ``sample_events`` reaches all replicas.
    """

    def __init__(self, *arguments: Any, leadership: Leadership, claim: Claim, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._leadership = leadership
        leadership.may_lead = False  # not before the database is open
        self._claim = claim
        self._is_refused = False
        self._has_taken_over = False
        self._is_cut_off = False  # from the database: the log has one line for each outage
        self._news = asyncio.Event()
        self._is_up_to_date = asyncio.Event()
        self._is_up_to_date.set()

    @property
    def collects(self) -> bool:
        return self._has_taken_over and self._leadership.is_leader

    @property
    def role(self) -> str:
        """What this replica does, for administrators."""
        if self._is_refused:
            return "Not collected by this replica, whose settings differ."
        if self.collects:
            return "Collected by this replica."
        leader = self._leadership.leader
        return f"Collected by the replica {leader}." if leader else "Not collected at the moment."

    @property
    def has_history(self) -> bool:
        return not self._is_refused and super().has_history

    async def get_archive(self) -> Archive:
        """As `Recorder.get_archive`; there is no history if the settings differ."""
        if self._is_refused:
            raise NoHistory("This replica does not show the history.", 60)
        return await super().get_archive()

    async def wait_for_news(self) -> None:
        """Wait a moment if the leader has stored a newer sample, which is still to be read."""
        if not self._is_up_to_date.is_set():
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._is_up_to_date.wait(), NEWS_WAIT)

    async def run(self) -> None:
        while True:
            await self._wait_until_claimed()
            try:
                await _run_until(self._take_part(), self._claim.wait_until(False))
            except Exception:  # whatever it is, this replica is to take part again
                self._log.exception("The recorder of activity failed")
                await asyncio.sleep(self._interval)

    async def _wait_until_claimed(self) -> None:
        """Wait until no replica has other settings, and say so while one has."""
        while not self._claim.is_held:
            self._check_claim()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._claim.wait_until(True), CLAIM_CHECK_INTERVAL)
        self._is_refused = False

    def _check_claim(self) -> None:
        conflict = self._claim.conflict
        if conflict is None:
            return
        self._is_refused = True
        self.collector.latest = None
        self.archive.unload()
        self.store.refuse(conflict_message(self._claim.value, conflict.value, conflict.instance))

    async def _take_part(self) -> None:
        await self._open()
        self.sample_events.subscribe(self)
        self._leadership.may_lead = True
        try:
            await _run_until(self._follow(), self._lead())  # if one fails, the other ends, too
        finally:
            self._leadership.may_lead = False
            self.sample_events.unsubscribe(self)

    async def _open(self) -> None:
        """Open the database as soon as that is possible, and read it."""
        for pause in backoff_delays(self._interval):
            await self.store.open()
            if self.store.condition.state is HistoryState.READY:
                break
            await asyncio.sleep(pause)
        await self._reload()

    async def _lead(self) -> None:
        while True:
            await self._leadership.wait_until(True)
            try:
                await _run_until(self._collect(), self._leadership.wait_until(False))
            finally:  # also if the claim is lost, and the history opened again later
                self._has_taken_over = False

    async def _collect(self) -> None:
        """Take over from another replica, and take samples until one takes over from this one."""
        for pause in backoff_delays(self._interval):
            with suppress(HistoryUnavailable, Superseded):
                await self.store.take_over(self._leadership.instance)
                await self.store.maintain()
                break
            await asyncio.sleep(pause)
        await self._reload()
        self._has_taken_over = True
        self._log.info("This replica collects the samples of activity")
        if self.collector.latest:
            last_full = self.archive.history.listed_to
            self.collector.resume(self.collector.latest, last_full)
        await self.collector.run(lambda: self.collects)

    async def _keep(self, sample: Sample, interval: int) -> bool:
        try:
            is_stored = await super()._keep(sample, interval)
        except Superseded as other:
            self._has_taken_over = False
            self._log.warning("A sample of activity is not stored: %s collects now", other)
            return False
        self.sample_events.send({"taken": sample.taken}, event="sample")
        return is_stored

    def _notify(self, sample: Sample) -> None:
        """Nothing: other replicas can show a sample once it is stored."""

    def on_new_events(self) -> None:
        """The leader has stored a sample."""
        if not self.collects:
            self._is_up_to_date.clear()
            self._news.set()

    async def _follow(self) -> None:
        while True:
            pause = self._interval if self.archive.is_loaded else LOAD_RETRY_DELAY
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), pause)
            self._news.clear()
            if self.collects:
                self._is_up_to_date.set()  # the news came as this replica took over
            else:
                await self._reload()

    async def _reload(self) -> None:
        """Read what the leader has stored."""
        try:
            live = await self.store.live()
            zone = (await self.store.read(Reader.meta)).zone
        except HistoryUnavailable as error:
            if not self._is_cut_off:
                self._log.warning("The latest sample of activity cannot be read: %s", error)
            self._is_cut_off = True
            return
        finally:
            if not self._news.is_set():
                self._is_up_to_date.set()
        self._is_cut_off = False
        if live and not self.collects:
            self.collector.latest = live
        if zone in ("", self.zone.key):  # else the leader is still to roll up the days of our zone
            await self.refresh()


def conflict_message(ours: Mapping[str, Any], theirs: Mapping[str, Any], instance: str) -> str:
    """Which settings of another replica differ from ours, and what to do.

    The replica may be one of another service, whose history is in the same database.
    """
    if ours.get("app") != theirs.get("app"):
        return (
            f"The history in this database is that of {theirs.get('app')}, by the replica"
            f" {instance}. Give each service a database of its own: Activity.database_url. This"
            " replica neither collects nor shows the history until the others have ended."
        )
    differing = [name for name in SHAPING_SETTINGS if ours.get(name) != theirs.get(name)]
    parts = [
        "pseudonym_secret differs"
        if name == "pseudonym_secret"
        else f"{name} is {ours.get(name)!r}, and {theirs.get(name)!r} there"
        for name in differing
    ]
    return (
        f"The replica {instance} has other settings of Activity: {', '.join(parts)}. Give all"
        " replicas the same settings. This one neither collects nor shows the history until the"
        " others have ended or agree."
    )


async def _run_until(work: Coroutine[Any, Any, None], end: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine until it ends, or another one does; cancel what is left."""
    tasks = {asyncio.ensure_future(work), asyncio.ensure_future(end)}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()
