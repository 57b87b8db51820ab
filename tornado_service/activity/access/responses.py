"""Responses of the API, which the pages show as well; tables are filtered, sorted and paged."""

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
from .queries import PAGE_SIZE, GroupsQuery, PeopleQuery, ServersQuery

Row = TypeVar("Row")


@dataclass(frozen=True)
class Now:
    """The running servers.

    Attributes:
        taken: when the sample was taken; ``None``: there is none yet.
    """

    taken: datetime | None
    servers: list[Running]


@dataclass(frozen=True)
class Summary:
    """The main figures of a period.

    Attributes:
        zone: time zone of the days.
        as_of: time of the latest sample; ``None``: there is no history yet.
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
        deleted: time of the first sample without them.
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
    """A page of the users.

    Attributes:
        total: users on all pages.
    """

    total: int
    page: int
    pages: int
    people: list[PersonRow]


@dataclass(frozen=True)
class PersonDetail:
    """One user's usage in a period."""

    name: str
    first: date
    last: date
    use: OwnUse


@dataclass(frozen=True)
class GroupPage:
    """A page of the groups.

    Attributes:
        missing: the scope without which the hub does not show them; else empty.
        total: groups on all pages.
    """

    missing: str
    total: int
    page: int
    pages: int
    groups: list[GroupUse]


def utc_datetime(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)


def person_row(use: PersonUse) -> PersonRow:
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


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A page of a table.

    Attributes:
        total: rows on all pages.
    """

    total: int
    page: int
    pages: int
    rows: list[Row]


def paginate(rows: list[Row], page: int) -> Page[Row]:
    """Return one page; the last one for a number beyond it."""
    pages = max(1, -(-len(rows) // PAGE_SIZE))
    page = min(page, pages)
    return Page(len(rows), page, pages, rows[(page - 1) * PAGE_SIZE :][:PAGE_SIZE])


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
    "name": lambda server: server.user.casefold(),
    "server": lambda server: server.server.casefold(),
    "started": lambda server: server.started,
    "idle": lambda server: server.idle,
}


def filtered_people(uses: Iterable[PersonUse], query: PeopleQuery) -> list[PersonUse]:
    return _filtered(uses, _PEOPLE, query.sort, query.q)


def filtered_groups(uses: Iterable[GroupUse], query: GroupsQuery) -> list[GroupUse]:
    return _filtered(uses, _GROUPS, query.sort, query.q)


def filtered_servers(servers: Iterable[Running], query: ServersQuery) -> list[Running]:
    """The servers that match the query, which is about the names of their users."""
    return _filtered(servers, _SERVERS, query.sort, query.q)


def _filtered(rows: Iterable[Row], orders: Orders[Row], sort: str, part: str) -> list[Row]:
    """Rows with a part of a name in theirs, in an order; what is not known comes last."""
    name, key = orders["name"], orders[sort.removeprefix("-")]
    part = part.casefold()
    matches = sorted((row for row in rows if part in name(row)), key=name)
    comparable = [row for row in matches if key(row) is not None]
    comparable.sort(key=key, reverse=sort.startswith("-"))
    return comparable + [row for row in matches if key(row) is None]
