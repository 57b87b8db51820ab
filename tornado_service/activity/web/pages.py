"""The pages: the same figures as the API's, to be read.

The names of the classes are labels of the service's metrics.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tornado.web import HTTPError

from ..access.queries import MAX_DAYS, GroupsQuery, PeopleQuery, Range, ServersQuery
from ..access.responses import PersonDetail
from ..access.visibility import get_visible_groups
from ..domain.calendar import ONE_DAY, local_date
from ..figures.comparison import comparison, previous_periods
from ..figures.heatmap import HeatMap, heat_map
from ..figures.periods import Period
from .display.changes import compared_with
from .display.charts import year_before
from .display.sparkline import sparkline
from .page_base import ActivityPage

#: Sessions of a user that are shown; the CSV file has all of them.
MAX_SESSIONS = 100


class NowPage(ActivityPage):
    """The running servers, and for how long they are idle; a script keeps it up to date."""

    model = ServersQuery
    tab = "now"

    async def get(self) -> None:
        view, query = await self.view(), self.page_query.query
        now = await view.now()
        page = query.page_of(query.select_servers(now.servers))
        await self.show("now.html", now=now, result=page)


class PeoplePage(ActivityPage):
    """A page of those whom the visitor may see."""

    model = PeopleQuery
    tab = "people"

    async def get(self) -> None:
        view, query = await self.view(), self.page_query.query
        page = query.page_of(await view.people(query))
        await self.show("people.html", result=page)


class PersonPage(ActivityPage):
    """One user's usage in a range."""

    tab = "people"
    has_group_form = False

    async def get(self, name: str) -> None:
        view, query = await self.view(), self.page_query.query
        person = await view.person(name, query, self.terms)
        week = await view.compute_of(name, heat_map, query)
        earlier = await view.compute_of(name, previous_periods, query, "days", self.terms)
        path = ("people", name)
        groups = [group for group, names in self.groups.members if view.shows(names, name)]
        await show_person(
            self,
            person,
            week,
            path=path,
            csv_path=path,
            is_own=False,
            of_groups=groups,
            earlier=earlier,
        )


class GroupsPage(ActivityPage):
    """A page of the groups, by the use of their members, or the scope that is missing."""

    model = GroupsQuery
    tab = "groups"

    async def get(self) -> None:
        view, query = await self.view(), self.page_query.query
        groups = await get_visible_groups(self)
        page = query.page_of(await view.groups(groups.only(query.group), query))
        await self.show("groups.html", missing=groups.missing, result=page)


class MePage(ActivityPage):
    """The visitor's own use in a range."""

    tab = "me"
    has_group_form = False

    async def get(self) -> None:
        await self.view()
        await show_own_usage(self)


class MonthsPage(ActivityPage):
    """Each month since data collection began, with a link to its report."""

    tab = "months"

    async def get(self) -> None:
        view = await self.view()
        observed_from = (await self.recorder.get_archive()).history.observed_from
        months: list[Period] = []
        first = view.today
        if observed_from is not None:
            began = local_date(observed_from, self.recorder.zone)
            first = max(began, view.today - timedelta(days=MAX_DAYS - 1))
            everything = Range.model_validate({"from": first, "to": max(first, view.today)})
            months = (await view.periods("months", everything)).periods
        earlier = year_before(months)
        await self.show_charts("months.html", months=months, earlier=earlier, since=first)


class MonthPage(ActivityPage):
    """All figures of a month such as ``2026-10``, and those of the month before."""

    tab = "months"

    async def get(self, text: str) -> None:
        view = await self.view()
        report = await view.month(text, self.groups.only(self.page_query.query.group))
        first, last = report.month.whole.first, report.month.whole.last
        query = Range.model_validate({"from": first, "to": last})
        compared = await view.compute(comparison, query, self.terms)
        await self.show_charts(
            "month.html",
            report=report,
            compared_with=compared_with(compared, first, last, self.terms),
            sparklines={},
            earlier=await view.compute(previous_periods, query, "days"),
            active_days=active_days(report.days),
            heat_map=without_maintenance(report.heat_map)
            if view.visible.sees_only_self
            else report.heat_map,
            missing=report.groups_missing,
            following=last + ONE_DAY if last < view.today else None,  # a day of the next month
        )


class NotFoundPage(ActivityPage):
    """404 for every other path, with the navigation of those who are signed in."""

    async def get(self) -> None:
        await self.view()
        raise HTTPError(404, "Page not found.")


async def show_own_usage(page: ActivityPage) -> None:
    """Respond with the visitor's own usage; the page's `view` has been made."""
    view, query = await page.own_view(), page.page_query.query
    person = await view.me(query, page.terms)
    page.tab = "me"
    path = ("",) if page.visible and page.visible.sees_only_self else ("me",)
    week = await view.compute(heat_map, query)
    earlier = await view.compute(previous_periods, query, "days", page.terms)
    await show_person(page, person, week, path=path, csv_path=("me",), is_own=True, earlier=earlier)


async def show_person(
    page: ActivityPage, person: PersonDetail, week: HeatMap, **names: Any
) -> None:
    use = person.use
    await page.show_charts(
        "person.html",
        name=person.name,
        compared_with=compared_with(person.comparison, person.first, person.last, page.terms),
        sparklines={
            "server_seconds": sparkline([day.server_seconds for day in use.days]),
            "sessions": sparkline([day.sessions for day in use.days]),
            "cost": sparkline([day.cost for day in use.days]),
        },
        use=use,
        active_days=active_days(use.days),
        heat_map=without_maintenance(week),
        sessions=use.sessions[:MAX_SESSIONS],
        **names,
    )


def active_days(days: Iterable[Period]) -> int | None:
    """Count the days on which one user was active; ``None``: no day has data."""
    counts = [day.active_users for day in days if day.active_users is not None]
    return sum(counts) if counts else None


def without_maintenance(week: HeatMap) -> HeatMap:
    """Hours in which one user has no server are no advice for maintenance."""
    return replace(week, quietest=None)
