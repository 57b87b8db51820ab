"""``python -m benchmarks.figures``: Activity's figures of a busy hub, in milliseconds.

A made-up hub of 10,000 users, 2,000 of them active a day, for a year. Times are those of a core;
nothing is asserted about them.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from tornado_service.activity.domain.calendar import date_range
from tornado_service.activity.domain.records import Account, DayTotal, Interval, Session, UserDay
from tornado_service.activity.figures.durations import lengths
from tornado_service.activity.figures.heatmap import heat_map
from tornado_service.activity.figures.periods import period, periods
from tornado_service.activity.figures.person import own_use
from tornado_service.activity.figures.reports.month_report import month_report
from tornado_service.activity.figures.servers.idle import idle_time
from tornado_service.activity.figures.servers.usage_by import Kind, usage_by
from tornado_service.activity.figures.users import groups, people, people_counts
from tornado_service.activity.history.history import History

ZONE = ZoneInfo("Europe/Berlin")
FIRST = date(2026, 1, 1)
HOUR = 3600
DAY = 24 * HOUR

T = TypeVar("T")


#: Names of servers, and profiles.
NAMES = [("", "small"), ("", "small"), ("", "large"), ("", ""), ("gpu", "gpu")]
KINDS: tuple[Kind, ...] = ("profile", "server")


@dataclass(frozen=True)
class HubModel:
    """A history as the store returns it, a function of the numbers alone."""

    users: int
    daily: int
    days: int

    @property
    def start(self) -> int:
        return History(ZONE).span(FIRST, FIRST).start

    @property
    def last(self) -> date:
        return FIRST + timedelta(days=self.days - 1)

    @property
    def now(self) -> int:
        return History(ZONE).span(self.last, self.last).start + 20 * HOUR

    @property
    def people(self) -> list[Account]:
        dice = random.Random(1)
        arrivals = [self.start + dice.randrange(self.days * DAY) for _ in range(self.users)]
        return [Account(id_, f"user-{id_}", at) for id_, at in enumerate(arrivals, 1)]

    @property
    def coverage(self) -> list[Interval]:
        hole = self.start + 30 * DAY + 1234
        return [Interval(self.start, hole), Interval(hole + DAY, self.now)]

    def sessions(self) -> Iterator[Session]:
        """One per day of each active user; most in the afternoon, some for days."""
        dice = random.Random(6)
        for day in range(self.days):
            for user in dice.sample(range(1, self.users + 1), self.daily):
                begun = self.start + day * DAY + int(dice.triangular(0, DAY, 14 * HOUR))
                ended = begun + int(dice.lognormvariate(8.6, 1.1))
                if begun < self.now:
                    over = ended if ended < self.now else None
                    server, profile = NAMES[begun % len(NAMES)]
                    yield Session(user, server, begun, ended, ended=over, profile=profile)


def measure(name: str, call: Callable[[], T], times: int = 3) -> T:
    """Print the first and the best time."""
    taken = []
    for _ in range(times):
        begin = time.process_time()
        value = call()
        taken.append(1000 * (time.process_time() - begin))
    print(f"{name:44} {taken[0]:8.1f} {min(taken):8.1f}", flush=True)
    return value


def load(hub: HubModel) -> History:
    """As at service start: closed days from roll-ups, the rest from sessions."""
    sessions = list(hub.sessions())
    known = {"people": hub.people, "coverage": hub.coverage, "observed_from": hub.start}
    raw = History(ZONE).updated(now=hub.now, sessions=sessions, **known)
    user_days, totals = _roll_ups(raw, FIRST, hub.last - timedelta(days=1))
    history = measure(
        "load all",
        lambda: History(ZONE).updated(
            now=hub.now, user_days=user_days, day_totals=totals, sessions=sessions, **known
        ),
        times=1,
    )
    recent = [session for session in sessions if session.end >= hub.now - 600]
    measure(
        f"take in a sample ({len(recent)} sessions)",
        lambda: history.updated(now=hub.now, sessions=recent, **known),
    )
    return history


def _roll_ups(history: History, first: date, last: date) -> tuple[list[UserDay], list[DayTotal]]:
    rows = [
        UserDay(day, *row)
        for day in date_range(first, last)
        for of_day in history.between(day, day)
        for row in zip(*vars(of_day.rows).values(), strict=True)
    ]
    return rows, history.totals(first, last)


def figures(history: History, users: int, title: str, first: date, last: date) -> None:
    """All figures of a range."""
    classes = {f"class-{n}": range(n, users + 1, 50) for n in range(1, 51)}
    measure(f"{title}: by day", lambda: periods(history, first, last, "days"))
    measure(f"{title}: by week", lambda: periods(history, first, last, "weeks"))
    measure(f"{title}: by month", lambda: periods(history, first, last, "months"))
    measure(f"{title}: as one", lambda: period(history, first, last))
    measure(f"{title}: hours of the week", lambda: heat_map(history, first, last))
    measure(f"{title}: lengths", lambda: lengths(history, first, last))
    measure(f"{title}: idle time by week", lambda: idle_time(history, first, last, "weeks"))
    for kind in KINDS:
        measure(
            f"{title}: usage by {kind}, by week",
            lambda kind=kind: usage_by(history, first, last, "weeks", kind),
        )
    measure(f"{title}: users, a row each", lambda: people(history, first, last))
    measure(f"{title}: users, counted", lambda: people_counts(history, first, last))
    measure(f"{title}: 50 groups", lambda: groups(history, first, last, classes))
    measure(f"{title}: report of the last month", lambda: month_report(history, last, classes))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.figures")
    parser.add_argument("--users", type=int, default=10_000, metavar="N")
    parser.add_argument("--daily", type=int, default=2_000, metavar="N")
    parser.add_argument("--days", type=int, default=365, metavar="N")
    options = parser.parse_args()
    hub = HubModel(options.users, options.daily, options.days)
    print(f"{'milliseconds':44} {'first':>8} {'best':>8}")
    history = load(hub)
    month = hub.last - timedelta(days=29)
    figures(history, hub.users, "whole hub, all", FIRST, hub.last)
    figures(history, hub.users, "whole hub, 30 days", month, hub.last)
    for share in (20, 2):
        users = range(1, hub.users // share + 1)
        view = measure(
            f"{len(users)} users: view", lambda users=users: history.restricted(users), 1
        )
        figures(view, len(users), f"{len(users)} users, all", FIRST, hub.last)
    mine = measure("one user: view", lambda: history.restricted({7}))
    measure("one user: own use, 30 days", lambda: own_use(mine, month, hub.last))
    measure("one user: own use, all", lambda: own_use(mine, FIRST, hub.last))
    status = Path("/proc/self/status").read_text()
    print(next(line for line in status.splitlines() if line.startswith("VmRSS")))


if __name__ == "__main__":
    main()
