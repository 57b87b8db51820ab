"""Who has not started, for the overview: of one's own few groups, or of those of the filter."""

from __future__ import annotations

from typing import NamedTuple

from ...access.view import View
from ...recorder import NoHistory
from ..page_base import ActivityPage

#: The overview says nothing of more groups.
MAX_GROUPS = 3


class Start(NamedTuple):
    """A group, how many members it has, and the names of those who were never active."""

    name: str
    members: int
    never: list[str]


async def starts_of(page: ActivityPage, view: View) -> list[Start]:
    """The groups of the filter; without one, those of a visitor who does not see all users."""
    names = page.group_names
    if not names and view.visible.all_users:
        return []
    groups = page.groups.only(names)
    if len(groups.names) > MAX_GROUPS:
        return []
    starts = []
    for name in groups.names:
        group = groups.only([name])
        of_group = View(page.recorder, view.visible, group)
        try:
            roster = await of_group.roster(group, page.page_query.query)
        except NoHistory:  # the hub has not listed all users yet
            return []
        never = [member.name for member in roster.members if member.never_active]
        if roster.members:
            starts.append(Start(name, len(roster.members), never))
    return starts
