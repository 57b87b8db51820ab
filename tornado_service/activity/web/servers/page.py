"""The page of idle time, and of usage by profile and by server name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ...figures.servers.idle import idle_time
from ...figures.servers.usage_by import Kind, Name, NamedUsage, UsageBy, UsageByPeriod, usage_by
from ..display.units import unit_for
from ..page_base import ActivityPage
from .api import NAMELESS

#: The profiles or names with the most server-hours, which have a color each; the rest is one.
TOP = 8

#: Rows of a table by profile or name; the CSV file has all.
MAX_ROWS = 50


@dataclass(frozen=True)
class Stack:
    """Server-hours of the largest names, and of all others, for a chart.

    ``rows`` has the seconds of each period by column, ``None`` where they are not known.
    """

    columns: list[str]
    rows: list[tuple[UsageByPeriod, list[int | None]]]


class UsageTables(NamedTuple):
    """What the page shows of one kind."""

    kind: Kind
    usage: UsageBy
    names: list[tuple[str, NamedUsage]]
    stack: Stack

    @property
    def is_named(self) -> bool:
        """Whether any of them has a name: else the hub has no profiles, or no named servers."""
        return any(row.name for row in self.usage.whole.usage or ())

    @property
    def seconds(self) -> int:
        return sum(row.server_seconds for row in self.usage.whole.usage or ())


class ServersPage(ActivityPage):
    """The idle share of server-hours, and usage by profile and by server name."""

    tab = "servers"

    async def get(self) -> None:
        view, query = await self.view(), self.page_query.query
        unit = unit_for(*query.days(view.today))
        tables = []
        kinds: tuple[Kind, ...] = ("profile", "server")
        for kind in kinds:
            usage = await view.compute(usage_by, query, unit, kind)
            tables.append(usage_tables(usage, kind))
        await self.show_charts(
            "servers.html",
            unit=unit,
            idle=await view.compute(idle_time, query, unit),
            tables=tables,
        )


def usage_tables(usage: UsageBy, kind: Kind) -> UsageTables:
    names = [(label(row.name, kind), row) for row in usage.whole.usage or ()]
    return UsageTables(kind, usage, names[:MAX_ROWS], stack(usage, kind))


def stack(usage: UsageBy, kind: Kind) -> Stack:
    whole = usage.whole.usage or ()
    top = [row.name for row in whole[:TOP]]
    has_others = len(whole) > TOP
    columns = [label(name, kind) for name in top] + ["other"] * has_others
    return Stack(
        columns, [(period, _column_values(period, top, has_others)) for period in usage.periods]
    )


def _column_values(period: UsageByPeriod, top: list[Name], has_others: bool) -> list[int | None]:
    if period.usage is None:
        return [None] * (len(top) + has_others)
    seconds = {row.name: row.server_seconds for row in period.usage}
    values: list[Any] = [seconds.pop(name, 0) for name in top]
    return values + [sum(seconds.values())] * has_others


def label(name: Name, kind: Kind) -> str:
    return NAMELESS[kind] if name == "" else "unknown" if name is None else name
