"""The requests to Activity: users, paths and periods."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from benchmarks import busy_hub
from tornado_service.activity.web.routes import ROUTES

#: With a period, and without.
RANGE_PATHS = (
    "", "people", "people/{name}", "groups", "servers", "cohorts", "me", "report.html",
    "api/summary", "api/days", "api/weeks", "api/months", "api/hours", "api/notes", "api/trend",
    "api/people", "api/people?sort=name&q=7", "api/people/{name}", "api/groups", "api/me",
    "api/report", "api/idle?unit=weeks", "api/usage-by/profile?unit=weeks", "api/cohorts",
    "api/summary.csv", "api/trend.csv", "api/days.csv", "api/hours.csv", "api/people.csv",
    "api/people/{name}/sessions.csv", "api/groups.csv", "api/idle.csv", "api/usage-by/server.csv",
    "api/cohorts.csv", "api/me/sessions.csv",
)  # fmt: skip
LIVE_PATHS = ("now", "months", "api/now", "api/now.csv")
MONTH_PATHS = ("month/{month}", "api/month/{month}")

#: With a period of at most three months.
HOURLY_PATHS = ("api/hourly", "api/hourly.csv")

#: With a period, for those who see the group, or several groups.
GROUP_PATHS = (
    "?group={group}", "people?group={group}", "servers?group={group}", "groups/{group}",
    "groups/{group}/roster", "report.html?group={group}", "api/people.csv?group={group}",
    "api/groups/{group}/roster", "api/groups/{group}/roster.csv",
)  # fmt: skip
COMPARISON_PATHS = (
    "groups/compare?{groups}", "api/groups/compare?{groups}", "api/groups/compare.csv?{groups}",
    "api/groups/compare/periods.csv?{groups}",
)  # fmt: skip

RANGES = {"30 days": 30, "a year": 365}

#: The largest group that each caller sees.
GROUPS = {
    "admin": "class-5000",
    "instructor of 40": "group-003",
    "instructor of 500": "class-500",
    "instructor of 5,000": "class-5000",
}

#: Groups of a comparison: as many as there may be.
COMPARED = ("class-5000", "class-500", *(f"group-{number:03}" for number in range(6)))

#: A stream, which has no end.
NOT_REQUESTED = {"api/events"}


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
        path = self.path.format(
            name=busy_hub.user_name(130),
            month=_month(shift),
            group=GROUPS.get(self.caller),
            groups="&".join(f"group={name}" for name in COMPARED),
        )
        if not self.range:
            return path
        last = date.today() - timedelta(days=shift)
        first = last - timedelta(days=RANGES[self.range] - 1)
        return f"{path}{'&' if '?' in path else '?'}from={first}&to={last}"


def _month(shift: int) -> str:
    day = date.today().replace(day=1) - timedelta(days=30 * (shift % 12))
    return day.isoformat()[:7]


def visits() -> list[Visit]:
    """All of them; `ValueError` if a route is left out."""
    found = [
        Visit(caller, path, range_)
        for caller in busy_hub.CALLERS
        for paths, ranges in (
            (RANGE_PATHS, tuple(RANGES)),
            (GROUP_PATHS if caller in GROUPS else (), tuple(RANGES)),
            (COMPARISON_PATHS if caller == "admin" else (), tuple(RANGES)),
            (HOURLY_PATHS, ("30 days",)),
            (LIVE_PATHS + MONTH_PATHS, ("",)),
        )
        for path in paths
        for range_ in ranges
    ]
    addresses = {visit.url(0).partition("?")[0] for visit in found} | NOT_REQUESTED
    for pattern, *_ in ROUTES:
        if not any(re.fullmatch(pattern, address) for address in addresses):
            raise ValueError(f"The benchmark has no request for {pattern}.")
    return found
