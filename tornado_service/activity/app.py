"""Activity as an app: its settings, what runs in it, and from when to when."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from traitlets import Integer, TraitError, Unicode, validate

from .. import Channel, ServiceApp
from ..apps.retry import backoff_delays
from ..database.timeout import TIMEOUT
from . import metrics
from .access.visibility import LIST_USERS
from .collect.collector import Collector
from .domain.records import Sample
from .history.archive import Archive
from .store.store import HistoryState, HistoryUnavailable, Store
from .store.user_data import pseudonyms


class Activity(ServiceApp):
    """Who uses this hub, how much, and when is it quiet."""

    name = "activity"
    title = "Activity"
    # read:users tells when an account was created, and so which one of its name it is
    service_scopes = frozenset({LIST_USERS, "read:users", "read:servers"})
    user_scopes = frozenset({LIST_USERS, "list:groups", "read:groups"})

    #: Whether the history is an invention, which every page then says.
    is_synthetic: ClassVar[bool] = False

    interval = Integer(
        300, help="Seconds between two looks at the hub. Default: 300.", min=30, max=3600
    ).tag(config=True)

    database_url = Unicode(
        "sqlite:///activity.sqlite",
        help="""Where the history is kept, as SQLAlchemy has it: a file in the working directory,
        which is the hub's own; or ``postgresql+psycopg2://…``. Empty: nothing is kept, and only
        what runs now is shown. Default: sqlite:///activity.sqlite.""",
    ).tag(config=True)

    retention_days = Integer(
        400,
        help="""Days for which each single session is kept. Sums for each day and user stay.
        Default: 400.""",
        min=35,
    ).tag(config=True)

    timezone = Unicode(
        "UTC", help="Whose days these are, such as Europe/Berlin. Default: UTC."
    ).tag(config=True)

    pseudonym_secret = Unicode(
        help="""If it is set, users are kept and shown under pseudonyms, which are made with it;
        people still find their own use. It must stay the same: 16 characters or more.
        Default: none."""
    ).tag(config=True)

    @validate("timezone")
    def _check_timezone(self, proposal: Any) -> str:
        return parse_zone(proposal["value"]).key

    @validate("pseudonym_secret")
    def _check_secret_length(self, proposal: Any) -> str:
        if 0 < len(proposal["value"]) < 16:
            raise TraitError(
                "Activity.pseudonym_secret has fewer than 16 characters: openssl rand -hex 16"
            )
        return str(proposal["value"])

    def handlers(self) -> list[tuple[Any, ...]]:
        """Pages and API."""
        from .web.routes import NOT_FOUND, ROUTES  # handlers know the app, not the other way round

        return [*ROUTES, NOT_FOUND]

    def make_store(self) -> Store:
        """The store that the settings ask for; it is not open yet."""
        secret = self.pseudonym_secret.encode()
        return Store(
            self.database_url,
            self.log,
            zone=self.zone,
            retention_days=self.retention_days,
            map_name=pseudonyms(secret) if secret else None,
            timeout=getattr(self.parent, "database_timeout", TIMEOUT),
        )

    @property
    def zone(self) -> ZoneInfo:
        """Whose days these are."""
        return parse_zone(self.timezone)

    async def start(self) -> None:
        """Begin; the pages answer while the database is still being made ready."""
        # the figures are computed beside the loop, which waits so long for each of its turns
        sys.setswitchinterval(min(sys.getswitchinterval(), 0.001))
        self.sample_events = Channel(history=10)
        self.store = self.make_store()
        self.archive = Archive(self.store, self.zone)
        store_sample = self.store_sample if self.database_url else None
        self.collector = Collector(self.hub, self.interval, self.log, store_sample)
        self.collector.listeners.append(self._notify)
        metrics.register(self, self.registry)
        self._running = asyncio.create_task(self._run())

    @property
    def trouble(self) -> str:
        """What is wrong with the database, and what to set."""
        return self.store.condition.reason if self.database_url else ""

    @property
    def has_history(self) -> bool:
        """Whether there is a history to be shown, now or soon."""
        is_coming = self.store.condition.state in (HistoryState.GETTING_READY, HistoryState.READY)
        return self.archive.is_loaded or is_coming

    async def _run(self) -> None:
        is_away = await self.store.open()
        await self.store.maintain()  # in another zone, all days are other ones
        await self.refresh()
        await asyncio.gather(self.collector.run(), *([self._reopen()] if is_away else []))

    async def _reopen(self) -> None:
        """Open a database that was away at the start, long before the next sample."""
        for pause in backoff_delays(self.interval):
            await asyncio.sleep(pause)
            is_open = self.store.condition.state is HistoryState.READY  # a sample has done it
            if is_open or not await self.store.open():
                break
        await self.store.maintain()
        await self.refresh()
        if self.collector.latest:
            await self.store_sample(self.collector.latest, self.interval)

    async def store_sample(self, sample: Sample, interval: int) -> bool:
        """Keep a sample, and bring the figures up to date.

        Returns:
            Whether all users are known: not, if a sample of them is not kept, or none is yet.
        """
        is_kept = await self.store.add(sample, interval)
        if is_kept:
            await self.store.maintain()
        await self.refresh()
        return (is_kept or not sample.is_full) and self.archive.history.is_listed

    async def refresh(self) -> None:
        """Bring the figures up to date, as far as there is a history."""
        if self.store.condition.state is not HistoryState.READY:
            return
        try:
            await self.archive.refresh()
        except HistoryUnavailable as error:
            self.log.warning("The figures of activity are not up to date: %s", error)
        except Exception:  # the next sample is to be taken all the same
            self.log.exception("The figures of activity are not up to date")

    def _notify(self, sample: Sample) -> None:
        self.sample_events.send({"taken": sample.taken}, event="sample")

    async def stop(self) -> None:
        """End; what is being written is written."""
        self._running.cancel()
        await asyncio.wait([self._running])
        self.archive.close()
        await self.store.close()


def parse_zone(name: str) -> ZoneInfo:
    """A time zone by its name.

    Raises:
        TraitError: there is none, or none at all on this machine.
    """
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        write = "write one such as Europe/Berlin."
        if not available_timezones():
            write = "no zone is known here at all: install the Python package tzdata."
        raise TraitError(f"Activity.timezone: there is no zone {name!r}; {write}") from None
