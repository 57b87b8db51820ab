"""The archive: the history in memory, from which all figures are computed, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from .days import ONE_DAY, bounds, day_of
from .figures.history import History
from .figures.kept import Kept
from .model import Person
from .reader import Reader
from .remembered import Remembered
from .store import Store
from .visibility import Visible

Result = TypeVar("Result")

#: Rows of figures that are remembered until the next sample: some 50 MB at most.
FIGURES = 50_000

#: A figure of a few numbers, or of a history of a few users, is as heavy as so many rows or users.
LIGHT = 500

#: Users of the views whose parts are kept: some 100 MB at most.
VIEWS = 15_000

#: Seconds before the latest sample in which all may be other than it was: what the hub and other
#: processes say may be late.
LATE = 86400

#: Later than everything.
_ALWAYS = 2**42


class Archive:
    """Keeps the store's history in memory, up to date, and computes with it in a thread.

    Args:
        store: what it is read from.
        zone: whose days the figures are about.
    """

    def __init__(self, store: Store, zone: ZoneInfo) -> None:
        self.history = History(zone)
        self._store = store
        self._zone = zone
        self._ids: dict[str, int] = {}
        self._thread = ThreadPoolExecutor(1, "activity-figures")
        self._figures = Remembered(FIGURES, _rows)
        self._views: dict[frozenset[int], Kept] = {}  # the latest that was asked for comes last

    async def refresh(self) -> None:
        """Take in what the store has got since.

        Raises:
            Unavailable: the store cannot be read.
        """
        history = await self._store.read(self._news)
        self._ids = {person.name: person.id for person in history.people.values()}
        self.history = history
        self._figures = Remembered(FIGURES, _rows)

    def _news(self, reader: Reader) -> History:
        now = reader.latest_sample()
        if now is None:
            return History(self._zone)
        people = reader.people()
        known = self.history
        since = known.now - LATE
        if not self._goes_on(reader, people, since):
            known, since = History(self._zone), 0
        closed = day_of(reader.rolled_until() or 0, self._zone) - ONE_DAY
        if known.closed and known.closed > closed:  # later days are yet to be rolled up again
            known = replace(known, closed=closed if closed in known.hub_totals else None)
        first = day_of(since, self._zone) if since else date.min
        return known.updated(
            now=now,
            people=people,
            coverage=reader.coverage(0, _ALWAYS),
            watched_from=reader.first_watched(),
            sessions_from=reader.sessions_from(),
            user_days=reader.user_days(first, closed),
            day_totals=reader.day_totals(first, closed),
            sessions=reader.sessions(since, _ALWAYS),
            visits=reader.visits(bounds(closed, self._zone).end, _ALWAYS),
        )

    def _goes_on(self, reader: Reader, people: list[Person], since: int) -> bool:
        """Whether what is known is still right, but for what happened since a moment."""
        known = self.history
        return (
            # else it is another database
            reader.first_watched() == known.watched_from is not None
            # somebody who was forgotten is in no figure any more
            and known.people.keys() <= {person.id for person in people}
            # else days are other than they were, however long ago
            and known.sessions.has_all(reader.sessions(since, since))
        )

    def ids(self, names: frozenset[str]) -> frozenset[int]:
        """Those of some names, as the hub has them, who were ever seen."""
        naming = self._store.naming
        return frozenset(self._ids[kept] for name in names if (kept := naming(name)) in self._ids)

    async def figure(
        self, visible: Visible, key: Hashable, compute: Callable[[History], Result]
    ) -> Result:
        """One figure of those whom somebody may see, computed once for as long as it is right.

        Args:
            visible: whom.
            key: names the figure, with all its parameters.
            compute: makes it of their history.
        """
        users = None if visible.everybody else self.ids(visible.names)
        return await self._figures.once((users, key), lambda: self._run(users, compute))

    async def _run(
        self, users: frozenset[int] | None, compute: Callable[[History], Result]
    ) -> Result:
        history = self.history
        make = partial(self._make, history, users, compute)
        return await asyncio.get_running_loop().run_in_executor(self._thread, make)

    def _make(
        self, history: History, users: frozenset[int] | None, compute: Callable[[History], Result]
    ) -> Result:
        if users is not None:
            history = history.of(users, self._kept_for(users))
        return compute(history)

    def _kept_for(self, users: frozenset[int]) -> Kept:
        """What is known of the parts of a history that these users made."""
        kept = self._views.pop(users, None) or Kept()
        self._views[users] = kept
        weight = sum(LIGHT + len(each) for each in self._views)
        for oldest in list(self._views)[:-1]:
            if weight <= VIEWS:
                break
            weight -= LIGHT + len(oldest)
            del self._views[oldest]
        return kept

    def close(self) -> None:
        """Compute nothing any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _rows(figure: object) -> int:
    parts = (figure, *getattr(figure, "__dict__", {}).values())
    return LIGHT + sum(len(part) for part in parts if isinstance(part, list | tuple | dict))
