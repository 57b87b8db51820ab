"""What looks at a hub, some minutes apart, can know of a script."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from zoneinfo import ZoneInfo

from tests.support.activity.script import HOUR, Run, Script, SimulatedUser


@dataclass(frozen=True)
class Look:
    """A sample that could be taken; all users in it, or those with a server."""

    at: int
    is_full: bool


def looks(script: Script, interval: int, delay: int) -> list[Look]:
    """When a collector gets samples: all users first, after it was down, and once an hour."""
    all_looks: list[Look] = []
    swept = -1
    for at in range(script.start + delay, script.end, interval):
        if script.is_service_down(at):
            swept = -1
        elif not script.is_hub_down(at):
            all_looks.append(Look(at, at // HOUR != swept))
            swept = at // HOUR
    return all_looks


@dataclass(frozen=True)
class Use:
    """What is known of a run. ``who``: an index of people.

    ``told``: from when to when it is known whether it was idle, and since when it was.
    """

    who: int
    server: str
    started: int
    end: int
    is_open: bool
    profile: str = ""
    told: tuple[tuple[int, int, int], ...] = ()


@dataclass
class ObservedUser:
    """A user as the looks know them: one who was renamed unseen is somebody else afterwards.

    ``name``: in the last look that lists them.
    """

    being: SimulatedUser
    since: int
    until: float
    name: str = ""
    first_seen: int = 0
    deleted: int | None = None
    uses: list[Use] = field(default_factory=list)
    visits: set[int] = field(default_factory=set)

    def is_there(self, at: int) -> bool:
        return self.since <= at < self.until and self.being.exists(at)


class Observation:
    """The script as the looks show it."""

    def __init__(self, script: Script, looks: list[Look], interval: int, zone: str) -> None:
        self.script = script
        self.looks = looks
        self.times = [look.at for look in looks]
        self.zone = ZoneInfo(zone)
        self.reach = 2.5 * interval
        self.coverage = list(self._coverage())
        self.people: list[ObservedUser] = []
        for being in script.beings:
            for since, until in self._lives(being):
                self._add(ObservedUser(being, since, until))

    def _coverage(self) -> Iterator[tuple[int, int]]:
        start = end = self.times[0]
        for at in self.times:
            if at - end > self.reach:
                yield start, end
                start = at
            end = at
        yield start, end

    def _shown(self, run: Run) -> list[int]:
        """The looks that show a run, by number."""
        first = bisect_left(self.times, run.started)
        return list(range(first, bisect_left(self.times, run.stopped)))

    def _lives(self, being: SimulatedUser) -> Iterator[tuple[int, float]]:
        """A new name is the old person's if one of their runs was seen under both."""
        since = 0
        for renamed, _ in being.names[1:]:
            is_seen = any(
                shown and self.times[shown[0]] < renamed <= self.times[shown[-1]]
                for shown in map(self._shown, being.runs)
            )
            if not is_seen:
                yield since, renamed
                since = renamed
        yield since, float("inf")

    def _add(self, human: ObservedUser) -> None:
        listed = [look for look in self.looks if self._lists(look, human)]
        if not listed:
            return
        human.name = human.being.name(listed[-1].at)
        human.first_seen = listed[0].at
        gone = [
            look.at
            for look in self.looks
            if look.is_full and look.at > listed[0].at and not human.is_there(look.at)
        ]
        human.deleted = gone[0] if gone else None
        human.uses = sorted(
            (use for run in human.being.runs if (use := self._use(human, run))),
            key=lambda use: (use.started, use.server),
        )
        human.visits = set(self._visits(human, listed))
        self.people.append(human)

    def _lists(self, look: Look, human: ObservedUser) -> bool:
        is_shown = look.is_full or bool(human.being.running(look.at))
        return human.is_there(look.at) and is_shown

    def _use(self, human: ObservedUser, run: Run) -> Use | None:
        shown = [number for number in self._shown(run) if human.is_there(self.times[number])]
        if not shown:
            return None
        last_seen = self.times[shown[-1]]
        who = len(self.people)
        told = tuple(self._told(run, shown))
        if shown[-1] + 1 == len(self.looks):
            return Use(who, run.server, run.started, last_seen, True, run.profile, told)
        following = self.looks[shown[-1] + 1]
        end = last_seen
        is_alone = self._lists(following, human) and not human.being.running(following.at)
        is_near = following.at - last_seen <= self.reach
        if is_alone and is_near and (active := human.being.last_activity(following.at)):
            end = max(last_seen, min(active, following.at))
        return Use(who, run.server, run.started, end, False, run.profile, told)

    def _told(self, run: Run, shown: list[int]) -> Iterator[tuple[int, int, int]]:
        """Between two looks that show it, one after the other, without a gap."""
        for one, other in pairwise(self.times[number] for number in shown):
            if other - one <= self.reach:
                yield one, other, min(other, max(one, run.last_activity(other) + 15 * 60))

    def _visits(self, human: ObservedUser, listed: list[Look]) -> Iterator[int]:
        """Hours with an activity that a look found, later than known, and that lies in no run.

        Of somebody of whom no activity is known, all since the first look are new.
        """
        latest = self.times[0]
        for look in listed:
            active = human.being.last_activity(look.at)
            if active is None:
                continue
            has_moved = active > latest and look.at != self.times[0]
            if has_moved and not any(use.started <= active <= use.end for use in human.uses):
                yield active // HOUR
            latest = active
