"""What the API answers and the pages show: figures, with what a reader has to know of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any, Generic, TypeVar

from ..figures.durations import Lengths
from ..figures.heatmap import Hour
from ..figures.maintenance import MaintenanceWindow
from ..figures.periods import Period
from ..figures.person import OwnUse
from ..figures.servers import Running
from ..figures.users import GroupUse, PeopleCounts, PersonUse
from .queries import PAGE_SIZE, GroupsQuery, ServersQuery

Row = TypeVar("Row")


@dataclass(frozen=True)
class Now:
    """What runs now.

    Attributes:
        taken: when that was so; ``None``: the hub has not been asked yet.
    """

    taken: datetime | None
    servers: list[Running]


@dataclass(frozen=True)
class Summary:
    """The main figures of a range.

    Attributes:
        zone: whose days these are.
        as_of: when the figures were up to date; ``None``: there is no history yet.
        watched_from: when data collection began.
        weeks_missing: see `HeatMap`, like the next two.
    """

    zone: str
    as_of: datetime | None
    watched_from: datetime | None
    whole: Period
    lengths: Lengths | None
    people: PeopleCounts
    weeks_missing: float
    quietest: tuple[Hour, ...] | None
    maintenance_window: MaintenanceWindow | None


@dataclass(frozen=True)
class Periods:
    """Days, weeks or months."""

    zone: str
    periods: list[Period]


@dataclass(frozen=True)
class PersonRow:
    """One user in a period; ``None``: not known.

    Attributes:
        arrived: when they came to the hub.
        last_active: the last day on which they were active, up to the latest sample.
        deleted: when it was seen first that the hub does not have them any more.
        is_away: they exist, and were last active more than 90 days before the latest sample.
        is_earlier: another account has the name now, or had it later: ``people/{name}`` is that.
    """

    name: str
    server_seconds: int | None
    active_days: int | None
    sessions: int | None
    arrived: datetime | None
    last_active: date | None
    deleted: datetime | None
    is_new: bool | None
    is_returning: bool | None
    never_returned: bool | None
    is_away: bool
    is_earlier: bool


@dataclass(frozen=True)
class People:
    """A page of the people.

    Attributes:
        total: how many there are on all pages.
    """

    total: int
    page: int
    pages: int
    people: list[PersonRow]


@dataclass(frozen=True)
class PersonDetail:
    """One person, and their use in a range."""

    name: str
    first: date
    last: date
    use: OwnUse


@dataclass(frozen=True)
class GroupList:
    """All groups.

    Attributes:
        missing: the scope without which the hub does not show them to the caller; else empty.
    """

    missing: str
    groups: list[GroupUse]


@dataclass(frozen=True)
class GroupPage:
    """A page of the groups.

    Attributes:
        missing: the scope without which the hub does not show them to the caller; else empty.
        total: how many there are on all pages.
    """

    missing: str
    total: int
    page: int
    pages: int
    groups: list[GroupUse]


def utc_datetime(seconds: int | None) -> datetime | None:
    """Seconds since 1970 as a time of UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)


def person_row(use: PersonUse) -> PersonRow:
    """One person as the table shows them."""
    return PersonRow(
        name=use.person.name,
        server_seconds=use.server_seconds,
        active_days=use.active_days,
        sessions=use.sessions,
        arrived=utc_datetime(use.arrived),
        last_active=use.last_active,
        deleted=utc_datetime(use.person.deleted),
        is_new=use.is_new,
        is_returning=use.is_returning,
        never_returned=use.never_returned,
        is_away=use.is_away,
        is_earlier=use.is_earlier,
    )


Orders = Mapping[str, Callable[[Row], Any]]

_PEOPLE: Orders[PersonUse] = {
    "name": lambda use: use.person.name.casefold(),
    "hours": lambda use: use.server_seconds,
    "days": lambda use: use.active_days,
    "sessions": lambda use: use.sessions,
    "arrived": lambda use: use.arrived,
    "last_active": lambda use: use.last_active,
}

_GROUPS: Orders[GroupUse] = {
    "name": lambda use: use.name.casefold(),
    "members": lambda use: use.members,
    "users": lambda use: use.active_users,
    "hours": lambda use: use.server_seconds,
    "sessions": lambda use: use.sessions,
}

_SERVERS: Orders[Running] = {
    "name": lambda each: each.user.casefold(),
    "server": lambda each: each.server.casefold(),
    "started": lambda each: each.started,
    "idle": lambda each: each.idle,
}


def ordered(uses: Iterable[PersonUse], sort: str, part: str) -> list[PersonUse]:
    """People with a part of a name in theirs, in an order; what is not known comes last.

    Args:
        uses: of people.
        sort: a name of an order, with ``-`` before it for the other way round.
        part: of the name, in any case.
    """
    return _ordered(uses, _PEOPLE, sort, part)


def ordered_groups(found: GroupList, query: GroupsQuery) -> list[GroupUse]:
    """The groups that are asked for, of all pages."""
    return _ordered(found.groups, _GROUPS, query.sort, query.q)


def ordered_servers(found: Now, query: ServersQuery) -> list[Running]:
    """The servers that are asked for, by the names of their users, of all pages."""
    return _ordered(found.servers, _SERVERS, query.sort, query.q)


def _ordered(rows: Iterable[Row], orders: Orders[Row], sort: str, part: str) -> list[Row]:
    name, key = orders["name"], orders[sort.removeprefix("-")]
    part = part.casefold()
    found = sorted((row for row in rows if part in name(row)), key=name)
    known = [row for row in found if key(row) is not None]
    known.sort(key=key, reverse=sort.startswith("-"))
    return known + [row for row in found if key(row) is None]


@dataclass(frozen=True)
class TablePage(Generic[Row]):
    """A page of a long table.

    Attributes:
        total: how many rows there are on all pages.
    """

    total: int
    page: int
    pages: int
    rows: list[Row]


def paginate(rows: list[Row], page: int) -> TablePage[Row]:
    """One page; the last one for a number beyond it."""
    pages = max(1, -(-len(rows) // PAGE_SIZE))
    page = min(page, pages)
    return TablePage(len(rows), page, pages, rows[(page - 1) * PAGE_SIZE :][:PAGE_SIZE])


def people_page(uses: list[PersonUse], page: int) -> People:
    """One page of the people."""
    part = paginate(uses, page)
    return People(part.total, part.page, part.pages, list(map(person_row, part.rows)))


def groups_page(found: GroupList, query: GroupsQuery) -> GroupPage:
    """One page of the groups."""
    part = paginate(ordered_groups(found, query), query.page)
    return GroupPage(found.missing, part.total, part.page, part.pages, part.rows)
