"""Responses of the API, which the pages show as well.

What stands below ``Attributes`` is in the OpenAPI document, here and in `figures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from ..domain.notes import Note
from ..figures.cohorts import Cohort
from ..figures.comparison import Comparison
from ..figures.durations import Lengths
from ..figures.groups.roster import RosterMember
from ..figures.heatmap import Hour, MaintenanceWindow
from ..figures.periods import HourPeriod, Period
from ..figures.person import OwnUse
from ..figures.servers.running import Running
from ..figures.users import GroupUse, PeopleCounts, PersonRow


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
        currency: of all costs, as it is written in the settings; ``None``: there are no prices.
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
    comparison: Comparison
    currency: str | None = None


@dataclass(frozen=True)
class Periods:
    """Days, weeks or months."""

    zone: str
    periods: list[Period]


@dataclass(frozen=True)
class Hourly:
    """The hours of a period, in order."""

    zone: str
    hours: list[HourPeriod]


@dataclass(frozen=True)
class Notes:
    """The notes on days of a period, the earliest first."""

    notes: list[Note]


@dataclass(frozen=True)
class ArrivalCohorts:
    """Users by the week or month of their arrival."""

    zone: str
    cohorts: list[Cohort]


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
    comparison: Comparison


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


@dataclass(frozen=True)
class GroupRoster:
    """A page of the members of a group.

    Attributes:
        zone: time zone of the days.
        as_of: time of the latest sample.
        strip_first: the first day of each member's `strip`.
        strip_last: the last day of it.
        total: members on all pages.
    """

    group: str
    zone: str
    as_of: datetime | None
    strip_first: date
    strip_last: date
    total: int
    page: int
    pages: int
    members: list[RosterMember]
