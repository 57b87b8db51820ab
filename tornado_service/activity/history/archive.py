"""The archive: keeps the history in memory up to date, and computes figures from it in a thread."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from tornado.web import HTTPError

from ..domain.calendar import ONE_DAY, day_bounds, local_date
from ..domain.idle import observed_times
from ..domain.prices import Prices
from ..domain.records import FAR_FUTURE, Account
from ..schema.metadata import StoreMetadata
from ..store.reader import Reader
from ..store.store import Store
from ..store.writer import LATE_WINDOW
from .cache import DerivedCache, SingleFlightCache
from .history import CreationTimes, History

Result = TypeVar("Result")

#: Rows of figures that are cached until the next sample: some 50 MB at most.
MAX_CACHED_ROWS = 50_000

#: Weight in rows or users of a figure of a few numbers, or of a history of a few users.
BASE_WEIGHT = 500

#: Users of all views whose parts are cached: some 100 MB at most.
MAX_VIEW_USERS = 15_000

#: Figures that may be queued: all, and those of the same scope.
MAX_WAITING, MAX_WAITING_PER_SCOPE = 64, 16

#: The names of the users a figure is about, and which account of a name; ``None``: all users.
Scope = tuple[frozenset[str], CreationTimes] | None


class TooManyFigures(HTTPError):
    """503: more figures are queued than can be computed in good time."""

    retry_after = 5

    def __init__(self) -> None:
        super().__init__(503, "Activity is busy computing figures. Try again shortly.")


class Archive:
    """The store's history in memory; ``is_loaded``: whether one has been read."""

    def __init__(self, store: Store, zone: ZoneInfo, prices: Prices | None = None) -> None:
        self._empty = History(zone, map_name=store.map_name, prices=prices)
        self.history = self._empty
        self.is_loaded = False
        self._store = store
        self._zone = zone
        self._thread = ThreadPoolExecutor(1, "activity-figures")
        self._waiting: Counter[Scope] = Counter()
        self._figures = SingleFlightCache(MAX_CACHED_ROWS, _weight)
        #: by users; the latest that was used comes last
        self._views: dict[frozenset[int], DerivedCache] = {}

    async def refresh(self) -> None:
        """Read what is new in the store; fails as `Store.read` does."""
        history = await self._store.read(self._updated_history)
        before = self.history
        if history.derived_cache is not before.derived_cache or history.closed != before.closed:
            self._views = {}  # else they would keep days and weeks alive that are no more
        self.history = history
        self.is_loaded = True
        self._figures = SingleFlightCache(MAX_CACHED_ROWS, _weight)

    def unload(self) -> None:
        """Show nothing of what has been read."""
        self.history = self._empty
        self.is_loaded = False
        self._views = {}
        self._figures = SingleFlightCache(MAX_CACHED_ROWS, _weight)

    def _updated_history(self, reader: Reader) -> History:
        now = reader.latest_sample()
        if now is None:
            return self._empty
        people, meta = reader.people(), reader.meta()
        before = self.history
        since = self._changed_from(reader, people, meta)
        if not since:
            before = replace(self._empty, derived_cache=DerivedCache())
        closed = meta.first_open_day(self._zone) - ONE_DAY
        if before.closed and before.closed > closed:  # later days are yet to be rolled up again
            before = replace(before, closed=closed if closed in before.hub_totals else None)
        first = local_date(since, self._zone) if since else date.min
        opened = day_bounds(closed, self._zone).end
        return before.updated(
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
            visits=reader.visits(opened, FAR_FUTURE),
            observed=observed_times(reader.sessions(opened, FAR_FUTURE, with_idle=True), opened),
        )

    def _changed_from(self, reader: Reader, people: list[Account], meta: StoreMetadata) -> int:
        """The moment up to which the history in memory is still right; 0: nothing of it is."""
        before, late_changes = self.history, self._store.late_changes
        dropped = meta.sessions_from or 0
        revisions = range(before.revision + 1, meta.revision + 1)
        is_continuation = (
            # else it is another database
            reader.first_observed() == before.observed_from is not None
            # a user who was removed is in no figure any more
            and before.people.keys() <= {account.id for account in people}
            and before.revision <= meta.revision
            # else nobody here knows what has changed
            and late_changes.keys() >= set(revisions)
        )
        if not is_continuation:
            return 0
        # one second earlier: what ended at that moment has changed, too
        late = [late_changes[number] - 1 for number in revisions]
        # of what has changed, some may have been dropped since
        return min([before.now - LATE_WINDOW, *late]) if all(dropped < at for at in late) else 0

    async def compute(self, scope: Scope, figure: Callable[..., Result], *arguments: Any) -> Result:
        """Compute a figure of some users, once until the next sample, or raise `TooManyFigures`.

        ``figure`` is called in a thread, with their history and the arguments; function and
        arguments are the key of the cache.
        """

        async def compute() -> Result:
            if (
                self._waiting[scope] >= MAX_WAITING_PER_SCOPE
                or self._waiting.total() >= MAX_WAITING
            ):
                raise TooManyFigures
            self._waiting[scope] += 1
            history = self.history
            try:
                return await asyncio.get_running_loop().run_in_executor(
                    self._thread, lambda: figure(self._restricted(history, scope), *arguments)
                )
            finally:
                self._waiting[scope] -= 1
                self._waiting += Counter()  # without the scopes of which none waits

        return await self._figures.get_or_compute((scope, figure, arguments), compute)

    def _restricted(self, history: History, scope: Scope) -> History:
        if scope is None:
            return history
        users = history.ids_of(*scope)
        derived = self._views.pop(users, None) or DerivedCache()
        self._views[users] = derived
        weight = sum(BASE_WEIGHT + len(view) for view in self._views)
        for oldest in list(self._views)[:-1]:
            if weight <= MAX_VIEW_USERS:
                break
            weight -= BASE_WEIGHT + len(oldest)
            del self._views[oldest]
        return history.restricted(users, derived)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


def _weight(figure: object) -> int:
    if (weight := getattr(figure, "weight", None)) is not None:
        return BASE_WEIGHT + int(weight)
    parts = (figure, *getattr(figure, "__dict__", {}).values())
    return BASE_WEIGHT + sum(len(part) for part in parts if isinstance(part, list | tuple | dict))
