"""Every figure of a script, worked out slowly and without a line of the service's own code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cached_property
from statistics import mean, median

from tests.support.activity.looks import Observation, Use
from tests.support.activity.script import HOUR

QUARTER = 900
ONE_DAY = timedelta(days=1)


class Ledger(Observation):
    """The figures of what was seen."""

    def bounds(self, day: date) -> tuple[int, int]:
        start = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        after = day + ONE_DAY
        end = datetime(after.year, after.month, after.day, tzinfo=self.zone)
        return int(start.timestamp()), int(end.timestamp())

    @cached_property
    def by_day(self) -> dict[date, list[Use]]:
        """The uses of each day with a moment of theirs, or their beginning."""
        uses: dict[date, list[Use]] = {}
        for human in self.people:
            for use in human.uses:
                day = datetime.fromtimestamp(use.started, self.zone).date()
                while True:
                    uses.setdefault(day, []).append(use)
                    day += ONE_DAY
                    if self.bounds(day)[0] >= use.end:
                        break
        return uses

    def active_on(self, day: date) -> set[int]:
        start, end = self.bounds(day)
        visitors = {
            who
            for who, human in enumerate(self.people)
            if any(start <= hour * HOUR < end for hour in human.visits)
        }
        return visitors | {use.who for use in self.by_day.get(day, [])}

    @cached_property
    def active(self) -> dict[date, set[int]]:
        first = datetime.fromtimestamp(self.script.start, self.zone).date() - 30 * ONE_DAY
        last = datetime.fromtimestamp(self.script.end, self.zone).date()
        return {day: self.active_on(day) for day in each_day(first, last)}

    def active_users(self, first: date, last: date) -> set[int]:
        return set().union(*(self.active.get(day, set()) for day in each_day(first, last)))

    def seconds(self, first: date, last: date, who: set[int] | None = None) -> int:
        total = 0
        for day in each_day(first, last):
            start, end = self.bounds(day)
            for use in self.by_day.get(day, []):
                if who is None or use.who in who:
                    total += overlap(use, start, end)
        return total

    def sessions(self, first: date, last: date, who: set[int] | None = None) -> list[Use]:
        start, end = self.bounds(first)[0], self.bounds(last)[1]
        return [
            use
            for human in self.people
            for use in human.uses
            if start <= use.started < end and (who is None or use.who in who)
        ]

    def peak(self, uses: list[Use], start: int, end: int) -> int:
        moments = [start, *(use.started for use in uses if start <= use.started < end)]
        return max(sum(use.started <= at < use.end for use in uses) for at in moments)

    def covered(self, start: int, end: int) -> int:
        return sum(max(0, min(end, b) - max(start, a)) for a, b in self.coverage)

    def watched_quarters(self, day: date) -> list[tuple[int, int]]:
        start, end = self.bounds(day)
        quarters = ((at, at + QUARTER) for at in range(start, end, QUARTER))
        return [slot for slot in quarters if self.covered(*slot) == QUARTER]

    def mean_servers(self, first: date, last: date) -> float | None:
        levels = [
            sum(overlap(use, *quarter) for use in self.by_day.get(day, [])) / QUARTER
            for day in each_day(first, last)
            for quarter in self.watched_quarters(day)
        ]
        return mean(levels) if levels else None

    def period(self, first: date, last: date) -> dict[str, object] | None:
        """As one value; nothing where nobody looked."""
        start, end = self.bounds(first)[0], self.bounds(last)[1]
        covered = self.covered(start, end)
        if not covered:
            return None
        return {
            "share": covered / (end - start),
            "active_users": len(self.active_users(first, last)),
            "server_seconds": self.seconds(first, last),
            "sessions": len(self.sessions(first, last)),
            "peak_servers": max(
                self.peak(self.by_day.get(day, []), *self.bounds(day))
                for day in each_day(first, last)
            ),
            "mean_servers": self.mean_servers(first, last),
        }

    def heat_map(self, first: date, last: date) -> dict[tuple[int, int], tuple[float, int]]:
        """By weekday and hour: the mean and the peak of their watched quarters."""
        levels: dict[tuple[int, int], list[float]] = {}
        peaks: dict[tuple[int, int], list[int]] = {}
        for day in each_day(first, last):
            uses = self.by_day.get(day, [])
            for start, end in self.watched_quarters(day):
                key = day.weekday(), datetime.fromtimestamp(start, self.zone).hour
                level = sum(overlap(use, start, end) for use in uses) / QUARTER
                levels.setdefault(key, []).append(level)
                peaks.setdefault(key, []).append(self.peak(uses, start, end))
        return {key: (mean(levels[key]), max(peaks[key])) for key in levels}

    def lengths(self, first: date, last: date) -> dict[str, float | int | None]:
        begun = self.sessions(first, last)
        done = [max(0, use.end - use.started) for use in begun if not use.is_open]
        return {
            "finished": len(done),
            "running": len(begun) - len(done),
            "mean": mean(done) if done else None,
            "median": median(done) if done else None,
            "longest": max(done, default=None),
        }

    def new(self, first: date, last: date) -> set[int]:
        """Who was seen first in these days, but for those who were there in the first look."""
        start, end = self.bounds(first)[0], self.bounds(last)[1]
        return {
            who
            for who, human in enumerate(self.people)
            if human.first_seen != self.times[0] and start <= human.first_seen < end
        }

    def returning(self, first: date, last: date) -> set[int]:
        before = self.active_users(min(self.active), first - ONE_DAY)
        return self.active_users(first, last) & before

    def never_returned(self, by: date, within: int) -> set[int]:
        """New, active on one day only, at least so many days before, and not deleted."""
        end = self.bounds(by)[1]
        long_ago = self.bounds(by - within * ONE_DAY)[0]
        users = set()
        for who, human in enumerate(self.people):
            days = [day for day in self.active if day <= by and who in self.active[day]]
            is_new = self.times[0] < human.first_seen < long_ago
            exists = human.deleted is None or human.deleted >= end
            if is_new and exists and len(days) == 1:
                users.add(who)
        return users

    def came_back(self, first: date, last: date, week: int) -> set[int]:
        """New users who were active on a day of that week after their arrival."""
        users = set()
        for who in self.new(first, last):
            arrived = datetime.fromtimestamp(self.people[who].first_seen, self.zone).date()
            days = (arrived + (7 * week + number) * ONE_DAY for number in range(7))
            if any(who in self.active.get(day, ()) for day in days):
                users.add(who)
        return users

    def accounts(self, last: date) -> int:
        end = self.bounds(last)[1]
        return sum(
            human.first_seen < end and (human.deleted is None or human.deleted >= end)
            for human in self.people
        )

    def group(self, name: str) -> set[int]:
        return {who for who, human in enumerate(self.people) if name in human.being.groups}


def overlap(use: Use, start: int, end: int) -> int:
    return max(0, min(end, use.end) - max(start, use.started))


def each_day(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += ONE_DAY
