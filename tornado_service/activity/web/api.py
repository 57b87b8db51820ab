"""The figures as JSON and as CSV."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Literal, TypeVar

from ... import APIHandler, EventStream
from ..access.queries import GroupsQuery, PeopleQuery, Range, ServersQuery
from ..access.responses import (
    GroupPage,
    Now,
    People,
    Periods,
    PersonDetail,
    Summary,
    filtered_groups,
    filtered_servers,
    paginate,
    person_row,
)
from ..access.view import ViewHandler
from ..access.visibility import get_visible_groups, groups_if_available
from ..figures.heatmap import HeatMap
from ..figures.month_report import MonthReport
from . import csv_export, downloads

Figures = TypeVar("Figures")
PeriodUnit = Literal["days", "weeks", "months"]
PersonTable = Literal["days", "hours", "sessions", "week"]


class ActivityHandler(ViewHandler, APIHandler):
    """The figures of the users whom the hub lists to the client."""

    async def write_csv(
        self,
        names: list[str],
        write: Callable[[Figures], str],
        figures: Figures,
        when: str | tuple[date, date],
    ) -> None:
        """Respond with a table; the file is named by ``names``, and by its period or time."""
        text = await asyncio.to_thread(write, figures)
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        suffix = when if isinstance(when, str) else downloads.period(*when)
        parts = [*downloads.hub_of(self), *names, suffix]
        self.set_header("Content-Disposition", downloads.content_disposition(parts, ".csv"))
        self.write(text)


class NowAPI(ActivityHandler):
    """What runs now."""

    metrics_name = "NowAPI"
    operation_ids = {"get": "get_running_servers"}

    async def get(self) -> Now:
        """The servers that run, of those whom the caller may see, and how long they are idle."""
        view = await self.view()
        return await view.now()


class NowCSV(ActivityHandler):
    """What runs now, as a table."""

    metrics_name = "NowCSV"
    operation_ids = {"get": "get_running_servers_csv"}

    async def get(self, query: ServersQuery) -> None:
        """The same as ``api/now``, or those servers of it that are asked for."""
        view = await self.view()
        now = await view.now()
        when = downloads.moment(now.taken, self.recorder.zone)
        servers = filtered_servers(now.servers, query)
        await self.write_csv(["now"], csv_export.now, servers, when)


class SummaryAPI(ActivityHandler):
    """The main figures of a range."""

    metrics_name = "SummaryAPI"
    operation_ids = {"get": "get_summary"}

    async def get(self, query: Range) -> Summary:
        """Active users, server-hours, sessions and their length, new users, maintenance window."""
        view = await self.view()
        return await view.summary(query)


class PeriodsAPI(ActivityHandler):
    """Use over time."""

    metrics_name = "PeriodsAPI"
    operation_ids = {"get": "get_periods"}

    async def get(self, unit: PeriodUnit, query: Range) -> Periods:
        """Each day, week or month of a range; what was not watched has no figures."""
        view = await self.view()
        return await view.periods(unit, query)


class PeriodsCSV(ActivityHandler):
    """Use over time, as a table."""

    metrics_name = "PeriodsCSV"
    operation_ids = {"get": "get_periods_csv"}

    async def get(self, unit: PeriodUnit, query: Range) -> None:
        """The same as ``api/days``, ``api/weeks`` and ``api/months``."""
        view = await self.view()
        periods = await view.periods(unit, query)
        await self.write_csv([unit], csv_export.periods, periods, query.days(view.today))


class HoursAPI(ActivityHandler):
    """When it is quiet."""

    metrics_name = "HoursAPI"
    operation_ids = {"get": "get_hours_of_week"}

    async def get(self, query: Range) -> HeatMap:
        """Servers at a time in each hour of the week."""
        view = await self.view()
        return await view.heat_map(query)


class HoursCSV(ActivityHandler):
    """When it is quiet, as a table."""

    metrics_name = "HoursCSV"
    operation_ids = {"get": "get_hours_of_week_csv"}

    async def get(self, query: Range) -> None:
        """The same as ``api/hours``."""
        view = await self.view()
        heat_map = await view.heat_map(query)
        await self.write_csv(["hours"], csv_export.hours, heat_map, query.days(view.today))


class PeopleAPI(ActivityHandler):
    """The people."""

    metrics_name = "PeopleAPI"
    operation_ids = {"get": "list_users"}

    async def get(self, query: PeopleQuery) -> People:
        """A page of those whom the caller may see, with their use in a range."""
        view = await self.view()
        page = paginate(await view.people(query), query.page)
        return People(page.total, page.page, page.pages, list(map(person_row, page.rows)))


class PeopleCSV(ActivityHandler):
    """The people, as a table."""

    metrics_name = "PeopleCSV"
    operation_ids = {"get": "list_users_csv"}

    async def get(self, query: PeopleQuery) -> None:
        """The same as ``api/people``, all pages at once."""
        view = await self.view()
        rows = await view.people(query)
        await self.write_csv(["people"], csv_export.people, rows, query.days(view.today))


class PersonAPI(ActivityHandler):
    """One person."""

    metrics_name = "PersonAPI"
    operation_ids = {"get": "get_user_activity"}

    async def get(self, name: str, query: Range) -> PersonDetail:
        """Their days, sessions and usual hours in a range."""
        view = await self.view()
        return await view.person(name, query)


class PersonCSV(ActivityHandler):
    """One person, as tables."""

    metrics_name = "PersonCSV"
    operation_ids = {"get": "get_user_activity_csv"}

    async def get(self, name: str, sheet: PersonTable, query: Range) -> None:
        """The days, usual hours or sessions of ``api/people/NAME``, or their hours of the week."""
        view = await self.view()
        names, days = ["person", name, sheet], query.days(view.today)
        if sheet == "week":
            week = await view.person_heat_map(name, query)
            await self.write_csv(names, csv_export.hours, week, days)
        else:
            person = await view.person(name, query)
            await self.write_csv(names, csv_export.PERSON_TABLES[sheet], person.use, days)


class GroupsAPI(ActivityHandler):
    """The groups."""

    metrics_name = "GroupsAPI"
    operation_ids = {"get": "list_groups"}

    async def get(self, query: GroupsQuery) -> GroupPage:
        """A page of the groups, each by the use of its members, as they are now."""
        view = await self.view()
        groups = await get_visible_groups(self)
        rows = filtered_groups(await view.groups(groups, query), query)
        page = paginate(rows, query.page)
        return GroupPage(groups.missing, page.total, page.page, page.pages, page.rows)


class GroupsCSV(ActivityHandler):
    """The groups, as a table."""

    metrics_name = "GroupsCSV"
    operation_ids = {"get": "list_groups_csv"}

    async def get(self, query: GroupsQuery) -> None:
        """The same as ``api/groups``, all pages at once."""
        view = await self.view()
        groups = await get_visible_groups(self)
        rows = filtered_groups(await view.groups(groups, query), query)
        await self.write_csv(["groups"], csv_export.groups, rows, query.days(view.today))


class MeAPI(ActivityHandler):
    """The caller's own use."""

    metrics_name = "MeAPI"
    operation_ids = {"get": "get_my_activity"}

    async def get(self, query: Range) -> PersonDetail:
        """Days, sessions and usual hours in a range."""
        view = await self.own_view()
        return await view.me(query)


class MeCSV(ActivityHandler):
    """The caller's own use, as tables."""

    metrics_name = "MeCSV"
    operation_ids = {"get": "get_my_activity_csv"}

    async def get(self, sheet: PersonTable, query: Range) -> None:
        """The days, usual hours or sessions of ``api/me``, or the hours of the week."""
        view = await self.own_view()
        names, days = ["my", sheet], query.days(view.today)
        if sheet == "week":
            await self.write_csv(names, csv_export.hours, await view.heat_map(query), days)
        else:
            person = await view.me(query)
            await self.write_csv(names, csv_export.PERSON_TABLES[sheet], person.use, days)


class MonthAPI(ActivityHandler):
    """The report of a month."""

    metrics_name = "MonthAPI"
    operation_ids = {"get": "get_month_report"}

    async def get(self, text: str) -> MonthReport:
        """All figures of a month such as ``2026-10``, beside those of the month before."""
        view = await self.view()
        return await view.month(text, await groups_if_available(self))


class NewsStream(EventStream):
    """Tells of each new look at the hub."""

    metrics_name = "NewsStream"
    operation_ids = {"get": "stream_samples"}

    async def get(self) -> None:
        """An event ``sample`` after each look; ``api/now`` then has what is new."""
        await self.stream(self.app.recorder.sample_events)
