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

from ..access.visibility import Visible
from ..domain.calendar import ONE_DAY, bounds, day_of
from ..domain.records import Person
from ..schema.metadata import Meta
from ..store.reader import Reader
from ..store.store import Store
from ..store.writer import LATE
from .cache import Remembered
from .derived_cache import Kept
from .history import NOT_YET, History

Result = TypeVar("Result")

#: Rows of figures that are remembered until the next sample: some 50 MB at most.
FIGURES = 50_000

#: A figure of a few numbers, or of a history of a few users, is as heavy as so many rows or users.
LIGHT = 500

#: Users of the views whose parts are kept: some 100 MB at most.
VIEWS = 15_000

#: Figures that may wait for their turn: all, and those about the same people.
WAITING, WAITING_EACH = 64, 16

#: When users were created, by name.
Created = frozenset[tuple[str, int | None]]

#: The names of those whom a figure is about, and which account of a name; ``None``: everybody.
Scope = tuple[frozenset[str], Created] | None


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
        self._accounts: dict[str, Person] = {}
        self._thread = ThreadPoolExecutor(1, "activity-figures")
        self._waiting: Counter[Scope] = Counter()
        self._figures = Remembered(FIGURES, _rows)
        self._views: dict[frozenset[int], Kept] = {}  # the latest that was asked for comes last

    async def refresh(self) -> None:
        """Take in what the store has got since.

        Raises:
            Unavailable: the store cannot be read.
        """
        history = await self._store.read(self._news)
        people = history.people.values()
        self._accounts = {each.name: each for each in people if each.deleted is None}
        if history.kept is not self.history.kept or history.closed != self.history.closed:
            self._views = {}  # else they would keep days and weeks alive that are no more
        self.history = history
        self.is_loaded = True
        self._figures = Remembered(FIGURES, _rows)

    def _news(self, reader: Reader) -> History:
        now = reader.latest_sample()
        if now is None:
            return History(self._zone)
        people, meta = reader.people(), reader.meta()
        known = self.history
        since = known.now - LATE
        if not self._goes_on(reader, people, meta):
            known, since = History(self._zone), 0
        closed = meta.first_open_day(self._zone) - ONE_DAY
        if known.closed and known.closed > closed:  # later days are yet to be rolled up again
            known = replace(known, closed=closed if closed in known.hub_totals else None)
        first = day_of(since, self._zone) if since else date.min
        return known.updated(
            now=now,
            revision=meta.revision,
            people=people,
            coverage=reader.coverage(0, NOT_YET),
            watched_from=reader.first_watched(),
            listed_from=NOT_YET if meta.first_full is None else meta.first_full,
            listed_to=meta.last_full,
            sessions_from=meta.sessions_from,
            user_days=reader.user_days(first, closed),
            day_totals=reader.day_totals(first, closed),
            sessions=reader.sessions(since, NOT_YET),
            visits=reader.visits(bounds(closed, self._zone).end, NOT_YET),
        )

    def _goes_on(self, reader: Reader, people: list[Person], meta: Meta) -> bool:
        """Whether what is known is still right, but for what happened of late."""
        known = self.history
        return (
            # else it is another database
            reader.first_watched() == known.watched_from is not None
            # somebody who was forgotten is in no figure any more
            and known.people.keys() <= {person.id for person in people}
            and meta.revision == known.revision
        )

    def ids(self, names: frozenset[str], created: Created = frozenset()) -> frozenset[int]:
        """The accounts that have some names at the hub.

        A name whose account was deleted, or is another user's, is one that no sample has shown yet.

        Args:
            names: as the hub has them.
            created: when users of these names were created, as far as the hub was asked.
        """
        naming, accounts, known = self._store.naming, self._accounts, dict(created)
        found = ((name, accounts.get(naming(name))) for name in names)
        return frozenset(
            each.id
            for name, each in found
            if each is not None and (name not in known or each.is_of(known[name]))
        )

    async def figure(
        self, visible: Visible, key: Hashable, compute: Callable[[History], Result]
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
        return await self._figures.once((scope, key), lambda: self._run(scope, compute))

    async def _run(self, scope: Scope, compute: Callable[[History], Result]) -> Result:
        if self._waiting[scope] >= WAITING_EACH or self._waiting.total() >= WAITING:
            raise TooManyFigures
        self._waiting[scope] += 1
        make = partial(self._make, self.history, scope, compute)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, make)
        finally:
            self._waiting[scope] -= 1
            self._waiting += Counter()  # without those of whom none waits

    def _make(self, history: History, scope: Scope, compute: Callable[[History], Result]) -> Result:
        if scope is not None:
            users = self.ids(*scope)
            history = history.of(users, self._kept_for(users))
        return compute(history)

    def _kept_for(self, users: frozenset[int]) -> Kept:
        """What is known of the parts of a history that these users made."""
        views = self._views
        kept = views.pop(users, None) or Kept()
        views[users] = kept
        weight = sum(LIGHT + len(each) for each in views)
        for oldest in list(views)[:-1]:
            if weight <= VIEWS:
                break
            weight -= LIGHT + len(oldest)
            del views[oldest]
        return kept

    def close(self) -> None:
        """Compute nothing any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _rows(figure: object) -> int:
    parts = (figure, *getattr(figure, "__dict__", {}).values())
    return LIGHT + sum(len(part) for part in parts if isinstance(part, list | tuple | dict))
