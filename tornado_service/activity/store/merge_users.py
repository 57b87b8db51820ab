"""Two who turn out to be one person, and one who is to be nobody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, select

from ..schema import tables
from ..schema.metadata import StoreMetadata
from ..schema.upsert import insert_new, upsert

_USER_TABLES = (tables.user_days, tables.visits, tables.sessions)


def merge_users(connection: Connection, one: int, into: int) -> None:
    """Make two users one.

    What both did on the same day is added up, and made of their sessions where there still are any.
    """
    days, visits, sessions = (_rows(connection, table, one, into) for table in _USER_TABLES)
    upsert(connection, tables.user_days, [*_summed_days(days, into)])
    insert_new(connection, tables.visits, [{"hour": each.hour, "user_id": into} for each in visits])
    upsert(connection, tables.sessions, [*_merged_sessions(sessions, into)])
    people = tables.users
    both = connection.execute(select(people).where(people.c.id.in_((one, into)))).all()
    names = {each.id: each.name for each in both}
    person = {
        "id": into,
        "name": names[into],
        "first_seen": min(each.first_seen for each in both),
        "created": _latest(each.created for each in both),
        "last_activity": _latest(each.last_activity for each in both),
        "deleted": _last_end(each.deleted for each in both),
    }
    upsert(connection, people, [person])
    delete_user(connection, one)
    meta = StoreMetadata.load(connection)
    moments = [each.started for each in sessions] + [each.hour * 3600 for each in visits]
    rolled = min([*moments, meta.rolled]) if moments and meta.rolled is not None else meta.rolled
    meta.save(connection, rolled=rolled, revision=meta.revision + 1)


def delete_user(connection: Connection, user: int) -> None:
    """Delete a user, and all that is kept of them."""
    for table in _USER_TABLES:
        connection.execute(delete(table).where(table.c.user_id == user))
    connection.execute(delete(tables.users).where(tables.users.c.id == user))


def _rows(connection: Connection, table: Table, *users: int) -> list[Row[Any]]:
    return list(connection.execute(select(table).where(table.c.user_id.in_(users))))


def _summed_days(days: Iterable[Row[Any]], user: int) -> Iterable[dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for each in days:
        row = found.setdefault(
            each.day, {"day": each.day, "user_id": user, "seconds": 0, "sessions": 0}
        )
        row["seconds"] += each.seconds
        row["sessions"] += each.sessions
    return found.values()


def _merged_sessions(sessions: Iterable[Row[Any]], user: int) -> Iterable[dict[str, Any]]:
    """Each run once: until it was seen last by either name."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for each in sessions:
        row = {**each._mapping, "user_id": user}
        other = found.setdefault((each.server, each.started), row)
        row["last_seen"] = max(row["last_seen"], other["last_seen"])
        row["last_activity"] = _latest((row["last_activity"], other["last_activity"]))
        row["ended"] = _last_end((row["ended"], other["ended"]))
        found[each.server, each.started] = row
    return found.values()


def _latest(moments: Iterable[int | None]) -> int | None:
    return max((each for each in moments if each is not None), default=None)


def _last_end(moments: Iterable[int | None]) -> int | None:
    """``None``: one of them has not ended."""
    found = list(moments)
    return None if None in found else _latest(found)
