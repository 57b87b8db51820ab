"""The page of a group, its roster, and several groups next to each other.

The names of the classes are labels of the service's metrics.
"""

from __future__ import annotations

from typing import Any

from ...access.queries import MAX_COMPARED, DateRange, RosterQuery
from ...access.view import View, summary
from ...access.visibility import Groups
from ..display.changes import compared_with
from ..display.charts import charts_of
from ..display.units import unit_for
from ..page_base import ActivityPage

#: Members on the page of a group; its roster has all of them.
FIRST_MEMBERS = 10


class OneGroupPage(ActivityPage):
    """A page of one group, which is part of its path."""

    model: type[DateRange] = DateRange
    tab = "groups"
    has_group_form = False
    name = ""

    @property
    def group_names(self) -> list[str]:
        return [self.name] if self.name else []

    def link(self, *path: str, **query: Any) -> str:
        """As of all pages; the address of the group itself needs no filter."""
        if path[:2] == ("groups", self.name) or path[:3] == ("api", "groups", self.name):
            query = {"group": "", **query}
        return super().link(*path, **query)

    async def view_of(self, name: str) -> tuple[View, Groups]:
        """The view of a group's members; 404 if the hub does not show it to the visitor."""
        self._view, groups = await self.view_of_groups([name])
        self.name = name
        return self._view, groups


class GroupPage(OneGroupPage):
    """The main figures of a group, and the members who have been inactive for longest."""

    async def get(self, name: str) -> None:
        view, groups = await self.view_of(name)
        query: DateRange = self.page_query.query
        days = query.days(view.today)
        unit = unit_for(*days)
        figures = await view.compute(summary, query, self.terms)
        await self.show_charts(
            "group.html",
            name=name,
            summary=figures,
            unit=unit,
            compared_with=compared_with(figures.comparison, *days, self.terms),
            **await charts_of(view, query, unit, self.terms),
            roster=await view.roster(groups, query),
            shown=FIRST_MEMBERS,
        )


class RosterPage(OneGroupPage):
    """A page of the members of a group: who has not started, who was last active when."""

    model = RosterQuery

    async def get(self, name: str) -> None:
        view, groups = await self.view_of(name)
        query = self.page_query.query
        roster = await view.roster(groups, query)
        page = query.page_of(query.select(roster.members))
        await self.show("roster.html", name=name, roster=roster, result=page)


class ComparePage(ActivityPage):
    """Several groups next to each other."""

    tab = "groups"

    async def get(self) -> None:
        page_query = self.page_query
        if len(page_query.query.group) > MAX_COMPARED:
            page_query.query.group = page_query.query.group[:MAX_COMPARED]
            page_query.problem = f"Showing the first {MAX_COMPARED} of the groups."
        view, query = await self.view(), page_query.query
        comparison = None
        unit = unit_for(*query.days(view.today))
        if len(query.group) > 1:
            comparison = await view.compare(self.groups.only(query.group), unit, query)
        await self.show_charts("compare.html", comparison=comparison, unit=unit)
