"""A view: the figures as one visitor may see them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from tornado.web import HTTPError

from ..domain.calendar import local_date
from ..domain.records import Sample
from ..figures.durations import lengths
from ..figures.heatmap import HeatMap, heat_map
from ..figures.month_report import MonthReport, month_report
from ..figures.periods import Unit, period, periods
from ..figures.person import OwnUse, own_use
from ..figures.servers import Running, running
from ..figures.users import GroupUse, PersonUse, groups, people, people_counts
from ..history.archive import TooManyFigures
from ..history.history import History
from .queries import PeopleQuery, Range
from .responses import (
    GroupList,
    Now,
    People,
    Periods,
    PersonDetail,
    Summary,
    ordered,
    people_page,
    utc_datetime,
)
from .visibility import Groups, VisibleUsers, get_visible_users, own_creation_time

if TYPE_CHECKING:
    from ...handlers.base import BaseHandler
    from ..app import Activity

Result = TypeVar("Result")

#: The names of the members of groups.
Members = tuple[tuple[str, frozenset[str]], ...]
FindAccountIds = Callable[[frozenset[str]], frozenset[int]]

#: Units of time, by what the API calls them.
UNITS: dict[str, Unit] = {"days": "day", "weeks": "week", "months": "month"}


class NoHistory(HTTPError):
    """503: there is no history to be shown, or not yet.

    Attributes:
        retry_after: seconds.
    """

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(503, message)
        self.retry_after = retry_after


class TooManyRequests(HTTPError):
    """503: others wait for their figures."""

    retry_after = 5

    def __init__(self) -> None:
        super().__init__(503, "Too many figures are asked for at the same time. Try again soon.")


class View:
    """What one visitor may see.

    Args:
        app: has the figures.
        visible: whose use it is.
        own_creation_time: tells when the visitor was created.
    """

    def __init__(
        self,
        app: Activity,
        visible: VisibleUsers,
        own_creation_time: Callable[[], Awaitable[dict[str, int | None]]],
    ) -> None:
        self.visible = visible
        self._app = app
        self._own_creation_time = own_creation_time

    @property
    def today(self) -> date:
        """The date in the zone of the figures."""
        return local_date(int(time.time()), self._app.zone)

    async def _compute(
        self, what: str, compute: Callable[..., Result], *arguments: object
    ) -> Result:
        """One figure of everybody whom the visitor may see.

        Raises:
            NoHistory: there is none, or not yet.
            TooManyRequests: too much is asked for at the same time.
        """
        return await self._compute_for(self.visible, what, compute, *arguments)

    async def _compute_for(
        self, visible: VisibleUsers, what: str, compute: Callable[..., Result], *arguments: object
    ) -> Result:
        archive = self._app.archive
        if not archive.is_loaded and self._app.has_history:
            raise NoHistory("The history is getting ready. Try again soon.", 5)
        if not archive.is_loaded:
            raise NoHistory("No history is kept: only what runs now is known.", 3600)
        make = partial(_apply, compute, arguments)
        try:
            return await archive.compute(visible, (what, arguments), make)
        except TooManyFigures:
            raise TooManyRequests from None

    async def now(self) -> Now:
        """What runs now."""
        sample = self._app.collector.latest
        return await asyncio.to_thread(self._now, sample) if sample else Now(None, [])

    def _now(self, sample: Sample) -> Now:
        named = map(self._displayed, running(sample, self._names_in(sample)))
        # by the names that are shown: pseudonyms in the order of names would tell whose they are
        return Now(
            utc_datetime(sample.taken), sorted(named, key=lambda each: (each.user, each.server))
        )

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

    def _displayed(self, server: Running) -> Running:
        return replace(server, user=self._app.store.map_name(server.user))

    async def summary(self, query: Range) -> Summary:
        """The main figures of a range."""
        return await self._compute("summary", summary, *query.days(self.today))

    async def periods(self, unit: str, query: Range) -> Periods:
        """Each day, week or month of a range; see ``UNITS``."""
        found = await self._compute("periods", periods, UNITS[unit], *query.days(self.today))
        return Periods(self._app.timezone, found)

    async def heat_map(self, query: Range) -> HeatMap:
        """How busy each hour of the week is."""
        return await self._compute("heat map", heat_map, *query.days(self.today))

    async def all_people(self, query: PeopleQuery) -> list[PersonUse]:
        """Everybody, in the order that is asked for.

        Raises:
            NoHistory: no sample of all users has been kept yet.
        """
        uses = await self._compute("people", people, *query.days(self.today))
        history = self._app.archive.history
        if history.now and not history.is_listed:
            raise NoHistory("The hub has not listed all users yet. Try again soon.", 60)
        return await asyncio.to_thread(ordered, uses, query.sort, query.q)

    async def people(self, query: PeopleQuery) -> People:
        """A page of the people."""
        return people_page(await self.all_people(query), query.page)

    async def person(self, name: str, query: Range) -> PersonDetail | None:
        """One person; nothing for somebody who does not exist, or whom the visitor may not see.

        Args:
            name: as it is shown: a pseudonym where people have one.
            query: the range.
        """
        known = await self._compute("names", names)
        if name not in known:
            return None
        first, last = query.days(self.today)
        use = await self._compute("person", own_use_of, known[name], first, last)
        return PersonDetail(name, first, last, use)

    async def me(self, query: Range) -> PersonDetail | None:
        """The visitor's own use; nothing for a service, which uses no servers."""
        me = self.visible.me
        if me is None:
            return None
        first, last = query.days(self.today)
        alone = await self._only_visitor(me)
        use = await self._compute_for(alone, "own use", own_use, first, last)
        return PersonDetail(me, first, last, use)

    async def person_heat_map(self, name: str, query: Range) -> HeatMap:
        """How busy one person is in each hour of the week.

        Args:
            name: of somebody whom `person` has found.
            query: the range.
        """
        known = await self._compute("names", names)
        days = query.days(self.today)
        return await self._compute("person heat map", heat_map_of, known[name], *days)

    async def my_heat_map(self, query: Range) -> HeatMap:
        """How busy the visitor is in each hour of the week; `me` has found them."""
        alone = await self._only_visitor(self.visible.me or "")
        return await self._compute_for(alone, "heat map", heat_map, *query.days(self.today))

    async def _only_visitor(self, me: str) -> VisibleUsers:
        return VisibleUsers(
            False, frozenset({me}), me, frozenset((await self._own_creation_time()).items())
        )

    async def groups(self, found: Groups, query: Range) -> GroupList:
        """The groups, by the use of those members whom the visitor may see."""
        rows = await self._compute(
            "groups", self._with_account_ids(groups_of), *query.days(self.today), _members(found)
        )
        return GroupList(found.missing, rows)

    async def month(self, day: date, found: Groups) -> MonthReport:
        """The report of the month that a day is in."""
        compute = self._with_account_ids(month_report_of)
        return await self._compute("month", compute, day, _members(found))

    def _with_account_ids(self, compute: Callable[..., Result]) -> Callable[..., Result]:
        """The same for a function that has to find members by their names."""
        return partial(compute, ids=partial(self._app.archive.ids, created=self.visible.created))


async def view_for(handler: BaseHandler) -> View:
    """The view of a handler's caller.

    Raises:
        HubUnavailable: the hub would have to say whom they may see, and does not answer.
    """
    return View(handler.app, await get_visible_users(handler), partial(own_creation_time, handler))


def _apply(
    compute: Callable[..., Result], arguments: tuple[object, ...], history: History
) -> Result:
    return compute(history, *arguments)


def summary(history: History, first: date, last: date) -> Summary:
    """The main figures of a range."""
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


def names(history: History) -> dict[str, int]:
    """The id of the account of each name."""
    return history.ids


def own_use_of(history: History, user: int, first: date, last: date) -> OwnUse:
    """One person's use."""
    return own_use(history.restricted({user}), first, last)


def heat_map_of(history: History, user: int, first: date, last: date) -> HeatMap:
    """One person's hours of the week."""
    return heat_map(history.restricted({user}), first, last)


def groups_of(
    history: History, first: date, last: date, members: Members, ids: FindAccountIds
) -> list[GroupUse]:
    """Each group by the use of its members."""
    return groups(history, first, last, {name: ids(names) for name, names in members})


def month_report_of(
    history: History, day: date, members: Members, ids: FindAccountIds
) -> MonthReport:
    """The report of a month."""
    return month_report(history, day, {name: ids(names) for name, names in members})


def _members(found: Groups) -> Members:
    return tuple(found.members.items())
