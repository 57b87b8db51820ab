"""What is known after each of some samples that are written by hand."""

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

#: Seconds up to which two samples are of one stretch: one is taken every 300.
REACH = 750


@dataclass
class History:
    """What is known after each sample, as the store would keep it."""

    known: StoreState = field(default_factory=StoreState)
    visits: set[Visit] = field(default_factory=set)

    def add(self, taken: int, *users: UserSnapshot, full: bool = True) -> StoreDelta:
        sample = Sample(taken, full, users)
        running = {run: each for run, each in self.known.sessions.items() if each.ended is None}
        since = relevant_since(self.known.people.values(), running, sample)
        loaded = running | {
            run: each
            for run, each in self.known.sessions.items()
            if each.ended is not None and each.ended >= since
        }
        changes = apply_sample(replace(self.known, sessions=loaded), sample, REACH)
        known = self.known
        self.known = StoreState(
            {**known.people, **{each.id: each for each in changes.people}},
            {**known.sessions, **{each[:3]: each for each in changes.sessions}},
            first=taken if known.first is None else min(known.first, taken),
            latest=taken if known.latest is None else max(known.latest, taken),
            last_full=taken if full else known.last_full,
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
    servers = tuple(ServerSnapshot("", each) for each in started)
    return UserSnapshot(name, created, last, servers)


def servers(**started: int) -> UserSnapshot:
    named = tuple(ServerSnapshot(name, each) for name, each in started.items())
    return UserSnapshot("ada", servers=named)
