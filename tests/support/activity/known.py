"""The known history after each of some samples that are written by hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tornado_service.activity.collect.changes import (
    StoreDelta,
    StoreState,
    apply_sample,
    relevant_since,
)
from tornado_service.activity.domain.records import (
    Account,
    Sample,
    ServerSnapshot,
    Session,
    SessionKey,
    UserSnapshot,
    Visit,
    accounts_by_name,
)

HOUR = 3600

#: Seconds up to which two samples belong to one stretch: one is taken every 300.
REACH = 750


@dataclass
class History:
    """The known history after each sample, as in the store."""

    known: StoreState = field(default_factory=StoreState)
    visits: set[Visit] = field(default_factory=set)

    def add(self, taken: int, *users: UserSnapshot, full: bool = True) -> StoreDelta:
        sample = Sample(taken, full, users)
        running = {
            run: session for run, session in self.known.sessions.items() if session.ended is None
        }
        since = relevant_since(self.known.people.values(), running, sample)
        loaded = running | {
            run: session
            for run, session in self.known.sessions.items()
            if session.ended is not None and session.ended >= since
        }
        changes = apply_sample(replace(self.known, sessions=loaded), sample, REACH)
        state = self.known
        self.known = StoreState(
            {**state.people, **{account.id: account for account in changes.people}},
            {**state.sessions, **{session[:3]: session for session in changes.sessions}},
            first=taken if state.first is None else min(state.first, taken),
            latest=taken if state.latest is None else max(state.latest, taken),
            last_full=taken if full else state.last_full,
            next_user=changes.next_user,
        )
        self.visits |= changes.visits
        return changes

    @property
    def sessions(self) -> list[Session]:
        return sorted(self.known.sessions.values())

    def person(self, name: str) -> Account:
        """The account that has the name, or had it last."""
        return accounts_by_name(self.known.people.values())[name]

    def session(self, user: int, started: int, server: str = "") -> Session:
        run: SessionKey = (user, server, started)
        return self.known.sessions[run]


def ada(
    *started: int, last: int | None = None, created: int | None = None, name: str = "ada"
) -> UserSnapshot:
    """A user, with a default server if it has a start."""
    servers = tuple(ServerSnapshot("", start) for start in started)
    return UserSnapshot(name, created, last, servers)


def servers(**started: int) -> UserSnapshot:
    named = tuple(ServerSnapshot(name, start) for name, start in started.items())
    return UserSnapshot("ada", servers=named)
