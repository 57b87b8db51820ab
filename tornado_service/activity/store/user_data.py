"""Requests of users about their own data (export, removal), and users who become one again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import astuple
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from ..domain.calendar import latest_of, utc_datetime
from ..domain.idle import intervals, union
from ..domain.pseudonyms import NameMapper, is_pseudonym
from ..domain.records import FAR_FUTURE, Account, Session, SessionKey, accounts_by_name
from ..schema import tables
from ..schema.metadata import StoreMetadata
from ..schema.upsert import insert_new, upsert
from . import live_sample
from .reader import Reader

_USER_TABLES = (tables.user_days, tables.visits, tables.sessions)


def pseudonymize_existing(connection: Connection, map_name: NameMapper) -> bool:
    """Give a pseudonym to all users who were stored under their names; ``False``: there were none.

    If there was no secret for a while, a user may have both; they become one again.
    """
    accounts = Reader(connection).people()
    hidden = accounts_by_name(account for account in accounts if is_pseudonym(account.name))
    named = [account for account in accounts if not is_pseudonym(account.name)]
    table = tables.users
    live_sample.remove_names(connection)
    for account in named:  # the first account of a name continues that of the pseudonym
        name = map_name(account.name)
        before = hidden.pop(name, None)
        if before is not None and _may_be_same(before, account):
            merge_users(connection, account.id, before.id)
        else:
            statement = update(table).where(table.c.id == account.id)
            connection.execute(statement.values(name=name))
    return bool(named)


def _may_be_same(one: Account, other: Account) -> bool:
    if None in (one.created, other.created):
        return one.matches_creation(other.created) or other.matches_creation(one.created)
    return one.created == other.created


def forget(connection: Connection, name: str) -> bool:
    """Remove all data of a user, by the stored name, and of all accounts that had it before.

    Daily totals of the whole hub stay: they are anonymous sums. Days that are rolled up again
    (another time zone, late samples) lose the user's part. What the user does from now on is
    stored again, and so is a server that runs now, with all of its time. ``False``: there was no
    such user.
    """
    table = tables.users.c
    users = connection.scalars(select(table.id).where(table.name == name)).all()
    for user in users:
        delete_user(connection, user)
    live_sample.remove(connection, name)
    return bool(users)


def export(reader: Reader, name: str) -> dict[str, Any] | None:
    """Return all data of a user, by the stored name, for JSON; ``None`` if there is no such user.

    Accounts that had the name before are under ``earlier_accounts``, where there are any.
    """
    accounts = [account for account in reader.people() if account.name == name]
    if not accounts:
        return None
    latest = accounts_by_name(accounts)[name]
    exported = _export(reader, latest)
    if earlier := [_export(reader, account) for account in accounts if account is not latest]:
        exported["earlier_accounts"] = earlier
    return exported


def _export(reader: Reader, account: Account) -> dict[str, Any]:
    users = {account.id}
    times = ("first_seen", "created", "last_activity", "deleted")
    session_times = ("started", "last_seen", "last_activity", "ended")
    return {
        "name": account.name,
        **{name: _iso(getattr(account, name)) for name in times},
        "sessions": [
            {
                "server": session.server,
                **{name: _iso(getattr(session, name)) for name in session_times},
                "profile": session.profile,
                **{name: _iso_intervals(session, name) for name in ("observed", "idle")},
            }
            for session in reader.sessions(0, FAR_FUTURE, users, with_idle=True)
        ],
        "visits": [_iso(visit.hour * 3600) for visit in reader.visits(0, FAR_FUTURE, users)],
        "days": [
            {
                "day": row.day.isoformat(),
                "seconds": row.seconds,
                "sessions": row.sessions,
                "observed_seconds": row.observed or None,
                "idle_seconds": row.idle if row.observed else None,
            }
            for row in reader.user_days(date.min, date.max, users)
        ],
    }


def _iso(moment: int | None) -> str | None:
    at = utc_datetime(moment)
    return at.isoformat() if at else None


def _iso_intervals(session: Session, name: str) -> list[list[str | None]]:
    text: str | None = getattr(session, name)
    return [list(map(_iso, interval)) for interval in intervals(text, session.started)]


def merge_users(connection: Connection, one: int, into: int) -> None:
    """Merge a user into another.

    Sums of the same day are added up, and computed from sessions where these still exist.
    """
    days, visits, sessions = (
        connection.execute(select(table).where(table.c.user_id.in_((one, into)))).all()
        for table in _USER_TABLES
    )
    upsert(connection, tables.user_days, _summed_days(days, into))
    insert_new(connection, tables.visits, [(visit.hour, into) for visit in visits])
    upsert(connection, tables.sessions, _merged_sessions(map(Session._make, sessions), into))
    both = [account for account in Reader(connection).people() if account.id in (one, into)]
    account = Account(
        into,
        next(account.name for account in both if account.id == into),
        min(account.first_seen for account in both),
        latest_of(account.created for account in both),
        latest_of(account.last_activity for account in both),
        _last_end(account.deleted for account in both),
    )
    upsert(connection, tables.users, [astuple(account)])
    delete_user(connection, one)
    meta = StoreMetadata.load(connection)
    moments = [session.started for session in sessions] + [visit.hour * 3600 for visit in visits]
    rolled = min([*moments, meta.rolled]) if moments and meta.rolled is not None else meta.rolled
    meta.save(connection, rolled=rolled, revision=meta.revision + 1)


def delete_user(connection: Connection, user: int) -> None:
    for table in _USER_TABLES:
        connection.execute(delete(table).where(table.c.user_id == user))
    connection.execute(delete(tables.users).where(tables.users.c.id == user))


def _summed_days(days: Iterable[Row[Any]], user: int) -> list[tuple[int | None, ...]]:
    sums: dict[int, list[int | None]] = {}
    for row in days:
        now, before = row[2:], sums.get(row.day)
        sums[row.day] = list(map(_sum, before, now)) if before else list(now)
    return [(day, user, *of_day) for day, of_day in sums.items()]


def _sum(one: int | None, other: int | None) -> int | None:
    """``None``: neither is known."""
    return other if one is None else one + (other or 0)


def _merged_sessions(sessions: Iterable[Session], user: int) -> Collection[Session]:
    """Each run once, with the later times of both."""
    merged: dict[SessionKey, Session] = {}
    for session in sessions:
        session = session._replace(user=user)
        other = merged.get(session.key, session)
        merged[session.key] = session._replace(
            last_seen=max(session.last_seen, other.last_seen),
            last_activity=latest_of((session.last_activity, other.last_activity)),
            ended=_last_end((session.ended, other.ended)),
            profile=other.profile if session.profile is None else session.profile,
            observed=union(session.observed, other.observed),
            idle=union(session.idle, other.idle),
        )
    return merged.values()


def _last_end(moments: Iterable[int | None]) -> int | None:
    """``None``: one of them has not ended."""
    ends = list(moments)
    return None if None in ends else latest_of(ends)
