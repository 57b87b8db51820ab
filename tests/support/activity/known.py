"""What is known after each of some samples that are written by hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tornado_service.activity.collect.changes import Changes, Known, Run, apply, matters_from
from tornado_service.activity.domain.records import (
    Person,
    Sample,
    SeenServer,
    SeenUser,
    Session,
    Visit,
    by_name,
)

HOUR = 3600

#: Seconds up to which two samples are of one stretch: one is taken every 300.
REACH = 750


@dataclass
class History:
    """What is known after each sample, as the store would keep it."""

    known: Known = field(default_factory=Known)
    visits: set[Visit] = field(default_factory=set)

    def add(self, taken: int, *users: SeenUser, full: bool = True) -> Changes:
        sample = Sample(taken, full, users)
        running = {run: each for run, each in self.known.sessions.items() if each.ended is None}
        since = matters_from(self.known.people.values(), running, sample)
        loaded = running | {
            run: each
            for run, each in self.known.sessions.items()
            if each.ended is not None and each.ended >= since
        }
        changes = apply(replace(self.known, sessions=loaded), sample, REACH)
        known = self.known
        self.known = Known(
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

    def person(self, name: str) -> Person:
        """The account that has the name, or had it last."""
        return by_name(self.known.people.values())[name]

    def session(self, user: int, started: int, server: str = "") -> Session:
        run: Run = (user, server, started)
        return self.known.sessions[run]


def ada(
    *started: int, last: int | None = None, created: int | None = None, name: str = "ada"
) -> SeenUser:
    """A user, with a default server if it has a start."""
    servers = tuple(SeenServer("", each) for each in started)
    return SeenUser(name, created, last, servers)


def servers(**started: int) -> SeenUser:
    named = tuple(SeenServer(name, each) for name, each in started.items())
    return SeenUser("ada", servers=named)
