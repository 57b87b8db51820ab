"""Pseudonyms, and what is done when a user asks for their data or for its end."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timezone
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, select, update

from ..domain.records import Account, Sample, accounts_by_name
from ..schema import tables
from .merge_users import delete_user, merge_users
from .reader import Reader

#: The name under which a user is kept.
NameMapper = Callable[[str], str]

#: Later than all that is kept, in seconds since 1970.
_FAR_FUTURE = 2**42

#: So many pseudonyms are remembered, some 10 MB.
CACHED_PSEUDONYMS = 50_000

_PSEUDONYM = re.compile(r"user-[0-9a-f]{16}")


def identity(name: str) -> str:
    """The name that the hub has."""
    return name


def pseudonyms(secret: bytes) -> NameMapper:
    """Names such as ``user-3f9a…`` from which nobody without the secret finds who it is.

    The same name always has the same pseudonym, so people still find their own use. Names of
    servers are kept as they are.

    Args:
        secret: must stay the same; 16 bytes or more.
    """
    key = hmac.digest(secret, b"tornado_service activity pseudonyms", "sha256")

    @lru_cache(
        CACHED_PSEUDONYMS
    )  # whoever may see thousands of people asks for all of them at once
    def pseudonym(name: str) -> str:
        return f"user-{hmac.digest(key, name.encode(), 'sha256').hex()[:16]}"

    return pseudonym


def is_pseudonym(name: str) -> bool:
    """Whether a name looks like one of these."""
    return _PSEUDONYM.fullmatch(name) is not None


def pseudonymize(sample: Sample, map_name: NameMapper) -> Sample:
    """A sample with the names under which its users are kept."""
    return replace(
        sample, users=tuple(replace(user, name=map_name(user.name)) for user in sample.users)
    )


def pseudonymize_existing(connection: Connection, map_name: NameMapper) -> bool:
    """Give those a pseudonym who are kept by their name, from before there were pseudonyms.

    Who has one already, as there was no secret for a while, is one person again.

    Returns:
        Whether there was anybody.
    """
    people = Reader(connection).people()
    hidden = accounts_by_name(each for each in people if is_pseudonym(each.name))
    named = [each for each in people if not is_pseudonym(each.name)]
    table = tables.users
    for person in named:  # the first account under a name goes on where the pseudonym ended
        name = map_name(person.name)
        before = hidden.pop(name, None)
        if before is not None and _may_be_same(before, person):
            merge_users(connection, person.id, before.id)
        else:
            of_user = update(table).where(table.c.id == person.id)
            connection.execute(of_user.values(name=name))
    return bool(named)


def _may_be_same(one: Account, other: Account) -> bool:
    if None in (one.created, other.created):
        return one.matches_creation(other.created) or other.matches_creation(one.created)
    return one.created == other.created


def forget(connection: Connection, name: str) -> bool:
    """Remove all that is kept of a user, and of all accounts that had the name before.

    Totals of days of the whole hub stay: they are sums, of nobody. Days that are rolled up again,
    as their zone has changed or something came to light late, lose the user's part. What the user
    does from now on is kept again, and so is a server that runs now, with all of its time.

    Args:
        connection: writes.
        name: under which they are kept.

    Returns:
        Whether there was such a user.
    """
    table = tables.users.c
    users = connection.scalars(select(table.id).where(table.name == name)).all()
    for user in users:
        delete_user(connection, user)
    return bool(users)


def export(connection: Connection, name: str) -> dict[str, Any] | None:
    """All that is kept of a user, for JSON; nothing if there is no such user.

    Accounts that had the name before are under ``earlier_accounts``, where there are any.

    Args:
        connection: reads.
        name: under which they are kept.
    """
    reader = Reader(connection)
    accounts = [each for each in reader.people() if each.name == name]
    if not accounts:
        return None
    latest = accounts_by_name(accounts)[name]
    exported = _export(reader, latest)
    if earlier := [_export(reader, each) for each in accounts if each is not latest]:
        exported["earlier_accounts"] = earlier
    return exported


def _export(reader: Reader, person: Account) -> dict[str, Any]:
    users = {person.id}
    return {
        "name": person.name,
        "first_seen": _iso(person.first_seen),
        "created": _iso(person.created),
        "last_activity": _iso(person.last_activity),
        "deleted": _iso(person.deleted),
        "sessions": [
            {
                "server": each.server,
                "started": _iso(each.started),
                "last_seen": _iso(each.last_seen),
                "last_activity": _iso(each.last_activity),
                "ended": _iso(each.ended),
            }
            for each in sorted(
                reader.sessions(0, _FAR_FUTURE, users), key=lambda each: each.started
            )
        ],
        "visits": [_iso(each.hour * 3600) for each in reader.visits(0, _FAR_FUTURE, users)],
        "days": [
            {"day": each.day.isoformat(), "seconds": each.seconds, "sessions": each.sessions}
            for each in reader.user_days(date.min, date.max, users)
        ],
    }


def _iso(moment: int | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, timezone.utc).isoformat()
