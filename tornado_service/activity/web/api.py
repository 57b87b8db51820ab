"""The figures as JSON and as CSV."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, TypeVar

from tornado.web import HTTPError

from ... import APIHandler, EventStream
from ..access.queries import GroupsQuery, PeopleQuery, Range, ServersQuery, parse_month
from ..access.responses import (
    GroupPage,
    Now,
    People,
    Periods,
    PersonDetail,
    Summary,
    groups_page,
    ordered_groups,
    ordered_servers,
)
from ..access.view import view_for
from ..access.visibility import get_visible_groups, groups_if_available
from ..app import Activity
from ..figures.heatmap import HeatMap
from ..figures.month_report import MonthReport
from . import csv_export, downloads

Figures = TypeVar("Figures")
PeriodUnit = Literal["days", "weeks", "months"]
PersonTable = Literal["days", "hours", "sessions", "week"]


class ActivityHandler(APIHandler):
    """The figures of those whom the hub lists to the caller."""

    app: Activity

    async def write_csv(
        self, figure: list[str], write: Callable[[Figures], str], found: Figures, when: str
    ) -> None:
        """Answer with a table, to be saved as a file.

        Args:
            figure: what it shows, for the file's name.
            write: makes the text.
            found: the figures.
            when: the period or the time of the figures, for the file's name.
        """
        text = await asyncio.to_thread(write, found)
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        name = [*downloads.hub_of(self), *figure, when]
        self.set_header("Content-Disposition", downloads.content_disposition(name, ".csv"))
        self.write(text)


class NowAPI(ActivityHandler):
    """What runs now."""

    metrics_name = "NowAPI"
    operation_ids = {"get": "get_running_servers"}

    async def get(self) -> Now:
        """The servers that run, of those whom the caller may see, and how long they are idle."""
        return await (await view_for(self)).now()


class NowCSV(ActivityHandler):
    """What runs now, as a table."""

    metrics_name = "NowCSV"
    operation_ids = {"get": "get_running_servers_csv"}

    async def get(self, query: ServersQuery) -> None:
        """The same as ``api/now``, or those servers of it that are asked for."""
        now = await (await view_for(self)).now()
        when = downloads.moment(now.taken, self.app.zone)
        await self.write_csv(["now"], csv_export.now, ordered_servers(now, query), when)


class SummaryAPI(ActivityHandler):
    """The main figures of a range."""

    metrics_name = "SummaryAPI"
    operation_ids = {"get": "get_summary"}

    async def get(self, query: Range) -> Summary:
        """Active users, server-hours, sessions and their length, new users, maintenance window."""
        return await (await view_for(self)).summary(query)


class PeriodsAPI(ActivityHandler):
    """Use over time."""

    metrics_name = "PeriodsAPI"
    operation_ids = {"get": "get_periods"}

    async def get(self, unit: PeriodUnit, query: Range) -> Periods:
        """Each day, week or month of a range; what was not watched has no figures."""
        return await (await view_for(self)).periods(unit, query)


class PeriodsCSV(ActivityHandler):
    """Use over time, as a table."""

    metrics_name = "PeriodsCSV"
    operation_ids = {"get": "get_periods_csv"}

    async def get(self, unit: PeriodUnit, query: Range) -> None:
        """The same as ``api/days``, ``api/weeks`` and ``api/months``."""
        view = await view_for(self)
        found = await view.periods(unit, query)
        await self.write_csv(
            [unit], csv_export.periods, found, downloads.period(*query.days(view.today))
        )


class HoursAPI(ActivityHandler):
    """When it is quiet."""

    metrics_name = "HoursAPI"
    operation_ids = {"get": "get_hours_of_week"}

    async def get(self, query: Range) -> HeatMap:
        """Servers at a time in each hour of the week."""
        return await (await view_for(self)).heat_map(query)


class HoursCSV(ActivityHandler):
    """When it is quiet, as a table."""

    metrics_name = "HoursCSV"
    operation_ids = {"get": "get_hours_of_week_csv"}

    async def get(self, query: Range) -> None:
        """The same as ``api/hours``."""
        view = await view_for(self)
        found = await view.heat_map(query)
        await self.write_csv(
            ["hours"], csv_export.hours, found, downloads.period(*query.days(view.today))
        )


class PeopleAPI(ActivityHandler):
    """The people."""

    metrics_name = "PeopleAPI"
    operation_ids = {"get": "list_users"}

    async def get(self, query: PeopleQuery) -> People:
        """A page of those whom the caller may see, with their use in a range."""
        return await (await view_for(self)).people(query)


class PeopleCSV(ActivityHandler):
    """The people, as a table."""

    metrics_name = "PeopleCSV"
    operation_ids = {"get": "list_users_csv"}

    async def get(self, query: PeopleQuery) -> None:
        """The same as ``api/people``, all pages at once."""
        view = await view_for(self)
        rows = await view.all_people(query)
        await self.write_csv(
            ["people"], csv_export.people, rows, downloads.period(*query.days(view.today))
        )


class PersonAPI(ActivityHandler):
    """One person."""

    metrics_name = "PersonAPI"
    operation_ids = {"get": "get_user_activity"}

    async def get(self, name: str, query: Range) -> PersonDetail:
        """Their days, sessions and usual hours in a range."""
        found = await (await view_for(self)).person(name, query)
        if found is None:
            raise HTTPError(404, "User not found, or you do not have access to their activity.")
        return found


class PersonCSV(ActivityHandler):
    """One person, as tables."""

    metrics_name = "PersonCSV"
    operation_ids = {"get": "get_user_activity_csv"}

    async def get(self, name: str, sheet: PersonTable, query: Range) -> None:
        """The days, usual hours or sessions of ``api/people/NAME``, or their hours of the week."""
        view = await view_for(self)
        found = await view.person(name, query)
        if found is None:
            raise HTTPError(404, "User not found, or you do not have access to their activity.")
        when = downloads.period(found.first, found.last)
        figure = ["person", name, sheet]
        if sheet == "week":
            week = await view.person_heat_map(name, query)
            await self.write_csv(figure, csv_export.hours, week, when)
        else:
            await self.write_csv(figure, csv_export.PERSON_TABLES[sheet], found.use, when)


class GroupsAPI(ActivityHandler):
    """The groups."""

    metrics_name = "GroupsAPI"
    operation_ids = {"get": "list_groups"}

    async def get(self, query: GroupsQuery) -> GroupPage:
        """A page of the groups, each by the use of its members, as they are now."""
        groups = await get_visible_groups(self)
        return groups_page(await (await view_for(self)).groups(groups, query), query)


class GroupsCSV(ActivityHandler):
    """The groups, as a table."""

    metrics_name = "GroupsCSV"
    operation_ids = {"get": "list_groups_csv"}

    async def get(self, query: GroupsQuery) -> None:
        """The same as ``api/groups``, all pages at once."""
        view = await view_for(self)
        found = await view.groups(await get_visible_groups(self), query)
        rows = ordered_groups(found, query)
        await self.write_csv(
            ["groups"], csv_export.groups, rows, downloads.period(*query.days(view.today))
        )


class MeAPI(ActivityHandler):
    """The caller's own use."""

    metrics_name = "MeAPI"
    operation_ids = {"get": "get_my_activity"}

    async def get(self, query: Range) -> PersonDetail:
        """Days, sessions and usual hours in a range."""
        found = await (await view_for(self)).me(query)
        if found is None:
            raise HTTPError(404, "A service has no use of its own.")
        return found


class MeCSV(ActivityHandler):
    """The caller's own use, as tables."""

    metrics_name = "MeCSV"
    operation_ids = {"get": "get_my_activity_csv"}

    async def get(self, sheet: PersonTable, query: Range) -> None:
        """The days, usual hours or sessions of ``api/me``, or the hours of the week."""
        view = await view_for(self)
        found = await view.me(query)
        if found is None:
            raise HTTPError(404, "A service has no use of its own.")
        when = downloads.period(found.first, found.last)
        if sheet == "week":
            week = await view.my_heat_map(query)
            await self.write_csv(["my", sheet], csv_export.hours, week, when)
        else:
            await self.write_csv(["my", sheet], csv_export.PERSON_TABLES[sheet], found.use, when)


class MonthAPI(ActivityHandler):
    """The report of a month."""

    metrics_name = "MonthAPI"
    operation_ids = {"get": "get_month_report"}

    async def get(self, text: str) -> MonthReport:
        """All figures of a month such as ``2026-10``, beside those of the month before."""
        day = parse_month(text)
        if day is None:
            raise HTTPError(404, "Write a month as in 2026-10.")
        view = await view_for(self)
        groups = await groups_if_available(self)
        report = await view.month(day, groups)
        return replace(report, groups_missing=groups.missing)


class NewsStream(EventStream):
    """Tells of each new look at the hub."""

    metrics_name = "NewsStream"
    operation_ids = {"get": "stream_samples"}

    async def get(self) -> None:
        """An event ``sample`` after each look; ``api/now`` then has what is new."""
        await self.stream(self.app.sample_events)
