"""The figures as one visitor may see them, and what pages and API share to get at them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, TypeAlias, TypeVar

from tornado.web import HTTPError

from ...handlers.base import BaseHandler
from ..domain.calendar import local_date, utc_datetime
from ..domain.notes import Note, notes_in
from ..domain.records import Sample
from ..domain.terms import Term
from ..figures.comparison import comparison
from ..figures.durations import lengths
from ..figures.heatmap import heat_map
from ..figures.month_report import MonthReport, month_report
from ..figures.periods import Unit, period, periods
from ..figures.person import own_use
from ..figures.servers import running
from ..figures.users import GroupUse, PersonRow, groups, people, people_counts
from ..history.history import History
from ..recorder import NoHistory, Recorder
from .queries import GroupsQuery, PeopleQuery, Range, parse_month
from .responses import Now, Periods, PersonDetail, Summary
from .visibility import Groups, Members, VisibleUsers, get_own_user, get_visible_users

Figure = TypeVar("Figure")

Terms: TypeAlias = tuple[Term, ...]


class View:
    """What one visitor may see.

    All methods but `now` may raise `NoHistory` or `TooManyFigures`.
    """

    def __init__(self, recorder: Recorder, visible: VisibleUsers) -> None:
        self.visible = visible
        self._recorder = recorder

    @property
    def today(self) -> date:
        """The date in the time zone of the figures."""
        return local_date(int(time.time()), self._recorder.zone)

    async def compute(self, figure: Callable[..., Figure], query: Range, *arguments: Any) -> Figure:
        """A figure of a period: ``figure(history, first, last, *arguments)``."""
        archive, days = self._recorder.loaded_archive, query.days(self.today)
        return await archive.compute(self.visible.scope, figure, *days, *arguments)

    async def compute_of(
        self, name: str, figure: Callable[..., Figure], query: Range, *arguments: Any
    ) -> Figure:
        """A figure of one user, by the name that is shown: a pseudonym where users have one.

        404: there is no such user, or the visitor may not see them.
        """
        result = await self.compute(of_user, query, name, figure, *arguments)
        if result is None:
            raise HTTPError(404, "User not found, or you do not have access to their activity.")
        return result

    async def now(self) -> Now:
        sample = self._recorder.collector.latest
        return await asyncio.to_thread(self._now, sample) if sample else Now(None, [])

    def _now(self, sample: Sample) -> Now:
        names = self.visible.accounts_in(sample)
        servers = running(sample, names, self._recorder.store.map_name)
        return Now(utc_datetime(sample.taken), servers)

    async def periods(self, unit: Unit, query: Range) -> Periods:
        """Each day, week or month of a period."""
        rows = await self.compute(periods, query, unit)
        return Periods(self._recorder.zone.key, rows)

    async def people(self, query: PeopleQuery) -> list[PersonRow]:
        """All users that match the query, in its order, once a full sample has been stored."""
        rows = await self.compute(people, query)
        history = self._recorder.archive.history
        if history.now and not history.is_listed:
            raise NoHistory("The hub has not listed all users yet. Try again soon.", 60)
        return await asyncio.to_thread(query.select, rows)

    async def person(self, name: str, query: Range, terms: Terms = ()) -> PersonDetail:
        """One user; see `compute_of`."""
        use = await self.compute_of(name, own_use, query)
        compared = await self.compute_of(name, comparison, query, terms)
        return PersonDetail(name, *query.days(self.today), use, compared)

    async def me(self, query: Range, terms: Terms = ()) -> PersonDetail:
        """The visitor; this must be the visitor's own view."""
        use = await self.compute(own_use, query)
        compared = await self.compute(comparison, query, terms)
        return PersonDetail(self.visible.me or "", *query.days(self.today), use, compared)

    async def groups(self, visible: Groups, query: GroupsQuery) -> list[GroupUse]:
        """The groups that match the query, by the usage of those members who may be seen."""
        return query.select(await self.compute(groups_of, query, visible.members))

    async def month(self, text: str, visible: Groups) -> MonthReport:
        """The report of a month such as ``2026-10``; 404 for what is none."""
        day = parse_month(text)
        if day is None:
            raise HTTPError(404, "This is not a month. Use YYYY-MM, for example 2026-10.")
        archive = self._recorder.loaded_archive
        report = await archive.compute(self.visible.scope, month_report_of, day, visible.members)
        return replace(report, groups_missing=visible.missing)


class ViewHandler(BaseHandler):
    """What pages and API share."""

    @property
    def recorder(self) -> Recorder:
        recorder: Recorder = self.app.recorder
        return recorder

    async def view(self) -> View:
        return View(self.recorder, await get_visible_users(self))

    @property
    def terms(self) -> Terms:
        terms: Terms = self.app.parsed_terms
        return terms

    def notes(self, first: date, last: date) -> list[Note]:
        """The notes on days of a period, which all users may see."""
        return notes_in(self.app.parsed_notes, first, last)

    async def own_view(self) -> View:
        """The view of the visitor's own usage; 404 for a service."""
        if self.current_user.get("kind", "user") != "user":
            raise HTTPError(404, "A service has no usage of its own.")
        return View(self.recorder, await get_own_user(self))


def summary(history: History, first: date, last: date, terms: Terms = ()) -> Summary:
    hours = heat_map(history, first, last)
    return Summary(
        zone=history.zone.key,
        as_of=utc_datetime(history.now or None),
        watched_from=utc_datetime(history.observed_from),
        whole=period(history, first, last),
        lengths=lengths(history, first, last),
        people=people_counts(history, first, last),
        weeks_missing=hours.weeks_missing,
        quietest=hours.quietest,
        maintenance_window=hours.maintenance_window,
        comparison=comparison(history, first, last, terms),
    )


def of_user(
    history: History,
    first: date,
    last: date,
    name: str,
    figure: Callable[..., Figure],
    *arguments: Any,
) -> Figure | None:
    user = history.ids.get(name)
    return None if user is None else figure(history.restricted({user}), first, last, *arguments)


def groups_of(history: History, first: date, last: date, members: Members) -> list[GroupUse]:
    return groups(history, first, last, {name: history.ids_of(names) for name, names in members})


def month_report_of(history: History, day: date, members: Members) -> MonthReport:
    return month_report(history, day, {name: history.ids_of(names) for name, names in members})
