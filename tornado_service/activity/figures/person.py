"""A person's own use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ..history.history import History
from .availability import availability
from .durations import Lengths, lengths
from .heatmap import hours_of_day
from .periods import Period, period, periods


@dataclass(frozen=True)
class OwnSession:
    """One run of one server.

    Attributes:
        server: empty for the default server.
        ended: ``None`` while it runs, as far as is known.
        seconds: its length, so far.
    """

    server: str
    started: int
    ended: int | None
    seconds: int


@dataclass(frozen=True)
class OwnUse:
    """One person's use in a range.

    Attributes:
        whole: the range as one.
        sessions: those known to have run in it, the latest first.
        longest: of these, as a whole; ``None``: there is none, or not all are kept any more.
        hours: for each of the 24 hours of the day, servers of theirs at a time; ``None``: never
            watched.
    """

    whole: Period
    days: tuple[Period, ...]
    lengths: Lengths | None
    sessions: tuple[OwnSession, ...]
    longest: OwnSession | None
    hours: tuple[float | None, ...]


def own_use(history: History, first: date, last: date) -> OwnUse:
    """Of the person whose history it is (`History.restricted`)."""
    known = availability(history, first, last)
    span = history.span(first, last)
    sessions = history.sessions.overlapping(span.start, span.end) if known.has_begun else ()
    under_way = [
        OwnSession(each.server, each.started, each.ended, each.end - each.started)
        for each in sessions
    ]
    under_way.sort(key=lambda each: (each.started, each.server), reverse=True)
    return OwnUse(
        whole=period(history, first, last),
        days=tuple(periods(history, "day", first, last)),
        lengths=lengths(history, first, last),
        sessions=tuple(under_way),
        longest=max(under_way, key=lambda each: each.seconds, default=None)
        if known.keeps_sessions
        else None,
        hours=hours_of_day(history, first, last),
    )
