"""One user's own usage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ..history.history import History
from .availability import availability
from .cost import cost_of_session
from .durations import Lengths, lengths
from .heatmap import hours_of_day
from .periods import Period, period, periods


@dataclass(frozen=True)
class OwnSession:
    """A session: one run of one server; ``ended`` is ``None`` while it is known to run.

    Attributes:
        profile: the profile of the server; empty: it has none; ``None``: not known.
        cost: of its server-hours; ``None``: there are no prices, or its profile is not known.
    """

    server: str
    started: int
    ended: int | None
    seconds: int
    profile: str | None = None
    cost: float | None = None


@dataclass(frozen=True)
class OwnUse:
    """One user's usage in a period.

    Attributes:
        whole: the period as one.
        sessions: those known to have run in it, the latest first.
        longest: of these; ``None``: there is none, or some are no longer stored.
        hours: for each of the 24 hours of the day, the user's concurrent servers, average;
            ``None``: no data.
    """

    whole: Period
    days: tuple[Period, ...]
    lengths: Lengths | None
    sessions: tuple[OwnSession, ...]
    longest: OwnSession | None
    hours: tuple[float | None, ...]


def own_use(history: History, first: date, last: date) -> OwnUse:
    """Of the user whose history it is (`History.restricted`)."""
    available = availability(history, first, last)
    span = history.span(first, last)
    sessions = history.sessions.overlapping(span.start, span.end) if available.has_begun else ()
    under_way = [
        OwnSession(
            session.server,
            session.started,
            session.ended,
            session.end - session.started,
            session.profile,
            cost_of_session(history, session),
        )
        for session in sessions
    ]
    under_way.sort(key=lambda session: (session.started, session.server), reverse=True)
    return OwnUse(
        whole=period(history, first, last),
        days=tuple(periods(history, first, last, "days")),
        lengths=lengths(history, first, last),
        sessions=tuple(under_way),
        longest=max(under_way, key=lambda session: session.seconds, default=None)
        if available.keeps_sessions
        else None,
        hours=hours_of_day(history, first, last),
    )
