"""What a sample changes in the store: rules without a database.

A sample older than the newest one before it (two processes, a slow disk) adds what it saw, but
ends, deletes and renames nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from ..domain.calendar import latest_of
from ..domain.idle import IDLE_AFTER, extend
from ..domain.records import (
    Account,
    Sample,
    ServerSnapshot,
    Session,
    SessionKey,
    UserSnapshot,
    Visit,
    accounts_by_name,
)
from .accounts import find_accounts, find_earlier_accounts


@dataclass(frozen=True)
class StoreState:
    """What is stored before a sample."""

    #: all accounts by id, also the deleted ones
    people: Mapping[int, Account] = field(default_factory=dict)
    #: all that run, and those that ended at ``relevant_since`` or later
    sessions: Mapping[SessionKey, Session] = field(default_factory=dict)
    first: int | None = None  # the first sample
    latest: int | None = None  # the newest sample
    last_full: int | None = None  # the newest full sample
    next_user: int = 1  # an id that was never used


@dataclass(frozen=True)
class StoreDelta:
    """What is new or changed; ``since``: the first moment at which usage changed."""

    people: tuple[Account, ...]
    sessions: tuple[Session, ...]
    visits: frozenset[Visit]
    next_user: int
    since: int | None


def relevant_since(people: Iterable[Account], running: Iterable[SessionKey], sample: Sample) -> int:
    """The time from which on ended sessions matter to a sample."""
    known_runs, named = set(running), accounts_by_name(people)
    moments = [sample.taken]
    for seen in sample.users:
        person = named.get(seen.name)
        for server in seen.servers:
            if person is None or (person.id, server.name, server.started) not in known_runs:
                moments.append(server.started)
        before = person.last_activity if person else None
        if seen.last_activity is not None and before is not None and seen.last_activity > before:
            moments.append(seen.last_activity)
    return min(moments)


def apply_sample(state: StoreState, sample: Sample, max_gap: int) -> StoreDelta:
    """What a sample changes; it may be older than the newest one.

    Up to ``max_gap`` seconds apart, two samples belong to one stretch, without a gap.
    """
    return _SampleApplication(state, sample, max_gap).changes()


class _SampleApplication:
    def __init__(self, state: StoreState, sample: Sample, max_gap: int) -> None:
        self.known = state
        self.max_gap = max_gap
        self.taken = sample.taken
        self.is_full = sample.is_full
        self.is_newest = state.latest is None or sample.taken >= state.latest
        self.next_user = state.next_user
        self.sessions = dict(state.sessions)
        #: who each of the sample's users was, and is now
        self.users: list[tuple[UserSnapshot, Account | None, Account]] = []
        self._identify(sample)

    def changes(self) -> StoreDelta:
        people = [now for _, before, now in self.users if now != before]
        if self.is_newest:
            people += self._deleted()
        listed = self._record_running()
        self._end_missing(listed)
        self._split_restarted(listed)
        before = self.known.sessions
        sessions = [now for run, now in self.sessions.items() if before.get(run) != now]
        visits = frozenset(self._visits())
        moments = [visit.hour * 3600 for visit in visits]
        for session in sessions:
            moments += _changed_from(before.get(session.key), session)
        return StoreDelta(
            tuple(people), tuple(sessions), visits, self.next_user, min(moments, default=None)
        )

    def _identify(self, sample: Sample) -> None:
        people = self.known.people.values()
        if self.is_newest:
            full = self.taken if self.is_full else self.known.last_full
            accounts = find_accounts(people, self.known.sessions.values(), sample, full)
        else:
            accounts = find_earlier_accounts(people, sample)
        for seen in sample.users:
            before = accounts.get(seen.name)
            if before is None:
                now = Account(
                    self.next_user, seen.name, self.taken, seen.created, seen.last_activity
                )
                self.next_user += 1
            else:
                now = _updated_account(before, seen, self.taken)
            self.users.append((seen, before, now))

    def _deleted(self) -> Iterator[Account]:
        """Accounts that are not listed, and those whose name is another account's now."""
        here = {now.id for _, _, now in self.users}
        names = {now.name for _, _, now in self.users}
        for person in self.known.people.values():
            is_gone = self.is_full or person.name in names
            if is_gone and person.deleted is None and person.id not in here:
                yield replace(person, deleted=self.taken)

    def _record_running(self) -> set[SessionKey]:
        listed = set()
        for seen, _, person in self.users:
            for server in seen.servers:
                run = (person.id, server.name, server.started)
                listed.add(run)
                self.sessions[run] = self._updated_session(run, server)
        return listed

    def _updated_session(self, run: SessionKey, server: ServerSnapshot) -> Session:
        session = self.sessions.get(run) or Session(*run, last_seen=self.taken)
        ended = None
        if not self.is_newest and run not in self.sessions:
            ended = session.end  # a later sample did not list it
        elif not self.is_newest and session.ended is not None:
            ended = max(session.ended, self.taken)
        observed, idle = self._observed(session, server)
        return session._replace(
            last_seen=max(session.last_seen, self.taken),
            last_activity=latest_of((session.last_activity, server.last_activity)),
            ended=ended,
            profile=server.profile if session.profile is None else session.profile,
            observed=observed,
            idle=idle,
        )

    def _observed(self, session: Session, server: ServerSnapshot) -> tuple[str | None, str | None]:
        """Add the time since the last sample that lists the server, and the idle part of it."""
        active, elapsed = server.last_activity, self.taken - session.last_seen
        if not self.is_newest or active is None or elapsed > self.max_gap:
            return session.observed, session.idle
        start = max(0, session.last_seen - session.started)
        end = self.taken - session.started
        idle_from = max(start, active + IDLE_AFTER - session.started)
        return extend(session.observed, start, end), extend(session.idle, idle_from, end)

    def _end_missing(self, listed: set[SessionKey]) -> None:
        """End the sessions of servers that no longer run.

        Those that run are in the newest sample: a late one only shortens sessions that were taken
        to run until after it.
        """
        with_servers = {user for user, _, _ in listed}
        activity = {now.id: seen.last_activity for seen, _, now in self.users}
        for run, session in self.sessions.items():
            is_over = session.ended is not None and session.ended <= self.taken
            if is_over or run in listed or session.last_seen >= self.taken:
                continue
            ended = session.last_seen
            # across a gap the activity may be that of a later server, or of a visit
            is_near = self.taken - session.last_seen <= self.max_gap
            last_activity = activity.get(session.user)
            if is_near and last_activity is not None and session.user not in with_servers:
                ended = max(ended, min(last_activity, self.taken))
            self.sessions[run] = session._replace(ended=max(ended, session.started))

    def _split_restarted(self, listed: set[SessionKey]) -> None:
        """End runs at the next start of the same server that has come to light."""
        servers = {run[:2] for run in listed if run not in self.known.sessions}
        if not servers:
            return
        runs = sorted(run for run in self.sessions if run[:2] in servers)
        for run, following in pairwise(runs):
            session = self.sessions[run]
            if run[:2] == following[:2] and session.ended is not None:
                ended = min(session.ended, following[2])
                self.sessions[run] = session._replace(ended=ended)

    def _visits(self) -> Iterator[Visit]:
        moved = [
            (now.id, min(seen.last_activity, self.taken))
            for seen, before, now in self.users
            if seen.last_activity is not None and self._has_moved(seen.last_activity, before)
        ]
        if not moved:
            return
        by_user: defaultdict[int, list[Session]] = defaultdict(list)
        for session in self.sessions.values():
            by_user[session.user].append(session)
        for user, moment in moved:
            if not any(
                session.started <= moment <= session.end for session in by_user.get(user, ())
            ):
                yield Visit(user, moment // 3600)

    def _has_moved(self, last_activity: int, before: Account | None) -> bool:
        """Whether an activity is later than that of the last sample, and than the first sample."""
        looked = latest_of((self.known.first, before.last_activity if before else None))
        return self.known.first is not None and looked is not None and last_activity > looked


def _updated_account(person: Account, seen: UserSnapshot, taken: int) -> Account:
    is_back = person.deleted is not None and taken > person.deleted
    return replace(
        person,
        name=seen.name,
        first_seen=min(person.first_seen, taken),
        created=person.created if seen.created is None else seen.created,
        last_activity=latest_of((person.last_activity, seen.last_activity)),
        deleted=None if is_back else person.deleted,
    )


def _changed_from(before: Session | None, now: Session) -> list[int]:
    """The first moment at which a session changed, if it did."""
    if before is None:
        return [now.started]
    moments = [] if before.end == now.end else [min(before.end, now.end)]
    if before.observed != now.observed:
        moments.append(max(before.started, before.last_seen))
    return moments
