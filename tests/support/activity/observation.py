"""What samples of a hub, some minutes apart, show of a script."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from tests.support.activity.script import HOUR, Run, Script, SimulatedUser


@dataclass(frozen=True)
class SampleTime:
    """The time of a possible sample; of all users, or of those with a server."""

    at: int
    is_full: bool


def sample_times(script: Script, interval: int, delay: int) -> list[SampleTime]:
    """The samples of a collector: all users first, after it was down, and once an hour."""
    samples: list[SampleTime] = []
    swept = -1
    for at in range(script.start + delay, script.end, interval):
        if script.is_service_down(at):
            swept = -1
        elif not script.is_hub_down(at):
            samples.append(SampleTime(at, at // HOUR != swept))
            swept = at // HOUR
    return samples


@dataclass(frozen=True)
class ObservedSession:
    """What is known of a run. ``who``: an index of users."""

    who: int
    server: str
    started: int
    end: int
    is_open: bool


@dataclass
class ObservedUser:
    """A user in the samples: one who was renamed between two samples is another user.

    ``name``: in the last sample that lists them.
    """

    simulated: SimulatedUser
    since: int
    until: float
    name: str = ""
    first_seen: int = 0
    deleted: int | None = None
    sessions: list[ObservedSession] = field(default_factory=list)
    visits: set[int] = field(default_factory=set)

    def is_listed(self, at: int) -> bool:
        return self.since <= at < self.until and self.simulated.exists(at)


class Observation:
    """The script as the samples show it."""

    def __init__(self, script: Script, samples: list[SampleTime], interval: int, zone: str) -> None:
        self.script = script
        self.samples = samples
        self.times = [sample.at for sample in samples]
        self.zone = ZoneInfo(zone)
        self.reach = 2.5 * interval
        self.coverage = list(self._coverage())
        self.users: list[ObservedUser] = []
        for simulated in script.users:
            for since, until in self._lives(simulated):
                self._add(ObservedUser(simulated, since, until))

    def _coverage(self) -> Iterator[tuple[int, int]]:
        start = end = self.times[0]
        for at in self.times:
            if at - end > self.reach:
                yield start, end
                start = at
            end = at
        yield start, end

    def _shown(self, run: Run) -> list[int]:
        """The samples that show a run, by number."""
        first = bisect_left(self.times, run.started)
        return list(range(first, bisect_left(self.times, run.stopped)))

    def _lives(self, simulated: SimulatedUser) -> Iterator[tuple[int, float]]:
        """A new name is the same user's if a run of theirs was sampled under both."""
        since = 0
        for renamed, _ in simulated.names[1:]:
            is_seen = any(
                shown and self.times[shown[0]] < renamed <= self.times[shown[-1]]
                for shown in map(self._shown, simulated.runs)
            )
            if not is_seen:
                yield since, renamed
                since = renamed
        yield since, float("inf")

    def _add(self, user: ObservedUser) -> None:
        listed = [sample for sample in self.samples if self._lists(sample, user)]
        if not listed:
            return
        user.name = user.simulated.name(listed[-1].at)
        user.first_seen = listed[0].at
        missing = [
            sample.at
            for sample in self.samples
            if sample.is_full and sample.at > listed[0].at and not user.is_listed(sample.at)
        ]
        user.deleted = missing[0] if missing else None
        user.sessions = sorted(
            (session for run in user.simulated.runs if (session := self._session(user, run))),
            key=lambda session: (session.started, session.server),
        )
        user.visits = set(self._visits(user, listed))
        self.users.append(user)

    def _lists(self, sample: SampleTime, user: ObservedUser) -> bool:
        is_shown = sample.is_full or bool(user.simulated.running(sample.at))
        return user.is_listed(sample.at) and is_shown

    def _session(self, user: ObservedUser, run: Run) -> ObservedSession | None:
        shown = [number for number in self._shown(run) if user.is_listed(self.times[number])]
        if not shown:
            return None
        last_seen = self.times[shown[-1]]
        who = len(self.users)
        if shown[-1] + 1 == len(self.samples):
            return ObservedSession(who, run.server, run.started, last_seen, is_open=True)
        following = self.samples[shown[-1] + 1]
        end = last_seen
        is_alone = self._lists(following, user) and not user.simulated.running(following.at)
        is_near = following.at - last_seen <= self.reach
        if is_alone and is_near and (active := user.simulated.last_activity(following.at)):
            end = max(last_seen, min(active, following.at))
        return ObservedSession(who, run.server, run.started, end, is_open=False)

    def _visits(self, user: ObservedUser, listed: list[SampleTime]) -> Iterator[int]:
        """Hours with an activity in a sample, later than the known one and outside of all runs.

        For a user without a known activity, all since the first sample are new.
        """
        latest = self.times[0]
        for sample in listed:
            active = user.simulated.last_activity(sample.at)
            if active is None:
                continue
            has_moved = active > latest and sample.at != self.times[0]
            if has_moved and not any(
                session.started <= active <= session.end for session in user.sessions
            ):
                yield active // HOUR
            latest = active
