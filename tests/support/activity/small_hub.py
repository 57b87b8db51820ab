"""Histories of a few sessions, written in local time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tornado_service.activity.domain.records import Account, Interval, Session, Visit
from tornado_service.activity.history.history import History


def at(text: str, zone: str = "UTC", *, fold: int = 0) -> int:
    """``2026-03-02 09:00`` in a zone; ``fold=1``: the second occurrence."""
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return int(moment.timestamp())


def session(user: int, started: int, ended: int, server: str = "") -> Session:
    return Session(user, server, started, last_seen=ended, ended=ended)


def running(user: int, started: int, last_seen: int, server: str = "") -> Session:
    return Session(user, server, started, last_seen)


def history(
    zone: str,
    coverage: Sequence[tuple[int, int]],
    sessions: Sequence[Session] = (),
    *,
    people: Sequence[Account] = (),
    visits: Sequence[Visit] = (),
) -> History:
    """Sampled during these intervals; up to date at the end of the last. Nothing is rolled up."""
    observed_from = coverage[0][0] if coverage else None
    users = sorted({visit.user for visit in (*sessions, *visits)})
    return History(ZoneInfo(zone)).updated(
        now=coverage[-1][1] if coverage else 0,
        people=people or [Account(user, f"user-{user}", observed_from or 0) for user in users],
        coverage=[Interval(*interval) for interval in coverage],
        observed_from=observed_from,
        sessions=sessions,
        visits=visits,
    )


#: Around a change of the clock each: 25 hours, 23 hours, no midnight, off by 45 minutes.
ZONES_AND_DAYS = [
    ("UTC", date(2025, 12, 28)),
    ("Europe/Berlin", date(2025, 10, 26)),
    ("America/New_York", date(2026, 3, 8)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Asia/Kathmandu", date(2026, 1, 31)),
]


@dataclass(frozen=True)
class SmallHub:
    """The data of a synthetic hub of five users, over some days."""

    zone: str
    first: date
    last: date
    coverage: list[tuple[int, int]]
    sessions: list[Session]
    visits: list[Visit]
    people: list[Account]

    def history(self, users: Collection[int] | None = None) -> History:
        """The history, or as if these were the only users."""
        return history(
            self.zone,
            self.coverage,
            [session for session in self.sessions if users is None or session.user in users],
            people=[account for account in self.people if users is None or account.id in users],
            visits=[visit for visit in self.visits if users is None or visit.user in users],
        )


@st.composite
def small_hubs(draw: st.DrawFn, reach: int = 5) -> SmallHub:
    """``reach``: days before and after the change of the clock."""
    zone, middle = draw(st.sampled_from(ZONES_AND_DAYS))
    first, last = middle - timedelta(days=reach), middle + timedelta(days=reach)
    start, end = at(f"{first} 12:00", zone), at(f"{last} 12:00", zone)
    moments = st.integers(start, end)
    hole = draw(st.integers(start + 1, end - 1))
    coverage = [(start, hole), (min(end - 1, hole + draw(st.integers(1, reach * 40_000))), end)]
    users = st.integers(1, 5)
    sessions = {
        (user, begun): session(user, begun, min(end, begun + length))
        for user, begun, length in draw(
            st.lists(st.tuples(users, moments, st.integers(0, 200_000)), max_size=8)
        )
    }
    if draw(st.booleans()):
        begun = draw(moments)
        sessions[6, begun] = running(5, begun, end, "gpu")
    visits = draw(st.sets(st.builds(Visit, users, st.integers(start // 3600, end // 3600 - 1))))
    people = []
    for user in range(1, 6):
        seen = draw(moments)
        deleted = draw(st.none() | st.integers(seen, end))
        people.append(Account(user, f"user-{user}", seen, deleted=deleted))
    return SmallHub(zone, first, last, coverage, [*sessions.values()], sorted(visits), people)
