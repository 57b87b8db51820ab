"""The latest sample, for replicas that do not collect; and which replica does, for how long.

A replica that begins to collect begins a new term. It stores samples only while no other replica
has begun a later one, so that a process that was suspended, or whose connection was lost, never
writes after its successor. Callers hold the lock of the only writer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, select, update

from ..domain.pseudonyms import is_pseudonym
from ..domain.records import Sample, ServerSnapshot, UserSnapshot
from ..schema import tables
from ..schema.upsert import upsert

Result = TypeVar("Result")

#: The id of the only row.
_ROW = 1


class Superseded(Exception):
    """Another replica has begun to collect: nothing is stored. The message names it."""


def take_over(connection: Connection, instance: str) -> int:
    """Begin a term: the replica of this name collects. Return its number."""
    term = (_term(connection) or 0) + 1
    table = tables.live
    if term == 1:
        upsert(connection, table, [(_ROW, term, instance, None, None, None)])
    else:
        connection.execute(update(table).values(term=term, instance=instance))
    return term


def fenced(
    work: Callable[[Connection], Result], term: int | None
) -> Callable[[Connection], Result]:
    """The same work in a term; it raises `Superseded` if another one has begun.

    ``None``: there are no terms, as only one process collects.
    """

    def work_in_term(connection: Connection) -> Result:
        if term is not None and _term(connection) != term:
            raise Superseded(connection.scalar(select(tables.live.c.instance)))
        return work(connection)

    return work_in_term


def _term(connection: Connection) -> int | None:
    return connection.scalar(select(tables.live.c.term))


def save(connection: Connection, sample: Sample) -> None:
    """Store a sample, with stored names, in place of the one before."""
    users = [_packed(user) for user in sample.users if user.servers]
    values = {"taken": sample.taken, "is_full": sample.is_full, "users": users}
    connection.execute(update(tables.live).values(values))


def load(connection: Connection) -> Sample | None:
    """Read what `save` has stored: the users who had a server, under their stored names."""
    table = tables.live.c
    stored = select(table.taken, table.is_full, table.users).where(table.taken.is_not(None))
    row = connection.execute(stored).one_or_none()
    if row is None:
        return None
    taken, is_full, users = row
    return Sample(taken, is_full, tuple(map(_unpacked, users)))


def remove(connection: Connection, name: str) -> None:
    """Remove a user, by the stored name, from the latest sample."""
    users = connection.scalar(select(tables.live.c.users)) or []
    others = [user for user in users if user[0] != name]
    if len(others) != len(users):
        connection.execute(update(tables.live).values(users=others))


def remove_names(connection: Connection) -> None:
    """Remove all users who are stored under their names, not under pseudonyms."""
    users = connection.scalar(select(tables.live.c.users)) or []
    others = [user for user in users if is_pseudonym(user[0])]
    if len(others) != len(users):
        connection.execute(update(tables.live).values(users=others))


def _packed(user: UserSnapshot) -> list[Any]:
    servers = [
        [server.name, server.started, server.last_activity, server.pending, server.profile]
        for server in user.servers
    ]
    return [user.name, user.created, user.last_activity, servers]


def _unpacked(packed: list[Any]) -> UserSnapshot:
    name, created, last_activity, servers = packed
    return UserSnapshot(
        name, created, last_activity, tuple(ServerSnapshot(*server) for server in servers)
    )
