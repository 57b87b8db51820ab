"""Writes samples to the database."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from dataclasses import astuple
from itertools import chain
from typing import Any

from sqlalchemy import Connection, delete, select

from ..collect.changes import StoreState, apply_sample, relevant_since
from ..domain.records import Interval, Sample, Session, SessionKey
from ..schema import tables
from ..schema.metadata import StoreMetadata
from ..schema.upsert import insert_new, upsert
from .reader import Reader

#: Seconds after which nobody asks any more whether a sample was taken already.
SLOT_RETENTION = 2 * 24 * 3600

#: Seconds before a sample in which days are rolled up anew for it, however old a server is.
MAX_LOOK_BACK = 400 * 24 * 3600

#: Samples up to so many intervals apart cover the time between them.
MAX_GAP_INTERVALS = 2.5

#: Seconds before the newest sample in which anything may come to light late; what is older is
#: another revision of the history.
LATE_WINDOW = 86400


def add_sample(
    connection: Connection,
    sample: Sample,
    interval: int,
    late_changes: MutableMapping[int, int] | None = None,
) -> bool:
    """Store a sample and all that follows from it; return whether it was stored.

    It is not if there is one of the same interval already, unless only the new one is a full one.
    ``late_changes`` gets the revision that the sample makes, if it makes one, with the moment from
    which on the history has changed.
    """
    meta = StoreMetadata.load(connection)
    if not _claim_slot(connection, meta, sample, interval):
        return False
    state = _load_state(connection, meta, sample)
    changes = apply_sample(state, sample, max_gap(interval))
    upsert(connection, tables.users, list(map(astuple, changes.people)))
    upsert(connection, tables.sessions, changes.sessions)
    insert_new(connection, tables.visits, [(visit.hour, visit.user) for visit in changes.visits])
    moments = [changes.since, _extend_coverage(connection, sample.taken, interval)]
    since = min((moment for moment in moments if moment is not None), default=sample.taken)
    since = max(since, sample.taken - MAX_LOOK_BACK)
    is_late = since < max(state.latest or 0, sample.taken) - LATE_WINDOW
    if is_late and late_changes is not None:
        late_changes[meta.revision + 1] = since
    first_full, last_full = meta.first_full, meta.last_full
    if sample.is_full:
        first_full = sample.taken if first_full is None else first_full
        last_full = max(last_full or 0, sample.taken)
    meta.save(
        connection,
        next_user=changes.next_user,
        first_full=first_full,
        last_full=last_full,
        rolled=since if meta.rolled is None else min(meta.rolled, since),
        revision=meta.revision + is_late,
    )
    return True


def _claim_slot(connection: Connection, meta: StoreMetadata, sample: Sample, interval: int) -> bool:
    table = tables.samples
    slot = sample.taken // interval
    is_taken = connection.scalar(select(table.c.slot).where(table.c.slot == slot)) is not None
    has_all = meta.last_full is not None and meta.last_full // interval >= slot
    if is_taken and (has_all or not sample.is_full):
        return False  # there is one writer at a time
    insert_new(connection, table, [(slot, sample.taken)])
    connection.execute(delete(table).where(table.c.taken < sample.taken - SLOT_RETENTION))
    return True


def _load_state(connection: Connection, meta: StoreMetadata, sample: Sample) -> StoreState:
    reader = Reader(connection)
    people = {account.id: account for account in reader.people()}
    ended = tables.sessions.c.ended
    running = _sessions(connection, ended.is_(None))
    since = relevant_since(people.values(), running, sample)
    return StoreState(
        people,
        running | _sessions(connection, ended >= since),
        first=reader.first_observed(),
        latest=reader.latest_sample(),
        last_full=meta.last_full,
        next_user=meta.next_user,
    )


def _sessions(connection: Connection, condition: Any) -> dict[SessionKey, Session]:
    rows = connection.execute(select(tables.sessions).where(condition))
    return {row[:3]: Session._make(row) for row in rows}


def _extend_coverage(connection: Connection, taken: int, interval: int) -> int | None:
    """Extend the coverage; return the first moment at which that is new."""
    gap = max_gap(interval)
    table = tables.coverage
    is_near = (table.c.start <= taken + gap) & (table.c.end >= taken - gap)
    near = [Interval(*row) for row in connection.execute(select(table).where(is_near))]
    joined = join(near, taken)
    if near == [joined]:
        return None
    connection.execute(delete(table).where(is_near))
    insert_new(connection, table, [joined])
    return min((interval.end for interval in near if interval.end < taken), default=joined.start)


def max_gap(interval: int) -> int:
    """Seconds up to which two samples belong to one stretch of coverage."""
    return int(interval * MAX_GAP_INTERVALS)


def join(near: Iterable[Interval], taken: int) -> Interval:
    """Join a sample and the coverage within its reach."""
    moments = [taken, *chain.from_iterable(near)]
    return Interval(min(moments), max(moments))
