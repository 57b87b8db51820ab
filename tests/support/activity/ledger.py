"""Every figure of a script, computed slowly and without the service's own code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cached_property
from statistics import mean, median

from tests.support.activity.observation import Observation, ObservedSession
from tests.support.activity.script import HOUR
from tornado_service.activity.domain.prices import Prices

QUARTER = 900
ONE_DAY = timedelta(days=1)


class Ledger(Observation):
    """The figures of an observation."""

    def bounds(self, day: date) -> tuple[int, int]:
        start = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        after = day + ONE_DAY
        end = datetime(after.year, after.month, after.day, tzinfo=self.zone)
        return int(start.timestamp()), int(end.timestamp())

    @cached_property
    def by_day(self) -> dict[date, list[ObservedSession]]:
        """The sessions of each day that they overlap or begin on."""
        sessions: dict[date, list[ObservedSession]] = {}
        for user in self.users:
            for session in user.sessions:
                day = datetime.fromtimestamp(session.started, self.zone).date()
                while True:
                    sessions.setdefault(day, []).append(session)
                    day += ONE_DAY
                    if self.bounds(day)[0] >= session.end:
                        break
        return sessions

    def active_on(self, day: date) -> set[int]:
        start, end = self.bounds(day)
        visitors = {
            who
            for who, user in enumerate(self.users)
            if any(start <= hour * HOUR < end for hour in user.visits)
        }
        return visitors | {session.who for session in self.by_day.get(day, [])}

    @property
    def days(self) -> tuple[date, date]:
        start, end = self.script.start, self.script.end
        return (
            datetime.fromtimestamp(start, self.zone).date(),
            datetime.fromtimestamp(end, self.zone).date(),
        )

    @cached_property
    def active(self) -> dict[date, set[int]]:
        first, last = self.days
        return {day: self.active_on(day) for day in each_day(first - 30 * ONE_DAY, last)}

    def active_users(self, first: date, last: date) -> set[int]:
        return set().union(*(self.active.get(day, set()) for day in each_day(first, last)))

    def seconds(self, first: date, last: date, who: set[int] | None = None) -> int:
        total = 0
        for day in each_day(first, last):
            start, end = self.bounds(day)
            for session in self.by_day.get(day, []):
                if who is None or session.who in who:
                    total += overlap(session, start, end)
        return total

    def sessions(
        self, first: date, last: date, who: set[int] | None = None
    ) -> list[ObservedSession]:
        start, end = self.bounds(first)[0], self.bounds(last)[1]
        return [
            session
            for user in self.users
            for session in user.sessions
            if start <= session.started < end and (who is None or session.who in who)
        ]

    def peak(self, sessions: list[ObservedSession], start: int, end: int) -> int:
        moments = [
            start,
            *(session.started for session in sessions if start <= session.started < end),
        ]
        return max(
            sum(session.started <= at < session.end for session in sessions) for at in moments
        )

    def covered(self, start: int, end: int) -> int:
        return sum(max(0, min(end, b) - max(start, a)) for a, b in self.coverage)

    def covered_quarters(self, day: date) -> list[tuple[int, int]]:
        start, end = self.bounds(day)
        quarters = ((at, at + QUARTER) for at in range(start, end, QUARTER))
        return [slot for slot in quarters if self.covered(*slot) == QUARTER]

    @cached_property
    def levels(self) -> dict[date, list[float]]:
        """The mean number of servers in each covered quarter of an hour."""
        first, last = self.days
        return {
            day: [
                sum(overlap(session, *quarter) for session in self.by_day.get(day, [])) / QUARTER
                for quarter in self.covered_quarters(day)
            ]
            for day in each_day(first, last)
        }

    def mean_servers(self, first: date, last: date) -> float | None:
        levels = [level for day in each_day(first, last) for level in self.levels.get(day, [])]
        return mean(levels) if levels else None

    def period(self, first: date, last: date) -> dict[str, object] | None:
        """The figures of a period; ``None`` without data."""
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
        """By weekday and hour: the average and the peak of their covered quarters."""
        levels: dict[tuple[int, int], list[float]] = {}
        peaks: dict[tuple[int, int], list[int]] = {}
        for day in each_day(first, last):
            sessions = self.by_day.get(day, [])
            for start, end in self.covered_quarters(day):
                key = day.weekday(), datetime.fromtimestamp(start, self.zone).hour
                level = sum(overlap(session, start, end) for session in sessions) / QUARTER
                levels.setdefault(key, []).append(level)
                peaks.setdefault(key, []).append(self.peak(sessions, start, end))
        return {key: (mean(levels[key]), max(peaks[key])) for key in levels}

    def lengths(self, first: date, last: date) -> dict[str, float | int | None]:
        begun = self.sessions(first, last)
        done = [max(0, session.end - session.started) for session in begun if not session.is_open]
        return {
            "finished": len(done),
            "running": len(begun) - len(done),
            "mean": mean(done) if done else None,
            "median": median(done) if done else None,
            "longest": max(done, default=None),
        }

    def new(self, first: date, last: date) -> set[int]:
        """Users first seen in these days, except those of the first sample."""
        start, end = self.bounds(first)[0], self.bounds(last)[1]
        return {
            who
            for who, user in enumerate(self.users)
            if user.first_seen != self.times[0] and start <= user.first_seen < end
        }

    def returning(self, first: date, last: date) -> set[int]:
        before = self.active_users(min(self.active), first - ONE_DAY)
        return self.active_users(first, last) & before

    def never_returned(self, by: date, within: int) -> set[int]:
        """New, active on one day only, at least so many days before, and not deleted."""
        end = self.bounds(by)[1]
        long_ago = self.bounds(by - within * ONE_DAY)[0]
        users = set()
        for who, user in enumerate(self.users):
            days = [day for day in self.active if day <= by and who in self.active[day]]
            is_new = self.times[0] < user.first_seen < long_ago
            exists = user.deleted is None or user.deleted >= end
            if is_new and exists and len(days) == 1:
                users.add(who)
        return users

    def came_back(self, first: date, last: date, week: int) -> set[int]:
        """New users who were active on a day of that week after their arrival."""
        users = set()
        for who in self.new(first, last):
            arrived = datetime.fromtimestamp(self.users[who].first_seen, self.zone).date()
            days = (arrived + (7 * week + number) * ONE_DAY for number in range(7))
            if any(who in self.active.get(day, ()) for day in days):
                users.add(who)
        return users

    def accounts(self, last: date) -> int:
        end = self.bounds(last)[1]
        return sum(
            user.first_seen < end and (user.deleted is None or user.deleted >= end)
            for user in self.users
        )

    def idle(self, first: date, last: date) -> tuple[int, int]:
        """Seconds of which it is known whether a server was idle, and those in which it was."""
        start, end = self.bounds(first)[0], self.bounds(last)[1]
        sessions = [session for user in self.users for session in user.sessions]
        known = [times for session in sessions for times in session.known]
        return (
            sum(max(0, min(end, until) - max(start, since)) for since, until, _ in known),
            sum(max(0, min(end, until) - max(start, idle)) for _, until, idle in known),
        )

    def usage_by(self, kind: str, first: date, last: date) -> dict[str, tuple[int, int, int]]:
        """Seconds, sessions and users by server or profile."""
        start, end = self.bounds(first)[0], self.bounds(last)[1]
        sessions = {one for day in each_day(first, last) for one in self.by_day.get(day, [])}
        usage: dict[str, tuple[int, int, int]] = {}
        for name in {getattr(session, kind) for session in sessions}:
            named = [session for session in sessions if getattr(session, kind) == name]
            usage[name] = (
                sum(overlap(session, start, end) for session in named),
                sum(session.started >= start for session in named),
                len({session.who for session in named}),
            )
        return usage

    def cost(self, prices: Prices, first: date, last: date) -> float:
        """Of prices by server name."""
        start, end = self.bounds(first)[0], self.bounds(last)[1]
        sessions = {one for day in each_day(first, last) for one in self.by_day.get(day, [])}
        return sum(
            prices.named.get(session.server, prices.default) * overlap(session, start, end) / HOUR
            for session in sessions
        )

    def group(self, name: str) -> set[int]:
        return {who for who, user in enumerate(self.users) if name in user.simulated.groups}


def overlap(session: ObservedSession, start: int, end: int) -> int:
    return max(0, min(end, session.end) - max(start, session.started))


def each_day(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += ONE_DAY
