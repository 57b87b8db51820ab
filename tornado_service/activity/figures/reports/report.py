"""The report of a period, for those who pay: its figures, 12 months of trend, and groups."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ...domain.calendar import ONE_DAY, utc_datetime
from ...domain.terms import Term
from ...history.history import History
from ..comparison import Comparison, comparison
from ..durations import Lengths, lengths
from ..periods import Period, Unit, period, periods, window
from ..users import GroupUse, PeopleCounts, groups, people_counts

#: Months of the trend.
MONTHS = 12


@dataclass(frozen=True)
class Report:
    """The report of a period.

    Attributes:
        zone: time zone of the days, an IANA name.
        as_of: time of the latest sample; ``None``: there is no history yet.
        currency: of all costs, as it is written in the settings; ``None``: there are no prices.
        unit: of `periods`: the days, weeks or months of the period.
        months: the 12 months up to that of the last day.
        months_before: the same months of the year before.
        groups: those with the most server-hours first.
        groups_missing: why there are no groups: the scope that the reader lacks, or
            ``unavailable`` if the hub sent none this time; empty if it did.
        sentence: the period in words.
    """

    zone: str
    as_of: datetime | None
    currency: str | None
    first: date
    last: date
    whole: Period
    lengths: Lengths | None
    people: PeopleCounts
    comparison: Comparison
    unit: Unit
    periods: tuple[Period, ...]
    months: tuple[Period, ...]
    months_before: tuple[Period, ...]
    groups: tuple[GroupUse, ...]
    groups_missing: str = ""
    sentence: str = ""

    @property
    def weight(self) -> int:
        """Rows in all of its lists, for the cache."""
        return len(self.periods) + 2 * MONTHS + len(self.groups)


def report(
    history: History,
    first: date,
    last: date,
    unit: Unit,
    terms: Sequence[Term] = (),
    members_of: Mapping[str, Collection[int]] | None = None,
) -> Report:
    """The report of the days from ``first`` to ``last``; ``members_of``: of groups, by name."""
    months = [window("months", last)]
    while len(months) < 2 * MONTHS:
        months.append(window("months", months[-1][0] - ONE_DAY))
    trend = tuple(period(history, *month) for month in reversed(months))
    of_groups = groups(history, first, last, members_of or {})
    of_groups.sort(key=lambda group: -(group.server_seconds or 0))
    return Report(
        zone=history.zone.key,
        as_of=utc_datetime(history.now or None),
        currency=history.prices.currency if history.prices else None,
        first=first,
        last=last,
        whole=period(history, first, last),
        lengths=lengths(history, first, last),
        people=people_counts(history, first, last),
        comparison=comparison(history, first, last, terms),
        unit=unit,
        periods=tuple(periods(history, first, last, unit)),
        months=trend[MONTHS:],
        months_before=trend[:MONTHS],
        groups=tuple(of_groups),
    )
