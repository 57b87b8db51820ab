"""The figures as one visitor may see them, and what pages and API share to get at them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import date
from typing import Any

from tornado.web import HTTPError

from ...handlers.base import BaseHandler
from ..domain.calendar import local_date
from ..domain.records import Sample
from ..figures.durations import lengths
from ..figures.heatmap import HeatMap, heat_map
from ..figures.month_report import MonthReport, month_report
from ..figures.periods import Unit, period, periods
from ..figures.person import OwnUse, own_use
from ..figures.servers import running
from ..figures.users import GroupUse, PersonUse, groups, people, people_counts
from ..history.history import History
from ..recorder import NoHistory, Recorder
from .queries import PeopleQuery, Range, parse_month
from .responses import Now, Periods, PersonDetail, Summary, filtered_people, utc_datetime
from .visibility import Groups, VisibleUsers, get_own_user, get_visible_users

#: The names of the members of groups.
Members = tuple[tuple[str, frozenset[str]], ...]

#: Units of time, by what the API calls them.
UNITS: dict[str, Unit] = {"days": "day", "weeks": "week", "months": "month"}


class View:
    """What one visitor may see.

    Args:
        recorder: has the figures.
        visible: whose usage it is.

    Raises:
        NoHistory: any method but `now`; there is no history, or not yet.
        TooManyFigures: likewise; too many figures are queued.
    """

    def __init__(self, recorder: Recorder, visible: VisibleUsers) -> None:
        self.visible = visible
        self._recorder = recorder
        self._scope = visible.scope

    @property
    def today(self) -> date:
        """The date in the time zone of the figures."""
        return local_date(int(time.time()), self._recorder.zone)

    async def now(self) -> Now:
        sample = self._recorder.collector.latest
        return await asyncio.to_thread(self._now, sample) if sample else Now(None, [])

    def _now(self, sample: Sample) -> Now:
        map_name = self._recorder.store.map_name
        servers = [
            replace(server, user=map_name(server.user))
            for server in running(sample, self._names_in(sample))
        ]
        # by the names that are shown: pseudonyms in the order of names would tell whose they are
        servers.sort(key=lambda server: (server.user, server.server))
        return Now(utc_datetime(sample.taken), servers)

    def _names_in(self, sample: Sample) -> frozenset[str] | None:
        if self.visible.everybody:
            return None
        created = dict(self.visible.created)
        return frozenset(
            user.name
            for user in sample.users
            if user.name in self.visible.names
            and created.get(user.name, user.created) == user.created
        )

    async def summary(self, query: Range) -> Summary:
        days = query.days(self.today)
        return await self._recorder.loaded_archive.compute(self._scope, summary, *days)

    async def periods(self, unit: str, query: Range) -> Periods:
        """Each day, week or month of a period; see ``UNITS``."""
        archive, days = self._recorder.loaded_archive, query.days(self.today)
        rows = await archive.compute(self._scope, periods, UNITS[unit], *days)
        return Periods(self._recorder.zone.key, rows)

    async def heat_map(self, query: Range) -> HeatMap:
        days = query.days(self.today)
        return await self._recorder.loaded_archive.compute(self._scope, heat_map, *days)

    async def people(self, query: PeopleQuery) -> list[PersonUse]:
        """All users that match the query, in its order.

        Raises:
            NoHistory: also if no full sample has been stored yet.
        """
        archive, days = self._recorder.loaded_archive, query.days(self.today)
        rows = await archive.compute(self._scope, people, *days)
        if archive.history.now and not archive.history.is_listed:
            raise NoHistory("The hub has not listed all users yet. Try again soon.", 60)
        return await asyncio.to_thread(filtered_people, rows, query)

    async def person(self, name: str, query: Range) -> PersonDetail:
        """One user, by the name that is shown: a pseudonym where users have one.

        Raises:
            HTTPError: 404, there is no such user, or the visitor may not see them.
        """
        archive, days = self._recorder.loaded_archive, query.days(self.today)
        use = await archive.compute(self._scope, own_use_of, name, *days)
        return PersonDetail(name, *days, _found(use))

    async def person_heat_map(self, name: str, query: Range) -> HeatMap:
        """The hours of the week of one user; see `person`."""
        archive, days = self._recorder.loaded_archive, query.days(self.today)
        return _found(await archive.compute(self._scope, heat_map_of, name, *days))

    async def me(self, query: Range) -> PersonDetail:
        """The visitor; this must be the visitor's own view."""
        days = query.days(self.today)
        use = await self._recorder.loaded_archive.compute(self._scope, own_use, *days)
        return PersonDetail(self.visible.me or "", *days, use)

    async def groups(self, visible: Groups, query: Range) -> list[GroupUse]:
        """The groups, by the usage of those members whom the visitor may see."""
        archive, days = self._recorder.loaded_archive, query.days(self.today)
        members = tuple(visible.members.items())
        return await archive.compute(self._scope, groups_of, *days, members)

    async def month(self, text: str, visible: Groups) -> MonthReport:
        """The report of a month such as ``2026-10``.

        Raises:
            HTTPError: 404, that is no month.
        """
        day = parse_month(text)
        if day is None:
            raise HTTPError(404, "This is not a month. Use YYYY-MM, for example 2026-10.")
        archive, members = self._recorder.loaded_archive, tuple(visible.members.items())
        report = await archive.compute(self._scope, month_report_of, day, members)
        return replace(report, groups_missing=visible.missing)


class ViewHandler(BaseHandler):
    """What pages and API share."""

    @property
    def recorder(self) -> Recorder:
        recorder: Recorder = self.app.recorder
        return recorder

    async def view(self) -> View:
        """The view of the visitor.

        Raises:
            HubUnavailable: the hub does not say whom they may see.
        """
        return View(self.recorder, await get_visible_users(self))

    async def own_view(self) -> View:
        """The view of the visitor's own usage.

        Raises:
            HTTPError: 404, the visitor is a service.
            HubUnavailable: the hub does not say when the visitor was created.
        """
        if self.current_user.get("kind", "user") != "user":
            raise HTTPError(404, "A service has no use of its own.")
        return View(self.recorder, await get_own_user(self))


def _found(figure: Any) -> Any:
    if figure is None:
        raise HTTPError(404, "User not found, or you do not have access to their activity.")
    return figure


def summary(history: History, first: date, last: date) -> Summary:
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
    )


def own_use_of(history: History, name: str, first: date, last: date) -> OwnUse | None:
    user = history.ids.get(name)
    return None if user is None else own_use(history.restricted({user}), first, last)


def heat_map_of(history: History, name: str, first: date, last: date) -> HeatMap | None:
    user = history.ids.get(name)
    return None if user is None else heat_map(history.restricted({user}), first, last)


def groups_of(history: History, first: date, last: date, members: Members) -> list[GroupUse]:
    return groups(history, first, last, {name: history.ids_of(names) for name, names in members})


def month_report_of(history: History, day: date, members: Members) -> MonthReport:
    return month_report(history, day, {name: history.ids_of(names) for name, names in members})
