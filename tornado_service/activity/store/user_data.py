"""Requests of users about their own data (export, removal), and pseudonyms for existing users."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

from sqlalchemy import Connection, select, update

from ..domain.pseudonyms import NameMapper, is_pseudonym
from ..domain.records import FAR_FUTURE, Account, accounts_by_name
from ..schema import tables
from .merge_users import delete_user, merge_users
from .reader import Reader


def pseudonymize_existing(connection: Connection, map_name: NameMapper) -> bool:
    """Give a pseudonym to all users who were stored under their names.

    If there was no secret for a while, a user may have both; they become one again.

    Returns:
        Whether there were any.
    """
    accounts = Reader(connection).people()
    hidden = accounts_by_name(account for account in accounts if is_pseudonym(account.name))
    named = [account for account in accounts if not is_pseudonym(account.name)]
    table = tables.users
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
    stored again, and so is a server that runs now, with all of its time.

    Returns:
        Whether there was such a user.
    """
    table = tables.users.c
    users = connection.scalars(select(table.id).where(table.name == name)).all()
    for user in users:
        delete_user(connection, user)
    return bool(users)


def export(connection: Connection, name: str) -> dict[str, Any] | None:
    """Return all data of a user, by the stored name, for JSON; ``None`` if there is no such user.

    Accounts that had the name before are under ``earlier_accounts``, where there are any.
    """
    reader = Reader(connection)
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
            }
            for session in reader.sessions(0, FAR_FUTURE, users)
        ],
        "visits": [_iso(visit.hour * 3600) for visit in reader.visits(0, FAR_FUTURE, users)],
        "days": [
            {"day": row.day.isoformat(), "seconds": row.seconds, "sessions": row.sessions}
            for row in reader.user_days(date.min, date.max, users)
        ],
    }


def _iso(moment: int | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, timezone.utc).isoformat()
