"""Sessions of a year, packed week by week: 1,500,000 of them take some 30 MB."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress, groupby
from operator import attrgetter, sub

from ..domain.records import Session
from .cache import DerivedCache
from .columns import compact
from .labels import Labels

#: Seconds. What is done to more sessions in one go would hold up other threads.
WEEK = 7 * 86400


@dataclass(frozen=True, eq=False)
class PackedWeek:
    """The finished sessions that began in one week, by their start; immutable."""

    users: array[int]
    started: array[int]
    ends: array[int]
    servers: Labels[str]
    profiles: Labels[str | None]

    @classmethod
    def pack(cls, sessions: Iterable[Session]) -> PackedWeek:
        rows = sorted(sessions, key=attrgetter("started"))
        return cls._of_columns(
            [session.user for session in rows],
            [session.started for session in rows],
            [session.end for session in rows],
            [session.server for session in rows],
            [session.profile for session in rows],
        )

    @classmethod
    def _of_columns(
        cls,
        users: list[int],
        started: list[int],
        ends: list[int],
        servers: list[str],
        profiles: list[str | None],
    ) -> PackedWeek:
        return cls(
            compact(users),
            compact(started),
            compact(ends),
            Labels.pack(servers),
            Labels.pack(profiles),
        )

    @cached_property
    def latest(self) -> int:
        """When the last of them ended."""
        return max(self.ends, default=0)

    @cached_property
    def lengths(self) -> array[int]:
        """Seconds, ascending."""
        return compact(sorted(map(sub, self.ends, self.started)))

    def started_between(self, start: int, end: int) -> PackedWeek:
        part = slice(bisect_left(self.started, start), bisect_left(self.started, end))
        if part == slice(0, len(self.started)):
            return self  # whose lengths are sorted already
        return PackedWeek(
            self.users[part],
            self.started[part],
            self.ends[part],
            self.servers.part(part),
            self.profiles.part(part),
        )

    def since(self, moment: int) -> PackedWeek:
        """Those that ended at a moment or later."""
        chosen = list(map(moment.__le__, self.ends))
        return self if all(chosen) else self.where(chosen)

    def where(self, chosen: Sequence[bool]) -> PackedWeek:
        rows = list(compress(range(len(chosen)), chosen))  # mostly few
        users, started, ends = (
            array(column.typecode, [column[row] for row in rows])
            for column in (self.users, self.started, self.ends)
        )
        return PackedWeek(users, started, ends, self.servers.at(rows), self.profiles.at(rows))

    def updated(self, changed: Iterable[Session]) -> PackedWeek:
        """Add sessions or their new ends, and drop those that run again.

        Most that are said to have changed are in it already: without any other it stays the same.
        """
        is_kept = [True] * len(self.users)
        added: list[Session] = []
        for session in changed:
            at = self._index_of(session)
            if at is None or session.ended is None or not self._has(at, session):
                if at is not None:
                    is_kept[at] = False
                if session.ended is not None:
                    added.append(session)
        if not added and all(is_kept):
            return self
        rest = self.where(is_kept)
        users, started, ends = rest.users.tolist(), rest.started.tolist(), rest.ends.tolist()
        servers, profiles = list(rest.servers), list(rest.profiles)
        for session in added:
            at = bisect_left(started, session.started)
            users.insert(at, session.user)
            started.insert(at, session.started)
            ends.insert(at, session.end)
            servers.insert(at, session.server)
            profiles.insert(at, session.profile)
        return self._of_columns(users, started, ends, servers, profiles)

    def _has(self, at: int, session: Session) -> bool:
        """Whether the session that is at an index is still as it was."""
        return self.ends[at] == session.end and self.profiles[at] == session.profile

    def _index_of(self, session: Session) -> int | None:
        at = bisect_left(self.started, session.started)
        while at < len(self.started) and self.started[at] == session.started:
            if self.users[at] == session.user and self.servers[at] == session.server:
                return at
            at += 1
        return None

    def __iter__(self) -> Iterator[Session]:
        for user, started, end, server, profile in zip(
            self.users, self.started, self.ends, self.servers, self.profiles, strict=True
        ):
            yield Session(user, server, started, last_seen=end, ended=end, profile=profile)


@dataclass(frozen=True, eq=False)
class PackedSessions:
    """Sessions by the week in which they began; immutable."""

    #: the finished ones, by the number of the week since 1970, in order
    weeks: Mapping[int, PackedWeek] = field(default_factory=dict)
    #: when the last of a week ended, or a moment after that
    latest: Mapping[int, int] = field(default_factory=dict)
    running: tuple[Session, ...] = ()  # those without an end, in no order

    @classmethod
    def pack(cls, sessions: Iterable[Session]) -> PackedSessions:
        """Pack sessions; those that come in order take less memory on the way."""
        weeks: dict[int, PackedWeek] = {}
        running: list[Session] = []
        for number, of_week in groupby(sessions, key=_week_of):
            begun = list(of_week)
            running += [session for session in begun if session.ended is None]
            week = PackedWeek.pack(session for session in begun if session.ended is not None)
            weeks[number] = weeks[number].updated(week) if number in weeks else week
        return cls._make(weeks, running)

    @classmethod
    def _make(cls, weeks: Mapping[int, PackedWeek], running: Iterable[Session]) -> PackedSessions:
        ordered = {number: weeks[number] for number in sorted(weeks) if weeks[number].users}
        latest = {number: week.latest for number, week in ordered.items()}
        return cls(ordered, latest, tuple(running))

    def updated(self, changed: Iterable[Session]) -> PackedSessions:
        """Add sessions or their new ends; only their weeks are packed anew."""
        by_key = {session.key: session for session in changed}
        running = {session.key: session for session in self.running if session.key not in by_key}
        running |= {key: session for key, session in by_key.items() if session.ended is None}
        weeks = dict(self.weeks)
        for number, of_week in groupby(sorted(by_key.values(), key=_week_of), key=_week_of):
            weeks[number] = weeks.get(number, PackedWeek.pack(())).updated(of_week)
        return self._make(weeks, running.values())

    def since(self, moment: int) -> PackedSessions:
        """Those that ended at a moment or later, and the running ones."""
        weeks = {n: self.weeks[n].since(moment) for n in self.weeks if self.latest[n] >= moment}
        return PackedSessions(weeks, self.latest, self.running)

    def restricted(self, users: frozenset[int], derived_cache: DerivedCache) -> PackedSessions:
        """Those of some users; each week is restricted when it is first used."""

        def restrict(week: PackedWeek) -> PackedWeek:
            return week.where(list(map(users.__contains__, week.users)))

        running = tuple(session for session in self.running if session.user in users)
        return PackedSessions(_LazyWeeks(self.weeks, restrict, derived_cache), self.latest, running)

    def started_between(self, start: int, end: int) -> PackedSessions:
        numbers = (n for n in self.weeks if start // WEEK <= n <= (end - 1) // WEEK)
        weeks = {n: self.weeks[n].started_between(start, end) for n in numbers}
        running = (session for session in self.running if start <= session.started < end)
        return PackedSessions(weeks, self.latest, tuple(running))

    def overlapping(self, start: int, end: int) -> PackedSessions:
        """Those that began before ``end`` and ended at ``start`` or later."""
        numbers = (n for n in self.weeks if n <= (end - 1) // WEEK and self.latest[n] >= start)
        weeks = {n: self.weeks[n].started_between(n * WEEK, end).since(start) for n in numbers}
        running = (session for session in self.running if session.started < end)
        return PackedSessions(weeks, self.latest, tuple(running))

    def starts_and_ends(self) -> tuple[list[int], list[int]]:
        """Starts, and ends (of running sessions: when they were last seen)."""
        starts: list[int] = []
        ends: list[int] = []
        for week in self.weeks.values():
            starts += week.started
            ends += week.ends
        starts += (session.started for session in self.running)
        ends += (session.end for session in self.running)
        return starts, ends

    def __iter__(self) -> Iterator[Session]:
        for week in self.weeks.values():
            yield from week
        yield from self.running

    def __len__(self) -> int:
        return sum(len(week.users) for week in self.weeks.values()) + len(self.running)


class _LazyWeeks(Mapping[int, PackedWeek]):
    """Parts of weeks, each made when it is first used."""

    def __init__(
        self,
        weeks: Mapping[int, PackedWeek],
        restrict: Callable[[PackedWeek], PackedWeek],
        derived_cache: DerivedCache,
    ) -> None:
        self._whole = weeks
        self._restrict = restrict
        self._derived_cache = derived_cache

    def __getitem__(self, number: int) -> PackedWeek:
        week = self._whole[number]
        return self._derived_cache.get(("week", number), [week], lambda: self._restrict(week))

    def __iter__(self) -> Iterator[int]:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)


def _week_of(session: Session) -> int:
    return session.started // WEEK
