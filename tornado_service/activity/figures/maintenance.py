"""Best times for maintenance: the longest stretch of the week in which the fewest servers run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from ..domain.records import Interval

#: Days with data that an hour of the day needs: 20 of 28, so that a February with a gap has them.
DAYS_NEEDED = 20
#: Hours with data that an hour of the week needs.
HOURS_NEEDED = 2
#: By how much an hour may exceed the quietest one: on a hub that is never idle, no two are equal.
TOLERANCE = Fraction(1, 10)


@dataclass(frozen=True)
class MaintenanceWindow:
    """Hours of the week in a row, each with about the lowest average of concurrent servers.

    It begins at ``hour`` of ``weekday``, 0 is Monday; it has 168 hours if all are alike.
    """

    weekday: int
    hour: int
    hours: int
    mean_servers: float
    peak_servers: int

    def next_from(self, day: date, zone: ZoneInfo) -> Interval:
        """The first such window on a day or later."""
        days = timedelta((self.weekday - day.weekday()) % 7)
        start = datetime.combine(day + days, time(self.hour))
        end = start + timedelta(hours=self.hours)
        return Interval(*(int(at.replace(tzinfo=zone).timestamp()) for at in (start, end)))


def longest_stretch(levels: Sequence[Fraction | None], peaks: Sequence[int]) -> list[int]:
    """The numbers of the most hours in a row with about the lowest level; the week is a circle.

    Of equally long stretches that with the lowest peak, then the one that begins first. A level is
    ``None`` where there is not enough data.
    """
    lowest = min((level for level in levels if level is not None), default=None)
    if lowest is None:
        return []
    most = lowest * (1 + TOLERANCE)
    is_quiet = [level is not None and level <= most for level in levels]
    if all(is_quiet):
        return list(range(len(levels)))
    begins = [at for at, quiet in enumerate(is_quiet) if quiet and not is_quiet[at - 1]]
    return min(
        (_stretch(is_quiet, begin) for begin in begins),
        key=lambda hours: (-len(hours), max(peaks[hour] for hour in hours), hours[0]),
    )


def _stretch(is_quiet: Sequence[bool], begin: int) -> list[int]:
    hours = []
    while is_quiet[begin]:
        hours.append(begin)
        begin = (begin + 1) % len(is_quiet)
    return hours
