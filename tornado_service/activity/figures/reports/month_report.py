"""The report of a month: all figures of the month and of the month before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date

from ...domain.calendar import ONE_DAY
from ...history.history import History
from ..availability import COMPARABLE
from ..durations import Lengths, lengths
from ..heatmap import HeatMap, heat_map
from ..periods import Period, period, periods, window
from ..users import GroupUse, PeopleCounts, groups, people_counts


@dataclass(frozen=True)
class Month:
    """The figures of one month."""

    whole: Period
    lengths: Lengths | None
    people: PeopleCounts


@dataclass(frozen=True)
class Changes:
    """Relative changes from the month before: 0.1 is a tenth more; ``None``: not comparable."""

    active_users: float | None
    server_seconds: float | None
    sessions: float | None
    peak_servers: float | None
    mean_servers: float | None
    cost: float | None


@dataclass(frozen=True)
class MonthReport:
    """The report of a month.

    Attributes:
        zone: time zone of the days, an IANA name.
        as_of: time of the latest sample.
        groups_missing: why there are no groups: the scope that the reader lacks, or
            ``unavailable`` if the hub sent none this time; empty if it did.
    """

    zone: str
    as_of: int
    month: Month
    previous: Month
    changes: Changes
    days: tuple[Period, ...]
    weeks: tuple[Period, ...]
    heat_map: HeatMap
    groups: tuple[GroupUse, ...]
    groups_missing: str = ""


def month_report(
    history: History, day: date, members_of: Mapping[str, Collection[int]] | None = None
) -> MonthReport:
    """The report of the month that a day is in; ``members_of``: of groups, by name."""
    first, last = window("months", day)
    this = _month(history, first)
    previous = _month(history, first - ONE_DAY)
    return MonthReport(
        zone=history.zone.key,
        as_of=history.now,
        month=this,
        previous=previous,
        changes=_changes(this.whole, previous.whole),
        days=tuple(periods(history, first, last, "days")),
        weeks=tuple(periods(history, first, last, "weeks")),
        heat_map=heat_map(history, first, last),
        groups=tuple(groups(history, first, last, members_of or {})),
    )


def _month(history: History, day: date) -> Month:
    first, last = window("months", day)
    return Month(
        whole=period(history, first, last),
        lengths=lengths(history, first, last),
        people=people_counts(history, first, last),
    )


def _changes(this: Period, previous: Period) -> Changes:
    """Compare counts as they are: March has three days more than February."""
    is_fair = min(this.share, previous.share) >= COMPARABLE

    def change(now: float | None, before: float | None) -> float | None:
        return now / before - 1 if is_fair and now is not None and before else None

    names = [field.name for field in fields(Changes)]
    return Changes(*(change(getattr(this, name), getattr(previous, name)) for name in names))
