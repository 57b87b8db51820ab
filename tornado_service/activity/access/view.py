"""The figures as one visitor may see them, and what pages and API share to get at them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date
from typing import Any, TypeAlias, TypeVar

from tornado.web import HTTPError

from ...handlers.base import BaseHandler
from ..domain.calendar import local_date, utc_datetime
from ..domain.notes import Note, notes_in
from ..domain.pseudonyms import identity
from ..domain.records import Sample
from ..domain.terms import Term
from ..figures.comparison import comparison
from ..figures.durations import lengths
from ..figures.groups.comparison import GroupComparison, compare_groups
from ..figures.groups.roster import Roster, roster
from ..figures.heatmap import heat_map
from ..figures.periods import Unit, period, periods
from ..figures.person import own_use
from ..figures.reports.month_report import MonthReport, month_report
from ..figures.reports.report import Report, report
from ..figures.servers.running import running
from ..figures.users import GroupUse, PersonRow, groups, people, people_counts
from ..history.cache import DerivedCache
from ..history.history import History
from ..recorder import NoHistory, Recorder
from .queries import DateRange, GroupFilter, GroupsQuery, PeopleQuery, parse_month
from .responses import Now, Periods, PersonDetail, Summary
from .visibility import (
    Groups,
    Members,
    VisibleUsers,
    get_own_user,
    get_visible_groups,
    get_visible_users,
)

Figure = TypeVar("Figure")

Terms: TypeAlias = tuple[Term, ...]
#: Of groups that do not exist and of those that the hub does not show alike.
GROUP_NOT_FOUND = "Group not found, or you do not have access to it."


class View:
    """What one visitor may see, or the part of it that is about some groups.

    All methods but `now` may raise `NoHistory` or `TooManyFigures`.

    Args:
        recorder: where the figures are from.
        visible: whose usage the visitor may see.
        groups: every figure is about their members alone; ``None``: about all visible users.
    """

    def __init__(
        self, recorder: Recorder, visible: VisibleUsers, groups: Groups | None = None
    ) -> None:
        self.visible = visible
        #: whose usage it is
        self.users = visible if groups is None else visible.within(groups.everyone)
        self._recorder = recorder

    @property
    def today(self) -> date:
        """The date in the time zone of the figures."""
        return local_date(int(time.time()), self._recorder.zone)

    async def compute(
        self, figure: Callable[..., Figure], query: DateRange, *arguments: Any
    ) -> Figure:
        """A figure of a period: ``figure(history, first, last, *arguments)``."""
        archive, days = await self._recorder.get_archive(), query.days(self.today)
        return await archive.compute(self.users.scope, figure, *days, *arguments)

    async def compute_of(
        self, name: str, figure: Callable[..., Figure], query: DateRange, *arguments: Any
    ) -> Figure:
        """A figure of one user, by the name that is shown: a pseudonym where users have one.

        404: there is no such user, or the visitor may not see them.
        """
        result = await self.compute(of_user, query, name, figure, *arguments)
        if result is None:
            raise HTTPError(404, "User not found, or you do not have access to their activity.")
        return result

    async def now(self) -> Now:
        await self._recorder.wait_for_news()
        sample = self._recorder.collector.latest
        return await asyncio.to_thread(self._now, sample) if sample else Now(None, [])

    def _now(self, sample: Sample) -> Now:
        users, map_name = self.users, self._recorder.store.map_name
        if sample.has_pseudonyms:
            users, map_name = users.under(map_name), identity
        servers = running(sample, users.accounts_in(sample), map_name)
        return Now(utc_datetime(sample.taken), servers)

    async def periods(self, unit: Unit, query: DateRange) -> Periods:
        """Each day, week or month of a period."""
        rows = await self.compute(periods, query, unit)
        return Periods(self._recorder.zone.key, rows)

    async def people(self, query: PeopleQuery) -> list[PersonRow]:
        """All users that match the query, in its order, once a full sample has been stored."""
        rows = await self.compute(people, query)
        self._check_listed()
        return await asyncio.to_thread(query.select, rows)

    async def person(self, name: str, query: DateRange, terms: Terms = ()) -> PersonDetail:
        """One user; see `compute_of`."""
        use = await self.compute_of(name, own_use, query)
        compared = await self.compute_of(name, comparison, query, terms)
        return PersonDetail(name, *query.days(self.today), use, compared)

    async def me(self, query: DateRange, terms: Terms = ()) -> PersonDetail:
        """The visitor; this must be the visitor's own view."""
        use = await self.compute(own_use, query)
        compared = await self.compute(comparison, query, terms)
        return PersonDetail(self.visible.me or "", *query.days(self.today), use, compared)

    async def groups(self, visible: Groups, query: GroupsQuery) -> list[GroupUse]:
        """The groups that match the query, by the usage of those members who may be seen."""
        return query.select(await self.compute(groups_of, query, visible.members))

    async def compare(self, groups: Groups, unit: Unit, query: DateRange) -> GroupComparison:
        """These groups next to each other; the view is about their members."""
        return await self.compute(comparison_of, query, unit, groups.members)

    async def roster(self, groups: Groups, query: DateRange) -> Roster:
        """The members of the group that the view is about, once a full sample has been stored."""
        [(_, names)] = groups.members
        result = await self.compute(roster_of, query, names)
        self._check_listed()
        return result

    def shows(self, names: frozenset[str], shown: str) -> bool:
        """Whether a user who is shown by this name is among these names of the hub."""
        return shown in map(self._recorder.store.map_name, names)

    def _check_listed(self) -> None:
        history = self._recorder.archive.history
        if history.now and not history.is_listed:
            raise NoHistory("The hub has not listed all users yet. Try again soon.", 60)

    async def report(self, query: DateRange, unit: Unit, terms: Terms, visible: Groups) -> Report:
        """The report of a period, with these groups."""
        result = await self.compute(report_of, query, unit, terms, visible.members)
        return replace(result, groups_missing=visible.missing)

    async def month(self, text: str, visible: Groups) -> MonthReport:
        """The report of a month such as ``2026-10``; 404 for what is none."""
        day = parse_month(text)
        if day is None:
            raise HTTPError(404, "This is not a month. Use YYYY-MM, for example 2026-10.")
        archive = await self._recorder.get_archive()
        report = await archive.compute(self.users.scope, month_report_of, day, visible.members)
        return replace(report, groups_missing=visible.missing)


class ViewHandler(BaseHandler):
    """What pages and API share."""

    @property
    def recorder(self) -> Recorder:
        recorder: Recorder = self.app.recorder
        return recorder

    async def view(self, query: GroupFilter) -> View:
        """The view of those whom the visitor may see, and who are in the groups of the query."""
        if query.group:
            view, _ = await self.view_of_groups(query.group)
            return view
        return View(self.recorder, await get_visible_users(self))

    @property
    def terms(self) -> Terms:
        terms: Terms = self.app.parsed_terms
        return terms

    def notes(self, first: date, last: date) -> list[Note]:
        """The notes on days of a period, which all users may see."""
        return notes_in(self.app.parsed_notes, first, last)

    async def view_of_groups(self, names: Collection[str]) -> tuple[View, Groups]:
        """The view of some groups; 404 if the hub does not show each of them to the visitor."""
        groups = (await get_visible_groups(self)).only(names)
        if not set(names) <= set(groups.names):
            raise HTTPError(404, GROUP_NOT_FOUND)
        return View(self.recorder, await get_visible_users(self), groups), groups

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
        currency=history.prices.currency if history.prices else None,
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
    if user is None:
        return None
    # all figures of a page about one user have it in common
    derived_cache = history.derived_cache.get("user", [history.people[user]], DerivedCache)
    return figure(history.restricted({user}, derived_cache), first, last, *arguments)


def groups_of(history: History, first: date, last: date, members: Members) -> list[GroupUse]:
    return groups(history, first, last, {name: history.ids_of(names) for name, names in members})


def comparison_of(
    history: History, first: date, last: date, unit: Unit, members: Members
) -> GroupComparison:
    ids = {name: history.ids_of(names) for name, names in members}
    return compare_groups(history, first, last, unit, ids)


def roster_of(history: History, first: date, last: date, names: frozenset[str]) -> Roster:
    return roster(history, first, last, map(history.map_name, names))


def report_of(
    history: History, first: date, last: date, unit: Unit, terms: Terms, members: Members
) -> Report:
    ids = {name: history.ids_of(names) for name, names in members}
    return report(history, first, last, unit, terms, ids)


def month_report_of(history: History, day: date, members: Members) -> MonthReport:
    return month_report(history, day, {name: history.ids_of(names) for name, names in members})
