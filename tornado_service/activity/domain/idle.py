"""When servers were idle, as far as is known: intervals that are stored with each session.

As text, in whole seconds since the start of the session: ``0-300,900-1200``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .records import Interval, Session

#: Seconds after the last activity of a server from which on it is idle. Servers report their
#: activity every 5 minutes by default, and the proxy's is read every 5 minutes.
IDLE_AFTER = 15 * 60


class ObservedTimes(NamedTuple):
    """Of one session: the time of which it is known whether it was idle, and when it was."""

    user: int
    observed: list[Interval]
    idle: list[Interval]


def observed_times(sessions: Iterable[Session], since: int = 0) -> Iterator[ObservedTimes]:
    """Of sessions with all fields: the intervals that end after ``since``."""
    for session in sessions:
        if session.observed:
            observed = intervals(session.observed, session.started, since)
            idle = intervals(session.idle, session.started, since)
            yield ObservedTimes(session.user, observed, idle)


def extend(text: str | None, start: int, end: int) -> str | None:
    """Add an interval that begins at the end of the last one, or later."""
    if start >= end:
        return text
    if not text:
        return f"{start}-{end}"
    before, _, last = text.rpartition("-")
    return f"{before}-{end}" if start <= int(last) else f"{text},{start}-{end}"


def intervals(text: str | None, started: int, since: int = 0) -> list[Interval]:
    """The intervals that end after ``since``, in order, of a session by its start."""
    if not text:
        return []
    moments = [started + int(moment) for moment in text.replace(",", "-").split("-")]
    found = map(Interval, moments[::2], moments[1::2])
    return [interval for interval in found if interval.end > since]


def union(one: str | None, other: str | None) -> str | None:
    """All that is in one of them."""
    joined: str | None = None
    for start, end in sorted([*intervals(one, 0), *intervals(other, 0)]):
        last = int(joined.rpartition("-")[2]) if joined else 0
        joined = extend(joined, start, max(end, last))
    return joined
