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

from . import tables
from .model import Sample
from .reader import PERSON, Reader
from .unite import remove, unite

#: The name under which a user is kept.
Naming = Callable[[str], str]

#: Later than all that is kept, in seconds since 1970.
_ALWAYS = 2**42

#: So many pseudonyms are remembered, some 10 MB.
NAMES = 50_000

_PSEUDONYM = re.compile(r"user-[0-9a-f]{16}")


def own_name(name: str) -> str:
    """The name that the hub has."""
    return name


def pseudonyms(secret: bytes) -> Naming:
    """Names such as ``user-3f9a…`` from which nobody without the secret finds who it is.

    The same name always has the same pseudonym, so people still find their own use. Names of
    servers are kept as they are.

    Args:
        secret: must stay the same; 16 bytes or more.
    """
    key = hmac.digest(secret, b"tornado_service activity pseudonyms", "sha256")

    @lru_cache(NAMES)  # whoever may see thousands of people asks for all of them at once
    def pseudonym(name: str) -> str:
        return f"user-{hmac.digest(key, name.encode(), 'sha256').hex()[:16]}"

    return pseudonym


def is_pseudonym(name: str) -> bool:
    """Whether a name looks like one of these."""
    return _PSEUDONYM.fullmatch(name) is not None


def rename(sample: Sample, naming: Naming) -> Sample:
    """A sample with the names under which its users are kept."""
    return replace(
        sample, users=tuple(replace(user, name=naming(user.name)) for user in sample.users)
    )


def hide_names(connection: Connection, naming: Naming) -> bool:
    """Give those a pseudonym who are kept by their name, from before there were pseudonyms.

    Who has one already, as there was no secret for a while, is one person again.

    Returns:
        Whether there was anybody.
    """
    table = tables.users
    ids = {name: user for user, name in connection.execute(select(table.c.id, table.c.name))}
    names = [name for name in ids if not is_pseudonym(name)]
    for name in names:
        if (into := ids.get(naming(name))) is not None:
            unite(connection, ids[name], into)
        else:
            of_user = update(table).where(table.c.id == ids[name])
            connection.execute(of_user.values(name=naming(name)))
    return bool(names)


def forget(connection: Connection, name: str) -> bool:
    """Remove all that is kept of a user.

    Totals of days of the whole hub stay: they are sums, of nobody. Days that are rolled up again,
    as their zone has changed or something came to light late, lose the user's part. What the user
    does from now on is kept again, and so is a server that runs now, with all of its time.

    Args:
        connection: writes.
        name: under which they are kept.

    Returns:
        Whether there was such a user.
    """
    user = connection.scalar(select(tables.users.c.id).where(tables.users.c.name == name))
    if user is None:
        return False
    remove(connection, user)
    return True


def export(connection: Connection, name: str) -> dict[str, Any] | None:
    """All that is kept of a user, for JSON; nothing if there is no such user.

    Args:
        connection: reads.
        name: under which they are kept.
    """
    found = connection.execute(select(*PERSON).where(tables.users.c.name == name)).one_or_none()
    if found is None:
        return None
    reader, users = Reader(connection), {found.id}
    return {
        "name": found.name,
        "first_seen": _iso(found.first_seen),
        "created": _iso(found.created),
        "last_activity": _iso(found.last_activity),
        "deleted": _iso(found.deleted),
        "sessions": [
            {
                "server": each.server,
                "started": _iso(each.started),
                "last_seen": _iso(each.last_seen),
                "last_activity": _iso(each.last_activity),
                "ended": _iso(each.ended),
            }
            for each in sorted(reader.sessions(0, _ALWAYS, users), key=lambda each: each.started)
        ],
        "visits": [_iso(each.hour * 3600) for each in reader.visits(0, _ALWAYS, users)],
        "days": [
            {"day": each.day.isoformat(), "seconds": each.seconds, "sessions": each.sessions}
            for each in reader.user_days(date.min, date.max, users)
        ],
    }


def _iso(moment: int | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, timezone.utc).isoformat()
