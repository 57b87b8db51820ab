"""The archive: the history in memory, from which all figures are computed, off the event loop."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from ..access.visibility import VisibleUsers
from ..domain.calendar import ONE_DAY, day_bounds, local_date
from ..domain.records import Account
from ..schema.metadata import StoreMetadata
from ..store.reader import Reader
from ..store.store import Store
from ..store.writer import LATE_WINDOW
from .cache import SingleFlightCache
from .derived_cache import DerivedCache
from .history import FAR_FUTURE, History

Result = TypeVar("Result")

#: Rows of figures that are remembered until the next sample: some 50 MB at most.
MAX_CACHED_ROWS = 50_000

#: A figure of a few numbers, or of a history of a few users, is as heavy as so many rows or users.
BASE_WEIGHT = 500

#: Users of the views whose parts are kept: some 100 MB at most.
MAX_VIEW_USERS = 15_000

#: Figures that may wait for their turn: all, and those about the same people.
MAX_WAITING, MAX_WAITING_PER_SCOPE = 64, 16

#: When users were created, by name.
CreationTimes = frozenset[tuple[str, int | None]]

#: The names of those whom a figure is about, and which account of a name; ``None``: everybody.
Scope = tuple[frozenset[str], CreationTimes] | None


class TooManyFigures(Exception):
    """More figures wait for their turn than would be computed in good time."""


class Archive:
    """Keeps the store's history in memory, up to date, and computes with it in a thread.

    Args:
        store: what it is read from.
        zone: whose days the figures are about.

    Attributes:
        is_loaded: whether a history has been read.
    """

    def __init__(self, store: Store, zone: ZoneInfo) -> None:
        self.history = History(zone)
        self.is_loaded = False
        self._store = store
        self._zone = zone
        self._accounts: dict[str, Account] = {}
        self._thread = ThreadPoolExecutor(1, "activity-figures")
        self._waiting: Counter[Scope] = Counter()
        self._figures = SingleFlightCache(MAX_CACHED_ROWS, _weight)
        self._views: dict[
            frozenset[int], DerivedCache
        ] = {}  # the latest that was asked for comes last

    async def refresh(self) -> None:
        """Take in what the store has got since.

        Raises:
            HistoryUnavailable: the store cannot be read.
        """
        history = await self._store.read(self._updated_history)
        people = history.people.values()
        self._accounts = {each.name: each for each in people if each.deleted is None}
        if (
            history.derived_cache is not self.history.derived_cache
            or history.closed != self.history.closed
        ):
            self._views = {}  # else they would keep days and weeks alive that are no more
        self.history = history
        self.is_loaded = True
        self._figures = SingleFlightCache(MAX_CACHED_ROWS, _weight)

    def _updated_history(self, reader: Reader) -> History:
        now = reader.latest_sample()
        if now is None:
            return History(self._zone)
        people, meta = reader.people(), reader.meta()
        known = self.history
        since = known.now - LATE_WINDOW
        if not self._is_continuation(reader, people, meta):
            known, since = History(self._zone), 0
        closed = meta.first_open_day(self._zone) - ONE_DAY
        if known.closed and known.closed > closed:  # later days are yet to be rolled up again
            known = replace(known, closed=closed if closed in known.hub_totals else None)
        first = local_date(since, self._zone) if since else date.min
        return known.updated(
            now=now,
            revision=meta.revision,
            people=people,
            coverage=reader.coverage(0, FAR_FUTURE),
            observed_from=reader.first_observed(),
            listed_from=FAR_FUTURE if meta.first_full is None else meta.first_full,
            listed_to=meta.last_full,
            sessions_from=meta.sessions_from,
            user_days=reader.user_days(first, closed),
            day_totals=reader.day_totals(first, closed),
            sessions=reader.sessions(since, FAR_FUTURE),
            visits=reader.visits(day_bounds(closed, self._zone).end, FAR_FUTURE),
        )

    def _is_continuation(self, reader: Reader, people: list[Account], meta: StoreMetadata) -> bool:
        """Whether what is known is still right, but for what happened of late."""
        known = self.history
        return (
            # else it is another database
            reader.first_observed() == known.observed_from is not None
            # somebody who was forgotten is in no figure any more
            and known.people.keys() <= {person.id for person in people}
            and meta.revision == known.revision
        )

    def ids(self, names: frozenset[str], created: CreationTimes = frozenset()) -> frozenset[int]:
        """The accounts that have some names at the hub.

        A name whose account was deleted, or is another user's, is one that no sample has shown yet.

        Args:
            names: as the hub has them.
            created: when users of these names were created, as far as the hub was asked.
        """
        map_name, accounts, known = self._store.map_name, self._accounts, dict(created)
        found = ((name, accounts.get(map_name(name))) for name in names)
        return frozenset(
            each.id
            for name, each in found
            if each is not None and (name not in known or each.matches_creation(known[name]))
        )

    async def compute(
        self, visible: VisibleUsers, key: Hashable, compute: Callable[[History], Result]
    ) -> Result:
        """One figure of those whom somebody may see, computed once for as long as it is right.

        Args:
            visible: whom.
            key: names the figure, with all its parameters.
            compute: makes it of their history.

        Raises:
            TooManyFigures: so many wait already that this one is not computed.
        """
        scope = None if visible.everybody else (visible.names, visible.created)
        return await self._figures.get_or_compute(
            (scope, key), lambda: self._run_in_thread(scope, compute)
        )

    async def _run_in_thread(self, scope: Scope, compute: Callable[[History], Result]) -> Result:
        if self._waiting[scope] >= MAX_WAITING_PER_SCOPE or self._waiting.total() >= MAX_WAITING:
            raise TooManyFigures
        self._waiting[scope] += 1
        make = partial(self._compute_for, self.history, scope, compute)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, make)
        finally:
            self._waiting[scope] -= 1
            self._waiting += Counter()  # without those of whom none waits

    def _compute_for(
        self, history: History, scope: Scope, compute: Callable[[History], Result]
    ) -> Result:
        if scope is not None:
            users = self.ids(*scope)
            history = history.restricted(users, self._derived_cache_of(users))
        return compute(history)

    def _derived_cache_of(self, users: frozenset[int]) -> DerivedCache:
        """What is known of the parts of a history that these users made."""
        views = self._views
        derived = views.pop(users, None) or DerivedCache()
        views[users] = derived
        weight = sum(BASE_WEIGHT + len(each) for each in views)
        for oldest in list(views)[:-1]:
            if weight <= MAX_VIEW_USERS:
                break
            weight -= BASE_WEIGHT + len(oldest)
            del views[oldest]
        return derived

    def close(self) -> None:
        """Compute nothing any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _weight(figure: object) -> int:
    parts = (figure, *getattr(figure, "__dict__", {}).values())
    return BASE_WEIGHT + sum(len(part) for part in parts if isinstance(part, list | tuple | dict))
