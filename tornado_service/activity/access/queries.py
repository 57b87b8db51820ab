"""Query parameters: a period, an order, a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from ..figures.cohorts import CohortUnit
from ..figures.periods import Unit
from ..figures.servers.running import Running
from .server_filter import ServerFilter

Row = TypeVar("Row")

#: Days of the default period, and of that of arrival cohorts.
DEFAULT_DAYS, COHORTS_DAYS = 30, 26 * 7

#: The longest period, in days.
MAX_DAYS = 3700

#: Rows on a page of a table.
PAGE_SIZE = 50

#: Groups of one filter.
MAX_GROUPS = 50

#: Groups of one comparison: more colors could not be told apart.
MAX_COMPARED = 8


def _check_year(day: date) -> date:
    if not 1990 <= day.year <= 2199:
        raise ValueError("enter a date between 1990 and 2199 (YYYY-MM-DD)")
    return day


QueryDate = Annotated[date, AfterValidator(_check_year)]


#: A name of a group; the hub has no longer ones.
GroupName = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class GroupFilter(BaseModel):
    """Usage of some groups."""

    model_config = ConfigDict(extra="ignore")

    group: list[GroupName] = Field(
        default_factory=list,
        max_length=MAX_GROUPS,
        description="Only current members of this group. If it is there more than once: members"
        " of any of these groups.",
    )


class DateRange(BaseModel):
    """A period."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    #: days of the default period
    default_days: ClassVar[int] = DEFAULT_DAYS

    #: the first day; ``from`` in a query
    first: QueryDate | None = Field(
        None, alias="from", description="The first day, as in 2026-01-01."
    )
    #: the last day, included; ``to`` in a query
    last: QueryDate | None = Field(None, alias="to", description="The last day, included.")

    @model_validator(mode="after")
    def _in_order(self) -> DateRange:
        if self.first and self.last and not 0 <= (self.last - self.first).days < MAX_DAYS:
            raise ValueError(f"'from' must not be after 'to', nor more than {MAX_DAYS} days before")
        return self

    def days(self, today: date) -> tuple[date, date]:
        """The first and the last day; by default the `default_days` up to today."""
        if self.last:
            last = self.last
        elif self.first and self.first > today - timedelta(days=MAX_DAYS - 1):
            last = max(today, self.first)
        else:
            last = self.first + timedelta(days=MAX_DAYS - 1) if self.first else today
        return self.first or last - timedelta(days=self.default_days - 1), last


class Range(GroupFilter, DateRange):
    """A period, of all users or of some groups."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class UnitQuery(Range):
    """A period, and how it is divided."""

    unit: Unit = Field("days", description="Figures of each day, week or month.")


class OptionalUnitQuery(Range):
    """A period, as one or divided."""

    unit: Unit | None = Field(
        None, description="Rows of each day, week or month; by default, of the whole period."
    )


class OverviewQuery(Range):
    """A period, and how finely its charts show it."""

    unit: Literal["hours", "days", "weeks", "months"] | None = Field(
        None, description="What a bar or point of the charts stands for."
    )


class Page(NamedTuple):
    """A page of a table; ``total``: rows on all pages."""

    total: int
    page: int
    pages: int
    rows: list[Any]


class Table(DateRange):
    """Rows of a table.

    Each table has its own ``sort``: with ``-`` before it, the largest, latest or last first.
    """

    #: the fields of a row by the names of ``sort``; ``name`` is searched by ``q``
    sort_fields: ClassVar[Mapping[str, str]]
    q: str = Field("", max_length=100, description="A part of the name.")
    page: int = Field(1, ge=1, le=100_000)
    sort: str

    def select(self, rows: Iterable[Row]) -> list[Row]:
        """All rows with ``q`` in their name, in the order; what is not known comes last."""
        name, key = (
            attrgetter(self.sort_fields[field]) for field in ("name", self.sort.removeprefix("-"))
        )
        part = self.q.casefold()
        matches = [row for row in rows if part in name(row).casefold()]
        matches.sort(key=lambda row: name(row).casefold())
        known = [row for row in matches if key(row) is not None]
        known.sort(key=lambda row: _casefolded(key(row)), reverse=self.sort.startswith("-"))
        return known + [row for row in matches if key(row) is None]

    def page_of(self, rows: list[Any]) -> Page:
        """The page of these rows; the last one for a number beyond it."""
        pages = max(1, -(-len(rows) // PAGE_SIZE))
        page = min(self.page, pages)
        return Page(len(rows), page, pages, rows[(page - 1) * PAGE_SIZE :][:PAGE_SIZE])


class TableQuery(Range, Table):
    """Rows of a table, of all users or of some groups."""


def _casefolded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


class CohortsQuery(Range):
    """Arrival cohorts; by default those of the last 26 weeks."""

    default_days = COHORTS_DAYS
    unit: CohortUnit = Field("weeks", description="Users who arrived in the same week or month.")


class RunningFilter(ServerFilter, GroupFilter):
    """Running servers, of all users or of some groups."""


class ServersQuery(ServerFilter, TableQuery):
    """Running servers; the period is for the links to other pages."""

    sort_fields = {"name": "user", "server": "server", "started": "started", "idle": "idle"}

    sort: Literal[
        "name", "server", "started", "idle", "-name", "-server", "-started", "-idle"
    ] = "name"  # fmt: skip

    def select_servers(self, servers: Iterable[Running]) -> list[Running]:
        """`select`, of those that exceed the durations."""
        return self.select(filter(self.includes, servers))


class PeopleQuery(TableQuery):
    """Users."""

    sort_fields = {
        "name": "name", "hours": "server_seconds", "days": "active_days", "sessions": "sessions",
        "arrived": "arrived", "last_active": "last_active", "cost": "cost",
    }  # fmt: skip

    sort: Literal[
        "name", "hours", "days", "sessions", "arrived", "last_active", "cost",
        "-name", "-hours", "-days", "-sessions", "-arrived", "-last_active", "-cost",
    ] = "-hours"  # fmt: skip


class GroupsQuery(TableQuery):
    """Groups."""

    sort_fields = {
        "name": "name", "members": "members", "users": "active_users", "hours": "server_seconds",
        "sessions": "sessions", "cost": "cost",
    }  # fmt: skip

    sort: Literal[
        "name", "members", "users", "hours", "sessions", "cost",
        "-name", "-members", "-users", "-hours", "-sessions", "-cost",
    ] = "name"  # fmt: skip


def _distinct(names: list[str]) -> list[str]:
    if len(distinct := list(dict.fromkeys(names))) < 2:
        raise ValueError("name at least two different groups")
    return distinct


class RosterQuery(Table):
    """Members of one group."""

    sort_fields = {
        "name": "name", "inactive": "inactivity", "days": "active_days", "hours": "server_seconds",
    }  # fmt: skip

    sort: Literal[
        "name", "inactive", "days", "hours", "-name", "-inactive", "-days", "-hours"
    ] = "-inactive"  # fmt: skip
    inactive_since: QueryDate | None = Field(
        None, description="Only members who were not active on this day or later."
    )

    def select(self, rows: Iterable[Row]) -> list[Row]:
        """As of each table; without those who were active since."""
        since, last_active = self.inactive_since, attrgetter("last_active")
        return super().select(
            row for row in rows if since is None or (day := last_active(row)) is None or day < since
        )


class CompareQuery(DateRange):
    """Groups next to each other."""

    group: Annotated[list[GroupName], AfterValidator(_distinct)] = Field(
        min_length=2,
        max_length=MAX_COMPARED,
        description=f"The groups to compare, 2 to {MAX_COMPARED}: one parameter for each.",
    )
    unit: Unit | None = Field(
        None,
        description="Figures for each of the days, weeks or months of the period; by default by its"
        " length: days up to 92 days, weeks up to 800 days, else months.",
    )


_MONTH = re.compile(r"(\d{4})-(\d\d)")


def parse_month(text: str) -> date | None:
    """The first day of a month such as ``2026-10``; ``None`` for what is none."""
    match = _MONTH.fullmatch(text)
    if not match or not 1990 <= int(match[1]) <= 2199 or not 1 <= int(match[2]) <= 12:
        return None
    return date(int(match[1]), int(match[2]), 1)
