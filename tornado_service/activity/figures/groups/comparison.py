"""Groups next to each other: the same figures for the members of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from ...history.cache import DerivedCache
from ...history.history import History
from ..durations import Lengths, lengths
from ..periods import Period, Unit, period, periods
from ..users import PeopleCounts, people_counts


@dataclass(frozen=True)
class ComparedGroup:
    """The figures of one group.

    Attributes:
        name: ``None``: all of the groups together, with each user once.
        members: current members whom the user may see.
        whole: the period as one.
        periods: each of its days, weeks or months.
    """

    name: str | None
    members: int
    whole: Period
    lengths: Lengths | None
    people: PeopleCounts
    periods: tuple[Period, ...]


@dataclass(frozen=True)
class GroupComparison:
    """Groups next to each other.

    Attributes:
        zone: time zone of the days.
        in_several: users who are members of more than one of the groups: each of these groups
            includes them, so the sum over the groups is more than `together`.
        together: all of the groups, with each user once.
    """

    zone: str
    unit: Unit
    in_several: int
    groups: tuple[ComparedGroup, ...]
    together: ComparedGroup

    @property
    def weight(self) -> int:
        """Rows in all of its lists, for the cache of figures."""
        return (len(self.groups) + 1) * (len(self.together.periods) + 1)


def compare_groups(
    history: History,
    first: date,
    last: date,
    unit: Unit,
    members_of: Mapping[str, Collection[int]],
) -> GroupComparison:
    """Compare groups by their current members, in the order in which they are given."""
    counts = Counter(user for users in members_of.values() for user in set(users))
    # what was derived for the groups of the latest comparison serves the next one as well
    latest = history.derived_cache.get("compared groups", (), dict[frozenset[int], DerivedCache])
    kept = dict(latest)
    latest.clear()

    def figures(name: str | None, users: Collection[int]) -> ComparedGroup:
        ids = frozenset(users)
        part = history
        if history.users != ids:
            latest[ids] = kept.get(ids) or DerivedCache()
            part = history.restricted(ids, latest[ids])
        return ComparedGroup(
            name,
            len(ids),
            whole=period(part, first, last),
            lengths=lengths(part, first, last),
            people=people_counts(part, first, last),
            periods=tuple(periods(part, first, last, unit)),
        )

    return GroupComparison(
        history.zone.key,
        unit,
        in_several=sum(count > 1 for count in counts.values()),
        groups=tuple(figures(name, users) for name, users in members_of.items()),
        together=figures(None, counts),
    )
