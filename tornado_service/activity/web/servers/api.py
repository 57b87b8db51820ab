"""Idle time, and usage by profile and by server name, as JSON and as CSV.

The names of the classes are labels of the service's metrics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from ...access.queries import OptionalUnitQuery, UnitQuery
from ...figures.servers.idle import IdleTime, idle_time
from ...figures.servers.usage_by import Kind, UsageBy, UsageByPeriod, usage_by
from .. import csv_export
from ..api import ActivityHandler

#: What has no name.
NAMELESS: dict[Kind, str] = {"profile": "no profile", "server": "default server"}


class IdleAPI(ActivityHandler):
    """The share of server-hours in which servers were idle: over 15 minutes without activity."""

    operation_ids = {"get": "get_idle_time"}

    async def get(self, query: UnitQuery) -> IdleTime:
        view = await self.view(query)
        return await view.compute(idle_time, query, query.unit)


class IdleCSV(ActivityHandler):
    """The periods of ``api/idle``."""

    operation_ids = {"get": "get_idle_time_csv"}

    async def get(self, query: UnitQuery) -> None:
        view = await self.view(query)
        rows = (await view.compute(idle_time, query, query.unit)).periods
        await self.write_csv(["idle", query.unit], csv_export.IDLE, rows, query.days(view.today))


class UsageByAPI(ActivityHandler):
    """Server-hours, sessions and users by profile or by server name."""

    operation_ids = {"get": "get_usage_by"}

    async def get(self, kind: Kind, query: UnitQuery) -> UsageBy:
        view = await self.view(query)
        return await view.compute(usage_by, query, query.unit, kind)


class UsageByCSV(ActivityHandler):
    """The period of ``api/usage-by/profile`` or ``api/usage-by/server`` as one, or divided."""

    operation_ids = {"get": "get_usage_by_csv"}

    async def get(self, kind: Kind, query: OptionalUnitQuery) -> None:
        view = await self.view(query)
        usage = await view.compute(usage_by, query, query.unit or "days", kind)
        rows = csv_rows(usage.periods if query.unit else [usage.whole], kind)
        days = query.days(view.today)
        names = ["usage-by", kind, query.unit or ""]
        await self.write_csv(names, csv_export.USAGE_BY[kind], rows, days)


class CsvRow(NamedTuple):
    """Usage by one profile or name in one period."""

    first: date
    last: date
    share: float
    profile: str | None
    server: str | None
    server_seconds: int | None = None
    sessions: int | None = None
    active_users: int | None = None
    cost: float | None = None


def csv_rows(periods: Iterable[UsageByPeriod], kind: Kind) -> Iterator[CsvRow]:
    """One row for each name in each period; a period without any has one without a name."""
    for period in periods:
        frame = (period.first, period.last, period.share)
        if not period.usage:
            yield CsvRow(*frame, None, None, *([None if period.usage is None else 0] * 4))
        for row in period.usage or ():
            text = NAMELESS[kind] if row.name == "" else row.name
            counts = (row.server_seconds, row.sessions, row.active_users)
            yield CsvRow(*frame, text, text, *counts, row.cost)
