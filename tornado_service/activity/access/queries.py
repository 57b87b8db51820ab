"""What is asked in an address: days, an order, a page."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

#: Days of the range if nothing else is asked for.
DEFAULT_DAYS = 30

#: The longest range, in days.
MAX_DAYS = 3700

#: People, groups or servers on a page.
PAGE_SIZE = 50


def _check_year(day: date) -> date:
    if not 1990 <= day.year <= 2199:
        raise ValueError("write a day from 1990 to 2199, as in 2026-01-31")
    return day


QueryDate = Annotated[date, AfterValidator(_check_year)]


class Range(BaseModel):
    """Days in a row.

    Attributes:
        first: the first one; ``from`` in an address.
        last: the last one, included; ``to`` in an address.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    first: QueryDate | None = Field(
        None, alias="from", description="The first day, as in 2026-01-01."
    )
    last: QueryDate | None = Field(None, alias="to", description="The last day, included.")

    @model_validator(mode="after")
    def _in_order(self) -> Range:
        if self.first and self.last and not 0 <= (self.last - self.first).days < MAX_DAYS:
            raise ValueError(f"'from' must not be after 'to', nor more than {MAX_DAYS} days before")
        return self

    def days(self, today: date) -> tuple[date, date]:
        """The first and the last day; by default the last 30 up to today."""
        if self.last:
            last = self.last
        elif self.first and self.first > today - timedelta(days=MAX_DAYS - 1):
            last = max(today, self.first)
        else:
            last = self.first + timedelta(days=MAX_DAYS - 1) if self.first else today
        return self.first or last - timedelta(days=DEFAULT_DAYS - 1), last


class TableQuery(Range):
    """Which rows of a long table.

    Each such table has a ``sort`` of its own: by what; with ``-`` before it, the largest, latest or
    last first.

    Attributes:
        q: a part of the name.
    """

    q: str = Field("", max_length=100, description="A part of the name.")
    page: int = Field(1, ge=1, le=100_000)


class ServersQuery(TableQuery):
    """Which running servers; the days are kept for the links to other pages."""

    sort: Literal[
        "name", "server", "started", "idle", "-name", "-server", "-started", "-idle"
    ] = "name"  # fmt: skip


class PeopleQuery(TableQuery):
    """Which people."""

    sort: Literal[
        "name", "hours", "days", "sessions", "arrived", "last_active",
        "-name", "-hours", "-days", "-sessions", "-arrived", "-last_active",
    ] = "-hours"  # fmt: skip


class GroupsQuery(TableQuery):
    """Which groups."""

    sort: Literal[
        "name", "members", "users", "hours", "sessions",
        "-name", "-members", "-users", "-hours", "-sessions",
    ] = "name"  # fmt: skip


_MONTH = re.compile(r"(\d{4})-(\d\d)")


def parse_month(text: str) -> date | None:
    """The first day of a month such as ``2026-10``; nothing for what is none."""
    found = _MONTH.fullmatch(text)
    if not found or not 1990 <= int(found[1]) <= 2199 or not 1 <= int(found[2]) <= 12:
        return None
    return date(int(found[1]), int(found[2]), 1)
