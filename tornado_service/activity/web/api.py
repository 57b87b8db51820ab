"""The figures as JSON and as CSV.

The names of the classes are labels of the service's metrics.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any, Literal

from ... import APIHandler, EventStream
from ..access.queries import (
    DateRange,
    GroupFilter,
    GroupsQuery,
    PeopleQuery,
    Range,
    RunningFilter,
    ServersQuery,
)
from ..access.responses import GroupPage, Now, People, Periods, PersonDetail, Summary
from ..access.view import ViewHandler, summary
from ..access.visibility import get_visible_groups, groups_if_available
from ..figures.heatmap import HeatMap, heat_map
from ..figures.periods import Unit
from ..figures.reports.month_report import MonthReport
from . import csv_export, downloads

PersonTable = Literal["days", "hours", "sessions", "week"]


class ActivityHandler(ViewHandler, APIHandler):
    """The figures of the users whom the hub lists to the client."""

    async def write_csv(
        self,
        names: list[str],
        columns: Iterable[str],
        rows: Iterable[Any],
        when: str | tuple[date, date],
    ) -> None:
        """Respond with a table; the file is named by ``names``, and by its period or time."""
        shown = [name for name in columns if name != "cost" or self.recorder.prices]
        text = await asyncio.to_thread(csv_export.table, shown, rows)
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        suffix = when if isinstance(when, str) else "{}-to-{}".format(*when)
        parts = [*downloads.hub_of(self), *names, suffix]
        self.set_header("Content-Disposition", downloads.content_disposition(parts, ".csv"))
        self.write(text)


class NowAPI(ActivityHandler):
    """Running servers of the users whom the user may see, with their idle time."""

    operation_ids = {"get": "get_running_servers"}

    async def get(self, query: RunningFilter) -> Now:
        view = await self.view(query)
        now = await view.now()
        return replace(now, servers=list(filter(query.includes, now.servers)))


class NowCSV(ActivityHandler):
    """The same as ``api/now``, of the users whose names match ``q``."""

    operation_ids = {"get": "get_running_servers_csv"}

    async def get(self, query: ServersQuery) -> None:
        view = await self.view(query)
        now = await view.now()
        when = f"{now.taken.astimezone(self.recorder.zone):%Y-%m-%d-%H%M}" if now.taken else ""
        await self.write_csv(["now"], csv_export.SERVERS, query.select_servers(now.servers), when)


class SummaryAPI(ActivityHandler):
    """Active users, server-hours, sessions and their length, new users, maintenance window."""

    operation_ids = {"get": "get_summary"}

    async def get(self, query: Range) -> Summary:
        view = await self.view(query)
        return await view.compute(summary, query, self.terms)


class PeriodsAPI(ActivityHandler):
    """Each day, week or month of a period; without data, figures are null."""

    operation_ids = {"get": "get_periods"}

    async def get(self, unit: Unit, query: Range) -> Periods:
        view = await self.view(query)
        return await view.periods(unit, query)


class PeriodsCSV(ActivityHandler):
    """The same as ``api/days``, ``api/weeks`` and ``api/months``."""

    operation_ids = {"get": "get_periods_csv"}

    async def get(self, unit: Unit, query: Range) -> None:
        view = await self.view(query)
        rows = (await view.periods(unit, query)).periods
        await self.write_csv([unit], csv_export.PERIODS, rows, query.days(view.today))


class HoursAPI(ActivityHandler):
    """Concurrent servers in each hour of the week."""

    operation_ids = {"get": "get_hours_of_week"}

    async def get(self, query: Range) -> HeatMap:
        view = await self.view(query)
        return await view.compute(heat_map, query)


class HoursCSV(ActivityHandler):
    """The same as ``api/hours``."""

    operation_ids = {"get": "get_hours_of_week_csv"}

    async def get(self, query: Range) -> None:
        view = await self.view(query)
        rows = (await view.compute(heat_map, query)).hours
        await self.write_csv(["hours"], csv_export.HOURS_OF_WEEK, rows, query.days(view.today))


class PeopleAPI(ActivityHandler):
    """A page of the users whom the user may see, with their usage in a period."""

    operation_ids = {"get": "list_users"}

    async def get(self, query: PeopleQuery) -> People:
        view = await self.view(query)
        return People(*query.page_of(await view.people(query)))


class PeopleCSV(ActivityHandler):
    """The same as ``api/people``, all pages at once."""

    operation_ids = {"get": "list_users_csv"}

    async def get(self, query: PeopleQuery) -> None:
        view = await self.view(query)
        rows = await view.people(query)
        await self.write_csv(["people"], csv_export.PEOPLE, rows, query.days(view.today))


class PersonAPI(ActivityHandler):
    """One user's days, sessions and usual hours in a period."""

    operation_ids = {"get": "get_user_activity"}

    async def get(self, name: str, query: Range) -> PersonDetail:
        view = await self.view(query)
        return await view.person(name, query, self.terms)


class PersonCSV(ActivityHandler):
    """The days, usual hours or sessions of ``api/people/NAME``, or their hours of the week."""

    operation_ids = {"get": "get_user_activity_csv"}

    async def get(self, name: str, sheet: PersonTable, query: Range) -> None:
        view = await self.view(query)
        columns, figure, rows = csv_export.PERSON_SHEETS[sheet]
        figures = await view.compute_of(name, figure, query)
        days = query.days(view.today)
        await self.write_csv(["person", name, sheet], columns, rows(figures), days)


class GroupsAPI(ActivityHandler):
    """A page of the groups, with the usage of their current members."""

    operation_ids = {"get": "list_groups"}

    async def get(self, query: GroupsQuery) -> GroupPage:
        view = await self.view(query)
        visible = (await get_visible_groups(self)).only(query.group)
        page = query.page_of(await view.groups(visible, query))
        return GroupPage(visible.missing, *page)


class GroupsCSV(ActivityHandler):
    """The same as ``api/groups``, all pages at once."""

    operation_ids = {"get": "list_groups_csv"}

    async def get(self, query: GroupsQuery) -> None:
        view = await self.view(query)
        visible = (await get_visible_groups(self)).only(query.group)
        rows = await view.groups(visible, query)
        await self.write_csv(["groups"], csv_export.GROUPS, rows, query.days(view.today))


class MeAPI(ActivityHandler):
    """The user's own days, sessions and usual hours in a period."""

    operation_ids = {"get": "get_my_activity"}

    async def get(self, query: DateRange) -> PersonDetail:
        view = await self.own_view()
        return await view.me(query, self.terms)


class MeCSV(ActivityHandler):
    """The days, usual hours or sessions of ``api/me``, or the hours of the week."""

    operation_ids = {"get": "get_my_activity_csv"}

    async def get(self, sheet: PersonTable, query: DateRange) -> None:
        view = await self.own_view()
        columns, figure, rows = csv_export.PERSON_SHEETS[sheet]
        figures = await view.compute(figure, query)
        await self.write_csv(["my", sheet], columns, rows(figures), query.days(view.today))


class MonthAPI(ActivityHandler):
    """All figures of a month such as ``2026-10``, with those of the month before."""

    operation_ids = {"get": "get_month_report"}

    async def get(self, text: str, query: GroupFilter) -> MonthReport:
        view = await self.view(query)
        groups = await groups_if_available(self)
        return await view.month(text, groups.only(query.group))


class NewsStream(EventStream):
    """An event ``sample`` after each sample; ``api/now`` then has the new data."""

    operation_ids = {"get": "stream_samples"}

    async def get(self) -> None:
        await self.stream(self.app.recorder.sample_events)
