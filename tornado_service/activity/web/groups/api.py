"""Rosters and comparisons of groups as JSON and as CSV.

The names of the classes are labels of the service's metrics.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from .... import InvalidRequest
from ...access.queries import CompareQuery, RosterQuery
from ...access.responses import GroupRoster
from ...access.view import View
from ...figures.groups.comparison import ComparedGroup, GroupComparison
from ..api import ActivityHandler
from ..csv_export import PERIODS, to_hours
from ..display.units import MAX_BY_WEEK, unit_for

ROSTER = (
    "name", "never_active", "last_active", "days_inactive", "active_days", "server_hours", "strip",
    "cost",
)  # fmt: skip
COMPARED = (
    "group", "members", "active_users", "new", "returning", "server_hours", "sessions",
    "median_hours", "peak_servers", "mean_servers", "watched_share", "cost",
)  # fmt: skip
COMPARED_PERIODS = ("group", *PERIODS)

#: The last row of a comparison: all of its groups, with each user once.
TOGETHER = "(all together)"


class RosterAPI(ActivityHandler):
    """A page of the members of a group whom the user may see, with their last activity.

    Members who were never active come first, then those who have been inactive for longest.
    """

    operation_ids = {"get": "get_group_roster"}

    async def get(self, name: str, query: RosterQuery) -> GroupRoster:
        view, groups = await self.view_of_groups([name])
        roster = await view.roster(groups, query)
        page = query.page_of(query.select(roster.members))
        return GroupRoster(
            name,
            self.recorder.zone.key,
            roster.as_of,
            roster.strip_first,
            roster.strip_last,
            *page,
        )


class RosterCSV(ActivityHandler):
    """The same as ``api/groups/NAME/roster``, all pages at once."""

    operation_ids = {"get": "get_group_roster_csv"}

    async def get(self, name: str, query: RosterQuery) -> None:
        view, groups = await self.view_of_groups([name])
        rows = query.select((await view.roster(groups, query)).members)
        await self.write_csv(["group", name, "roster"], ROSTER, rows, query.days(view.today))


class ComparingHandler(ActivityHandler):
    """What compares groups."""

    async def compare(self, query: CompareQuery) -> tuple[View, GroupComparison]:
        view, groups = await self.view_of_groups(query.group)
        first, last = query.days(view.today)
        if query.unit == "days" and (last - first).days >= MAX_BY_WEEK:
            raise InvalidRequest(("unit", f"Days are for at most {MAX_BY_WEEK} days."))
        unit = query.unit or unit_for(first, last)
        return view, await view.compare(groups, unit, query)


class CompareAPI(ComparingHandler):
    """Several groups next to each other: the usage of the current members of each.

    A user who is a member of several of the groups is included in each of them.
    """

    operation_ids = {"get": "compare_groups"}

    async def get(self, query: CompareQuery) -> GroupComparison:
        _, comparison = await self.compare(query)
        return comparison


class CompareCSV(ComparingHandler):
    """A row for each group of ``api/groups/compare``, and one for all of them together."""

    operation_ids = {"get": "compare_groups_csv"}

    async def get(self, query: CompareQuery) -> None:
        view, comparison = await self.compare(query)
        rows = map(_group_row, (*comparison.groups, comparison.together))
        await self.write_csv(["compare"], COMPARED, rows, query.days(view.today))


class ComparePeriodsCSV(ComparingHandler):
    """A row for each group of ``api/groups/compare`` and each of its days, weeks or months."""

    operation_ids = {"get": "compare_groups_periods_csv"}

    async def get(self, query: CompareQuery) -> None:
        view, comparison = await self.compare(query)
        names = ["compare", comparison.unit]
        rows = _period_rows(comparison)
        await self.write_csv(names, COMPARED_PERIODS, rows, query.days(view.today))


def _group_row(group: ComparedGroup) -> Any:
    """A row of a table; the period's own fields are fields of it."""
    median = group.lengths.median if group.lengths else None
    return SimpleNamespace(
        **{
            **vars(group.whole),
            "name": TOGETHER if group.name is None else group.name,
            "members": group.members,
            "new": group.people.new,
            "returning": group.people.returning,
            "median_hours": to_hours(median),
        }
    )


def _period_rows(comparison: GroupComparison) -> Iterator[Any]:
    for group in comparison.groups:
        for period in group.periods:
            yield SimpleNamespace(**vars(period), name=group.name)
