"""A year of a simulated hub: its users and their servers. Facts only, no figures."""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property

HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True)
class Run:
    """One run of one server: ``started <= t < stopped``.

    Its last activity moves every ``pulse`` seconds, until ``idle``. If ``says_stop``, the hub
    records the stop as the user's activity, as hubs do when they stop a server themselves.
    """

    server: str
    started: int
    stopped: int
    idle: int
    pulse: int = 420
    says_stop: bool = True

    def is_running(self, at: int) -> bool:
        return self.started <= at < self.stopped

    def last_activity(self, at: int) -> int:
        until = min(at, self.idle)
        return self.started + (until - self.started) // self.pulse * self.pulse


@dataclass
class SimulatedUser:
    """One user of the hub under all their names. ``names``: each with its start, the first at 0."""

    id: int
    created: int
    names: list[tuple[int, str]]
    groups: tuple[str, ...] = ()
    deleted: int | None = None
    logins: list[int] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    def exists(self, at: int) -> bool:
        return self.created <= at and (self.deleted is None or at < self.deleted)

    def name(self, at: int) -> str:
        return [name for since, name in self.names if since <= at][-1]

    @cached_property
    def _moments(self) -> list[int]:
        ends = (run.stopped if run.says_stop else run.last_activity(run.idle) for run in self.runs)
        return sorted([*self.logins, *(run.started for run in self.runs), *ends])

    @cached_property
    def _by_day(self) -> dict[int, list[Run]]:
        by_day: dict[int, list[Run]] = {}
        for run in self.runs:
            for day in range(run.started // DAY, run.stopped // DAY + 1):
                by_day.setdefault(day, []).append(run)
        return by_day

    def running(self, at: int) -> list[Run]:
        return [run for run in self._by_day.get(at // DAY, ()) if run.is_running(at)]

    def last_activity(self, at: int) -> int | None:
        past = bisect_right(self._moments, at)
        moments = self._moments[past - 1 : past] if past else []
        moments += [run.last_activity(at) for run in self.running(at)]
        return max(moments, default=None)


@dataclass
class Script:
    """The whole script. ``hub_down`` and ``service_down``: intervals without samples."""

    start: int
    end: int
    users: list[SimulatedUser]
    hub_down: list[tuple[int, int]] = field(default_factory=list)
    service_down: list[tuple[int, int]] = field(default_factory=list)

    def is_hub_down(self, at: int) -> bool:
        return any(start <= at < end for start, end in self.hub_down)

    def is_service_down(self, at: int) -> bool:
        return any(start <= at < end for start, end in self.service_down)


def write_year(
    seed: int, start: datetime, *, days: int = 365, users: int = 200, outage: int = 2 * DAY
) -> Script:
    """A seeded year: terms and holidays, renamed and deleted users, outages of both kinds.

    ``outage``: the longest, in seconds.
    """
    dice = random.Random(seed)
    first = int(start.timestamp())
    script = Script(first, first + days * DAY, [])
    for _ in range(max(1, days // 60)):
        _add_outage(dice, script, script.hub_down, outage)
        _add_outage(dice, script, script.service_down, outage)
    script.users = [_simulate_user(dice, script, number) for number in range(1, users + 1)]
    reused = random.Random(-seed)
    for user in list(script.users):
        if user.deleted is not None and user.deleted + outage + DAY < script.end - DAY:
            script.users.append(_create_again(reused, script, user, user.deleted + outage + DAY))
    return script


def _create_again(
    dice: random.Random, script: Script, user: SimulatedUser, created: int
) -> SimulatedUser:
    """Another account with the name of a deleted one, after the deletion was sampled."""
    name = user.name(created)
    other = SimulatedUser(len(script.users) + 1, created, [(0, name)], user.groups)
    midnight = created // DAY * DAY
    while midnight < script.end:
        _simulate_day(dice, script, other, midnight, 0.4)
        midnight += DAY
    other.runs.sort(key=lambda run: run.started)
    other.logins.sort()
    return other


def _add_outage(
    dice: random.Random, script: Script, outages: list[tuple[int, int]], longest: int
) -> None:
    start = dice.randrange(script.start, script.end - longest)
    outages.append((start, start + int(dice.triangular(longest / 10, longest, longest / 5))))


def _simulate_user(dice: random.Random, script: Script, number: int) -> SimulatedUser:
    length = script.end - script.start
    is_old = dice.random() < 0.6
    created = script.start - DAY if is_old else script.start + dice.randrange(length)
    user = SimulatedUser(number, created, [(0, f"user-{number}")], (f"class-{'abcd'[number % 4]}",))
    if dice.random() < 0.1:
        user.deleted = dice.randrange(max(created, script.start) + DAY, script.end + 2 * DAY)
    eagerness = dice.choice([0.02, 0.1, 0.3, 0.5])
    midnight = script.start
    while midnight < script.end:
        _simulate_day(dice, script, user, midnight, eagerness)
        midnight += DAY
    user.runs.sort(key=lambda run: run.started)
    user.logins.sort()
    if dice.random() < 0.15:
        user.names.append((_time_to_rename(dice, script, user), f"renamed-{number}"))
    return user


def _time_to_rename(dice: random.Random, script: Script, user: SimulatedUser) -> int:
    """Any time, or the middle of the longest run, where a rename can be detected."""
    longest = max(user.runs, key=lambda run: run.stopped - run.started, default=None)
    if longest and dice.random() < 0.6:
        return (longest.started + longest.stopped) // 2
    return dice.randrange(user.created, script.end)


def _simulate_day(
    dice: random.Random, script: Script, user: SimulatedUser, midnight: int, eagerness: float
) -> None:
    day = datetime.fromtimestamp(midnight, timezone.utc)
    if day.weekday() > 4:
        eagerness *= 0.3
    if day.month in (2, 8):
        eagerness *= 0.2
    if dice.random() < 0.05:
        _log_in(script, user, midnight + dice.randrange(DAY))
    while dice.random() < eagerness:
        started = midnight + int(dice.triangular(0, DAY, 14 * HOUR))
        length = int(dice.lognormvariate(8.6, 1.1))  # half of them longer than 90 minutes
        server = dice.choice(["", "", "", "gpu", "data"])
        _run(dice, script, user, server, started, length)
        if dice.random() < 0.1:  # restarted at once
            _run(dice, script, user, server, started + length + 5, HOUR)
        eagerness *= 0.6


def _log_in(script: Script, user: SimulatedUser, at: int) -> None:
    if user.exists(at) and not script.is_hub_down(at):
        user.logins.append(at)


def _run(
    dice: random.Random,
    script: Script,
    user: SimulatedUser,
    server: str,
    started: int,
    length: int,
) -> None:
    """Add a run, if the hub could have started it; it stops what it starts, when it is up."""
    stopped = started + length
    for start, end in script.hub_down:
        if start <= stopped < end:
            stopped = end + 30
    if user.deleted is not None:
        stopped = min(stopped, user.deleted)
    is_possible = (
        user.exists(started)
        and stopped > started
        and not script.is_hub_down(started)
        and not any(
            run.started <= stopped and started <= run.stopped
            for run in user.runs
            if run.server == server
        )
    )
    if is_possible:
        idle = started + dice.randrange(stopped - started)
        run = Run(server, started, stopped, idle, says_stop=dice.random() < 0.9)
        user.runs.append(run)
