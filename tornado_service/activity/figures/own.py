"""A person's own use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from .heatmap import hours_of_day
from .history import History
from .lengths import Lengths, lengths
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
        sessions: that were under way in it, the latest first.
        longest: of these, as a whole.
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
    """Of the person whose history it is (`History.of`)."""
    span = history.span(first, last)
    under_way = [
        OwnSession(each.server, each.started, each.ended, each.end - each.started)
        for each in history.sessions.overlapping(span.start, span.end)
    ]
    under_way.sort(key=lambda each: (each.started, each.server), reverse=True)
    return OwnUse(
        whole=period(history, first, last),
        days=tuple(periods(history, "day", first, last)),
        lengths=lengths(history, first, last),
        sessions=tuple(under_way),
        longest=max(under_way, key=lambda each: each.seconds, default=None),
        hours=hours_of_day(history, first, last),
    )
