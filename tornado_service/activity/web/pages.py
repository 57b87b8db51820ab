"""The pages: the same figures as the API's, to be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from tornado.web import HTTPError

from ..access.queries import MAX_DAYS, GroupsQuery, PeopleQuery, Range, ServersQuery, parse_month
from ..access.responses import PersonDetail, Summary, groups_page, ordered_servers, paginate
from ..access.view import View
from ..access.visibility import get_visible_groups, groups_if_available
from ..app import Activity
from ..domain.calendar import ONE_DAY
from ..figures.availability import RETURN_WITHIN
from ..figures.heatmap import HeatMap
from ..figures.maintenance import DAYS_NEEDED
from ..figures.periods import Period
from .links import unit_for
from .page_base import ActivityPage

MAINTENANCE = "Best times for maintenance"

#: What there is to be seen after so many days with data.
MILESTONES = {
    "A whole day: active users, server-hours, sessions, the most servers at a time": 1,
    MAINTENANCE: DAYS_NEEDED,
    "Who came once and never returned": RETURN_WITHIN + 1,
}

#: So many of somebody's sessions are shown; the table that is saved has all of them.
MAX_SESSIONS = 100


class OverviewPage(ActivityPage):
    """The home of the app: who uses the hub, how much, and when it is quiet."""

    metrics_name = "OverviewPage"

    tab = "overview"

    async def get(self) -> None:
        """The main figures of a range; one's own, for those who may not see others."""
        view, page_query = await self.view(), self.page_query
        if not self.app.has_history:  # that is how it is, and no fault
            self.show_no_history()
            return
        if view.visible.sees_only_self:
            await show_own_use(self, view)
            return
        summary = await view.summary(page_query.query)
        unit = unit_for(*page_query.days(view.today))
        coming = milestones(summary, view.today, self.app)
        await self.show_charts(
            "overview.html",
            summary=summary,
            milestones=[
                each for each in coming if view.visible.everybody or each[0] != MAINTENANCE
            ],
            is_young=len(coming) == len(MILESTONES),
            unit=unit,
            periods=(await view.periods(unit, page_query.query)).periods,
            heat_map=await view.heat_map(page_query.query),
            now=await view.now(),
        )


class NowPage(ActivityPage):
    """What runs now."""

    metrics_name = "NowPage"

    model = ServersQuery
    tab = "now"

    async def get(self) -> None:
        """The running servers, and for how long they are idle; a script keeps it up to date."""
        view = await self.view()
        now = await view.now()
        part = paginate(ordered_servers(now, self.page_query.query), self.page_query.query.page)
        await self.show("now.html", now=now, part=part)


class PeoplePage(ActivityPage):
    """The people."""

    metrics_name = "PeoplePage"

    model = PeopleQuery
    tab = "people"

    async def get(self) -> None:
        """A page of those whom the visitor may see."""
        view = await self.view()
        await self.show("people.html", people=await view.people(self.page_query.query))


class PersonPage(ActivityPage):
    """One person."""

    metrics_name = "PersonPage"

    tab = "people"

    async def get(self, name: str) -> None:
        """Their use in a range.

        Raises:
            HTTPError: 404, there is nobody of this name whom the visitor may see.
        """
        view = await self.view()
        found = await view.person(name, self.page_query.query)
        if found is None:
            raise HTTPError(404, "User not found, or you do not have access to their activity.")
        names = {"path": ("people", name), "csv_path": ("people", name), "is_own": False}
        await self.show_charts(
            "person.html",
            **person_context(found, await view.person_heat_map(name, self.page_query.query)),
            **names,
        )


class GroupsPage(ActivityPage):
    """The groups."""

    metrics_name = "GroupsPage"

    model = GroupsQuery
    tab = "groups"

    async def get(self) -> None:
        """A page of the groups, by the use of their members, or the scope that is missing."""
        view, query = await self.view(), self.page_query.query
        found = await view.groups(await get_visible_groups(self), query)
        await self.show("groups.html", found=groups_page(found, query))


class MePage(ActivityPage):
    """The visitor's own use."""

    metrics_name = "MePage"

    tab = "me"

    async def get(self) -> None:
        """Their use in a range.

        Raises:
            HTTPError: 404, the visitor is a service.
        """
        await show_own_use(self, await self.view())


class MonthsPage(ActivityPage):
    """All months."""

    metrics_name = "MonthsPage"

    tab = "months"

    async def get(self) -> None:
        """Each month since watching began, with the way to its report."""
        view = await self.view()
        watched_from = (await view.summary(Range.model_validate({}))).watched_from
        months: list[Period] = []
        first = view.today
        if watched_from:
            began = watched_from.astimezone(self.app.zone).date()
            first = max(began, view.today - timedelta(days=MAX_DAYS - 1))
            everything = Range.model_validate({"from": first, "to": max(first, view.today)})
            months = (await view.periods("months", everything)).periods
        await self.show_charts("months.html", months=months, since=first)


class MonthPage(ActivityPage):
    """The report of a month."""

    metrics_name = "MonthPage"

    tab = "months"

    async def get(self, text: str) -> None:
        """All figures of a month such as ``2026-10``, beside those of the month before.

        Raises:
            HTTPError: 404, that is no month.
        """
        view = await self.view()
        day = parse_month(text)
        if day is None:
            raise HTTPError(404, "This is not a month. Use YYYY-MM, for example 2026-10.")
        groups = await groups_if_available(self)
        report = await view.month(day, groups)
        await self.show_charts(
            "month.html",
            report=report,
            active_days=active_days(report.days),
            heat_map=without_maintenance(report.heat_map)
            if view.visible.sees_only_self
            else report.heat_map,
            missing=groups.missing,
            following=following(report.month.whole, view.today),
        )


class NotFoundPage(ActivityPage):
    """Every other path, for the navigation of those who are signed in."""

    metrics_name = "NotFoundPage"

    async def get(self) -> None:
        """Raise.

        Raises:
            HTTPError: 404, always.
        """
        await self.view()
        raise HTTPError(404, "Page not found.")


async def show_own_use(page: ActivityPage, view: View) -> None:
    """Answer with the visitor's own use.

    Raises:
        HTTPError: 404, the visitor is a service.
    """
    found = await view.me(page.page_query.query)
    if found is None:
        raise HTTPError(404, "A service has no use of its own.")
    page.tab = "me"
    names = {
        "path": ("",) if view.visible.sees_only_self else ("me",),
        "csv_path": ("me",),
        "is_own": True,
    }
    heat_map = await view.my_heat_map(page.page_query.query)
    await page.show_charts("person.html", **person_context(found, heat_map), **names)


def person_context(found: PersonDetail, heat_map: HeatMap) -> dict[str, Any]:
    """What the template of one person shows."""
    return {
        "name": found.name,
        "use": found.use,
        "active_days": active_days(found.use.days),
        "heat_map": without_maintenance(heat_map),
        "sessions": found.use.sessions[:MAX_SESSIONS],
    }


def active_days(days: Iterable[Period]) -> int | None:
    """On how many days one user was active; nothing if that is not known of any."""
    known = [day.active_users for day in days if day.active_users is not None]
    return sum(known) if known else None


def without_maintenance(heat_map: HeatMap) -> HeatMap:
    """Hours in which one user has no server are no advice for maintenance."""
    return replace(heat_map, quietest=None)


def following(month: Period, today: date) -> date | None:
    """A day of the month after one, unless that is yet to come."""
    return month.last + ONE_DAY if month.last < today else None


def milestones(summary: Summary, today: date, app: Activity) -> list[tuple[str, date]]:
    """What will be here, and from which day on; all of it, while nothing has been watched."""
    began = summary.watched_from.astimezone(app.zone).date() if summary.watched_from else today
    coming = [(what, began + timedelta(days=days + 1)) for what, days in MILESTONES.items()]
    return [(what, on) for what, on in coming if on > today]
