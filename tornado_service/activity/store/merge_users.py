"""Merge two users who are one person, and delete a user."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, select

from ..schema import tables
from ..schema.metadata import StoreMetadata
from ..schema.upsert import insert_new, upsert

_USER_TABLES = (tables.user_days, tables.visits, tables.sessions)


def merge_users(connection: Connection, one: int, into: int) -> None:
    """Merge a user into another.

    Sums of the same day are added up, and computed from sessions where these still exist.
    """
    days, visits, sessions = (_rows(connection, table, one, into) for table in _USER_TABLES)
    upsert(connection, tables.user_days, [*_summed_days(days, into)])
    insert_new(
        connection, tables.visits, [{"hour": visit.hour, "user_id": into} for visit in visits]
    )
    upsert(connection, tables.sessions, [*_merged_sessions(sessions, into)])
    people = tables.users
    both = connection.execute(select(people).where(people.c.id.in_((one, into)))).all()
    names = {row.id: row.name for row in both}
    person = {
        "id": into,
        "name": names[into],
        "first_seen": min(row.first_seen for row in both),
        "created": _latest(row.created for row in both),
        "last_activity": _latest(row.last_activity for row in both),
        "deleted": _last_end(row.deleted for row in both),
    }
    upsert(connection, people, [person])
    delete_user(connection, one)
    meta = StoreMetadata.load(connection)
    moments = [session.started for session in sessions] + [visit.hour * 3600 for visit in visits]
    rolled = min([*moments, meta.rolled]) if moments and meta.rolled is not None else meta.rolled
    meta.save(connection, rolled=rolled, revision=meta.revision + 1)


def delete_user(connection: Connection, user: int) -> None:
    """Delete a user and all their data."""
    for table in _USER_TABLES:
        connection.execute(delete(table).where(table.c.user_id == user))
    connection.execute(delete(tables.users).where(tables.users.c.id == user))


def _rows(connection: Connection, table: Table, *users: int) -> list[Row[Any]]:
    return list(connection.execute(select(table).where(table.c.user_id.in_(users))))


def _summed_days(days: Iterable[Row[Any]], user: int) -> Iterable[dict[str, Any]]:
    summed: dict[int, dict[str, Any]] = {}
    for day in days:
        row = summed.setdefault(
            day.day, {"day": day.day, "user_id": user, "seconds": 0, "sessions": 0}
        )
        row["seconds"] += day.seconds
        row["sessions"] += day.sessions
    return summed.values()


def _merged_sessions(sessions: Iterable[Row[Any]], user: int) -> Iterable[dict[str, Any]]:
    """Each run once, with the later times of both."""
    merged: dict[tuple[str, int], dict[str, Any]] = {}
    for session in sessions:
        row = {**session._mapping, "user_id": user}
        other = merged.setdefault((session.server, session.started), row)
        row["last_seen"] = max(row["last_seen"], other["last_seen"])
        row["last_activity"] = _latest((row["last_activity"], other["last_activity"]))
        row["ended"] = _last_end((row["ended"], other["ended"]))
        merged[session.server, session.started] = row
    return merged.values()


def _latest(moments: Iterable[int | None]) -> int | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _last_end(moments: Iterable[int | None]) -> int | None:
    """``None``: one of them has not ended."""
    ends = list(moments)
    return None if None in ends else _latest(ends)
