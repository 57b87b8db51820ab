"""Sessions of a year, packed: 730,000 of them take some 25 MB and are searched in microseconds."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress

from ..model import Session

#: What is done to more of them in one go would hold up other threads.
AT_ONCE = 20_000


def _times() -> array[int]:
    return array("q")


@dataclass(frozen=True)
class Sessions:
    """Sessions by their start; none of it changes.

    Attributes:
        users: of the finished ones, like the next three.
        running: those without an end, in no order.
        longest: no finished one is longer, in seconds.
    """

    users: array[int] = field(default_factory=_times)
    started: array[int] = field(default_factory=_times)
    ends: array[int] = field(default_factory=_times)
    servers: tuple[str, ...] = ()
    running: tuple[Session, ...] = ()
    longest: int = 0

    @classmethod
    def of(cls, sessions: Iterable[Session]) -> Sessions:
        """Pack them."""
        finished: list[tuple[int, int, int, str]] = []
        running: list[Session] = []
        for each in sessions:
            if each.ended is None:
                running.append(each)
            else:
                finished.append((each.started, each.user, each.end, each.server))
        finished.sort()
        return cls(
            users=array("q", [each[1] for each in finished]),
            started=array("q", [each[0] for each in finished]),
            ends=array("q", [each[2] for each in finished]),
            servers=tuple(each[3] for each in finished),
            running=tuple(running),
            longest=max((each[2] - each[0] for each in finished), default=0),
        )

    def updated(self, changed: Iterable[Session]) -> Sessions:
        """These, with some that are new, have ended or run on. Cheap for a few of them."""
        news = {(each.user, each.server, each.started): each for each in changed}
        users, started, ends = self.users[:], self.started[:], self.ends[:]
        servers = list(self.servers)
        running = {(each.user, each.server, each.started): each for each in self.running}
        longest = self.longest
        for key, each in news.items():
            running.pop(key, None)
            at, is_known = _place(each, users, started, servers)
            if is_known:
                del users[at], started[at], ends[at], servers[at]
            if each.ended is None:
                running[key] = each
            else:
                users.insert(at, each.user)
                started.insert(at, each.started)
                ends.insert(at, each.end)
                servers.insert(at, each.server)
                longest = max(longest, each.end - each.started)
        return Sessions(users, started, ends, tuple(servers), tuple(running.values()), longest)

    def has_all(self, sessions: Iterable[Session]) -> bool:
        """Whether these are known, however they ended."""
        running = {(each.user, each.server, each.started) for each in self.running}
        return all(
            (each.user, each.server, each.started) in running
            or _place(each, self.users, self.started, self.servers)[1]
            for each in sessions
        )

    def since(self, moment: int) -> Sessions:
        """Those that have not ended before a moment."""
        return self._chosen(slice(None), list(map(moment.__le__, self.ends)), self.running)

    def restricted(self, users: Collection[int]) -> Sessions:
        """Those of some users."""
        places: list[int] = []
        for at in range(0, len(self.users), AT_ONCE):
            chosen = map(_contains(users), self.users[at : at + AT_ONCE])
            places += compress(range(at, len(self.users)), chosen)
        servers: list[str] = []
        for at in range(0, len(places), AT_ONCE):
            servers += map(self.servers.__getitem__, places[at : at + AT_ONCE])
        return Sessions(
            _picked(self.users, places),
            _picked(self.started, places),
            _picked(self.ends, places),
            tuple(servers),
            tuple(each for each in self.running if each.user in users),
            self.longest,
        )

    def begun(self, start: int, end: int) -> Sessions:
        """Those that began from ``start`` up to ``end``."""
        part = slice(bisect_left(self.started, start), bisect_left(self.started, end))
        running = (each for each in self.running if start <= each.started < end)
        return self._chosen(part, None, running)

    def overlapping(self, start: int, end: int) -> Sessions:
        """Those that began before ``end`` and ended at ``start`` or later."""
        low = bisect_left(self.started, start - self.longest)
        part = slice(low, bisect_left(self.started, end))
        running = (each for each in self.running if each.started < end)
        return self._chosen(part, list(map(start.__le__, self.ends[part])), running)

    def _chosen(
        self, part: slice, chosen: Sequence[bool] | None, running: Iterable[Session]
    ) -> Sessions:
        users, started, ends = self.users[part], self.started[part], self.ends[part]
        servers = self.servers[part]
        if chosen is not None:
            users, started, ends = (
                array("q", compress(each, chosen)) for each in (users, started, ends)
            )
            servers = tuple(compress(servers, chosen))
        return Sessions(users, started, ends, servers, tuple(running), self.longest)

    def starts_and_ends(self) -> tuple[list[int], list[int]]:
        """When each of them began, and when it ended or was seen last."""
        return (
            [*self.started, *(each.started for each in self.running)],
            [*self.ends, *(each.end for each in self.running)],
        )

    def __iter__(self) -> Iterator[Session]:
        for user, started, end, server in zip(
            self.users, self.started, self.ends, self.servers, strict=True
        ):
            yield Session(user, server, started, last_seen=end, ended=end)
        yield from self.running

    def __len__(self) -> int:
        return len(self.users) + len(self.running)


def _place(
    session: Session, users: array[int], started: array[int], servers: Sequence[str]
) -> tuple[int, bool]:
    """Where a session is among the finished ones, or would be; and whether it is."""
    at = bisect_left(started, session.started)
    while at < len(started) and started[at] == session.started:
        if users[at] == session.user and servers[at] == session.server:
            return at, True
        at += 1
    return at, False


def _picked(values: array[int], places: Sequence[int]) -> array[int]:
    found = _times()
    for at in range(0, len(places), AT_ONCE):
        found.extend(map(values.__getitem__, places[at : at + AT_ONCE]))
    return found


def _contains(users: Collection[int]) -> Callable[[int], bool]:
    """Whether one is among them, without a line of Python for each."""
    return users.__contains__ if isinstance(users, set | frozenset) else set(users).__contains__
