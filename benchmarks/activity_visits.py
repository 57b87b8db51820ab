"""The requests to Activity: users, paths and periods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from benchmarks import busy_hub

#: With a period, and without.
RANGE_PATHS = (
    "", "people", "people/{name}", "groups", "me", "api/summary", "api/days", "api/weeks",
    "api/months", "api/hours", "api/people", "api/people?sort=name&q=7", "api/people/{name}",
    "api/groups", "api/me", "api/days.csv", "api/hours.csv", "api/people.csv",
    "api/people/{name}/sessions.csv", "api/groups.csv", "api/me/sessions.csv",
)  # fmt: skip
LIVE_PATHS = ("now", "months", "api/now", "api/now.csv")
MONTH_PATHS = ("month/{month}", "api/month/{month}")

RANGES = {"30 days": 30, "a year": 365}


@dataclass(frozen=True)
class Visit:
    """A user and an endpoint."""

    caller: str
    path: str
    range: str = ""

    def __str__(self) -> str:
        return f"{self.caller}: {self.path or 'overview'} {self.range}".rstrip()

    def url(self, shift: int) -> str:
        """The URL for a period moved back by so many days, so that no cache has it."""
        path = self.path.format(name=busy_hub.user_name(130), month=_month(shift))
        if not self.range:
            return path
        last = date.today() - timedelta(days=shift)
        first = last - timedelta(days=RANGES[self.range] - 1)
        return f"{path}{'&' if '?' in path else '?'}from={first}&to={last}"


def _month(shift: int) -> str:
    day = date.today().replace(day=1) - timedelta(days=30 * (shift % 12))
    return day.isoformat()[:7]


def visits() -> list[Visit]:
    return [
        Visit(caller, path, range_)
        for caller in busy_hub.CALLERS
        for paths, ranges in ((RANGE_PATHS, tuple(RANGES)), (LIVE_PATHS + MONTH_PATHS, ("",)))
        for path in paths
        for range_ in ranges
    ]
