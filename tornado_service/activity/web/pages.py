"""The pages: the same figures as the API's, to be read.

The names of the classes are labels of the service's metrics.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tornado.web import HTTPError

from ..access.queries import MAX_DAYS, GroupsQuery, PeopleQuery, Range, ServersQuery
from ..access.responses import PersonDetail, Summary
from ..access.view import summary
from ..access.visibility import get_visible_groups, groups_if_available
from ..domain.calendar import ONE_DAY, local_date
from ..figures.availability import RETURN_WITHIN
from ..figures.heatmap import DAYS_NEEDED, HeatMap, heat_map
from ..figures.periods import Period
from .links import unit_for
from .page_base import ActivityPage

MAINTENANCE = "Best times for maintenance"

#: What is shown after so many days with data.
MILESTONES = {
    "A whole day: active users, server-hours, sessions, peak concurrent servers": 1,
    MAINTENANCE: DAYS_NEEDED,
    "Who came once and never returned": RETURN_WITHIN + 1,
}

#: Sessions of a user that are shown; the CSV file has all of them.
MAX_SESSIONS = 100


class OverviewPage(ActivityPage):
    """The main figures of a range; one's own, for those who may not see others."""

    tab = "overview"

    async def get(self) -> None:
        view, page_query = await self.view(), self.page_query
        if not self.recorder.has_history:  # that is how it is, and no fault
            self.show_no_history()
            return
        if view.visible.sees_only_self:
            await show_own_usage(self)
            return
        figures = await view.compute(summary, page_query.query)
        unit = unit_for(*page_query.query.days(view.today))
        coming = milestones(figures, view.today, self.recorder.zone)
        # the times for maintenance are those of the whole hub
        shown = [row for row in coming if view.visible.all_users or row[0] != MAINTENANCE]
        await self.show_charts(
            "overview.html",
            summary=figures,
            milestones=shown,
            is_young=len(coming) == len(MILESTONES),
            unit=unit,
            periods=(await view.periods(unit, page_query.query)).periods,
            heat_map=await view.compute(heat_map, page_query.query),
            now=await view.now(),
        )


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

    async def get(self, name: str) -> None:
        view, query = await self.view(), self.page_query.query
        person = await view.person(name, query)
        week = await view.compute_of(name, heat_map, query)
        path = ("people", name)
        await show_person(self, person, week, path=path, csv_path=path, is_own=False)


class GroupsPage(ActivityPage):
    """A page of the groups, by the use of their members, or the scope that is missing."""

    model = GroupsQuery
    tab = "groups"

    async def get(self) -> None:
        view, query = await self.view(), self.page_query.query
        groups = await get_visible_groups(self)
        page = query.page_of(await view.groups(groups, query))
        await self.show("groups.html", missing=groups.missing, result=page)


class MePage(ActivityPage):
    """The visitor's own use in a range."""

    tab = "me"

    async def get(self) -> None:
        await self.view()
        await show_own_usage(self)


class MonthsPage(ActivityPage):
    """Each month since data collection began, with a link to its report."""

    tab = "months"

    async def get(self) -> None:
        view = await self.view()
        observed_from = self.recorder.loaded_archive.history.observed_from
        months: list[Period] = []
        first = view.today
        if observed_from is not None:
            began = local_date(observed_from, self.recorder.zone)
            first = max(began, view.today - timedelta(days=MAX_DAYS - 1))
            everything = Range.model_validate({"from": first, "to": max(first, view.today)})
            months = (await view.periods("months", everything)).periods
        await self.show_charts("months.html", months=months, since=first)


class MonthPage(ActivityPage):
    """All figures of a month such as ``2026-10``, and those of the month before."""

    tab = "months"

    async def get(self, text: str) -> None:
        view = await self.view()
        report = await view.month(text, await groups_if_available(self))
        last = report.month.whole.last
        await self.show_charts(
            "month.html",
            report=report,
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
    person = await view.me(query)
    page.tab = "me"
    path = ("",) if page.visible and page.visible.sees_only_self else ("me",)
    week = await view.compute(heat_map, query)
    await show_person(page, person, week, path=path, csv_path=("me",), is_own=True)


async def show_person(
    page: ActivityPage, person: PersonDetail, week: HeatMap, **names: Any
) -> None:
    await page.show_charts(
        "person.html",
        name=person.name,
        use=person.use,
        active_days=active_days(person.use.days),
        heat_map=without_maintenance(week),
        sessions=person.use.sessions[:MAX_SESSIONS],
        **names,
    )


def active_days(days: Iterable[Period]) -> int | None:
    """Count the days on which one user was active; ``None``: no day has data."""
    counts = [day.active_users for day in days if day.active_users is not None]
    return sum(counts) if counts else None


def without_maintenance(week: HeatMap) -> HeatMap:
    """Hours in which one user has no server are no advice for maintenance."""
    return replace(week, quietest=None)


def milestones(figures: Summary, today: date, zone: ZoneInfo) -> list[tuple[str, date]]:
    """What will be shown, and from which day on; all of it, if there is no data yet."""
    began = figures.watched_from.astimezone(zone).date() if figures.watched_from else today
    coming = [(what, began + timedelta(days=days + 1)) for what, days in MILESTONES.items()]
    return [(what, day) for what, day in coming if day > today]
