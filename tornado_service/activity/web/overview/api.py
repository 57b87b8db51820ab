"""Operations behind the overview: its figures as CSV, the trend, and the hours of a few days.

The names of the classes are labels of the service's metrics.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from tornado.web import HTTPError

from ...access.queries import Range
from ...access.responses import Hourly, Notes, Summary
from ...access.view import summary
from ...figures.comparison import ComparedCost, ComparedFigure, PeriodComparison
from ...figures.periods import hourly
from ...figures.trend import Trend, trend
from ..api import ActivityHandler
from ..csv_export import to_hours

#: The most days whose hours are sent at once.
MAX_HOURLY_DAYS = 92

SUMMARY = (
    "figure", "period", "first", "last", "watched_share", "value", "compared_value", "change",
)  # fmt: skip
TREND = (
    "date", "watched_share", "is_over", "new_users", "daily_active_users", "daily_at_least",
    "weekly_active_users", "weekly_at_least", "monthly_active_users", "monthly_at_least",
    "daily_average_7", "stickiness",
)  # fmt: skip
HOURLY = ("start", "watched_share", "mean_servers", "peak_servers")


class SummaryCSV(ActivityHandler):
    """The figures of ``api/summary``, a row for each, also of the periods compared with."""

    operation_ids = {"get": "get_summary_csv"}

    async def get(self, query: Range) -> None:
        view = await self.view(query)
        figures = await view.compute(summary, query, self.terms)
        days = query.days(view.today)
        await self.write_csv(["summary"], SUMMARY, summary_rows(figures), days)


class TrendAPI(ActivityHandler):
    """Daily, weekly and monthly active users on each day of a period."""

    operation_ids = {"get": "get_trend"}

    async def get(self, query: Range) -> Trend:
        view = await self.view(query)
        return await view.compute(trend, query)


class TrendCSV(ActivityHandler):
    """The same as ``api/trend``."""

    operation_ids = {"get": "get_trend_csv"}

    async def get(self, query: Range) -> None:
        view = await self.view(query)
        rows = (await view.compute(trend, query)).days
        await self.write_csv(["trend"], TREND, rows, query.days(view.today))


class HourlyAPI(ActivityHandler):
    """Concurrent servers in each hour of a period of at most 92 days."""

    operation_ids = {"get": "get_hourly_servers"}

    async def get(self, query: Range) -> Hourly:
        view = await self.view(query)
        check_length(*query.days(view.today))
        return Hourly(self.recorder.zone.key, await view.compute(hourly, query))


class HourlyCSV(ActivityHandler):
    """The same as ``api/hourly``."""

    operation_ids = {"get": "get_hourly_servers_csv"}

    async def get(self, query: Range) -> None:
        view = await self.view(query)
        days = query.days(view.today)
        check_length(*days)
        await self.write_csv(["hourly"], HOURLY, await view.compute(hourly, query), days)


class NotesAPI(ActivityHandler):
    """The notes of the settings on days of a period."""

    operation_ids = {"get": "list_notes"}

    async def get(self, query: Range) -> Notes:
        view = await self.view(query)
        return Notes(self.notes(*query.days(view.today)))


def check_length(first: date, last: date) -> None:
    if (last - first).days >= MAX_HOURLY_DAYS:
        raise HTTPError(400, f"The period has more than {MAX_HOURLY_DAYS} days.")


class SummaryRow(NamedTuple):
    """One figure of one period; ``value``, ``compared_value``: see `summary_rows`."""

    figure: str
    period: str
    first: date
    last: date
    share: float
    value: float | None
    compared_value: float | None = None
    change: float | None = None


#: The figures that are compared, by their names in CSV and in a comparison.
COMPARED = {
    "active_users": "active_users",
    "server_hours": "server_seconds",
    "sessions": "sessions",
    "peak_servers": "peak_servers",
    "new_users": "new_users",
    "cost": "cost",
}


def summary_rows(figures: Summary) -> Iterator[SummaryRow]:
    """All figures of the period, then those of the periods compared with.

    ``value`` is that of the row's own period, ``change`` that from it to ``compared_value``.
    """
    whole, people, lengths = figures.whole, figures.people, figures.lengths
    values = {
        "active_users": whole.active_users,
        "server_hours": to_hours(whole.server_seconds),
        "sessions": whole.sessions,
        "peak_servers": whole.peak_servers,
        "mean_servers": whole.mean_servers,
        "median_session_hours": to_hours(lengths.median) if lengths else None,
        "accounts": people.accounts,
        "new_users": people.new,
        "returning_users": people.returning,
        "never_returned_users": people.never_returned,
        "cost": whole.cost,
    }
    without = "" if figures.currency else "cost"
    for name, value in values.items():
        if name != without:
            yield SummaryRow(name, "period", whole.first, whole.last, whole.share, value)
    yield from _compared_rows("previous", figures.comparison.previous, without)
    yield from _compared_rows("year_before", figures.comparison.year_before, without)


def _compared_rows(
    period: str, compared: PeriodComparison | None, without: str
) -> Iterator[SummaryRow]:
    if compared is None:
        return
    days = (compared.earlier_first, compared.earlier_last, compared.earlier_share)
    for name, field in COMPARED.items():
        if name == without:
            continue
        figure: ComparedFigure | ComparedCost = getattr(compared, field)
        before: float | None = figure.earlier
        now: float | None = figure.value
        if name == "server_hours":
            before, now = to_hours(before), to_hours(now)
        yield SummaryRow(name, period, *days, before, now, figure.change)
