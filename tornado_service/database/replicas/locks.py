"""The locks of PostgreSQL by which one replica leads an app.

https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

from typing import Any

from .leadership import SharedLeadership
from .notifications import notification_channel

#: The payload of the notification that an app has no leader any more.
RESIGNED = "resigned"


def settle(cursor: Any, service: str, candidate: SharedLeadership) -> None:
    """Get or free the lock of an app, as its candidate wants.

    Args:
        cursor: of the session that holds the locks; without a transaction.
        service: the service's name.
        candidate: is told of the result.
    """
    if candidate.is_held:
        if not candidate.is_candidate:
            free(cursor, service, candidate)
        elif _stored_term(cursor, service, candidate) != candidate.term:
            # the table was emptied, or is that of a backup: jobs would not begin in this term
            candidate.record(_begin_term(cursor, service, candidate), candidate.instance)
        candidate.refresh()
    elif candidate.is_candidate:
        cursor.execute(
            "SELECT pg_try_advisory_lock(%s), (SELECT instance FROM tornado_service_leaders"
            " WHERE service = %s AND app = %s)",
            (candidate.key, service, candidate.app),
        )
        is_locked, leader = cursor.fetchone()
        if is_locked:
            candidate.record(_begin_term(cursor, service, candidate), candidate.instance)
        else:
            candidate.record(0, leader or "")


def free(cursor: Any, service: str, candidate: SharedLeadership) -> None:
    """Free the lock of an app, and have another replica take over at once."""
    candidate.record(0, "")  # first: it must not act when another has got the lock
    cursor.execute("SELECT pg_advisory_unlock(%s)", (candidate.key,))
    cursor.execute("SELECT pg_notify(%s, %s)", (notification_channel(service), RESIGNED))


def _stored_term(cursor: Any, service: str, candidate: SharedLeadership) -> int | None:
    cursor.execute(
        "SELECT term FROM tornado_service_leaders WHERE service = %s AND app = %s",
        (service, candidate.app),
    )
    row = cursor.fetchone()
    return row and row[0]


def _begin_term(cursor: Any, service: str, candidate: SharedLeadership) -> int:
    cursor.execute(
        # growing even if the table is lost
        "INSERT INTO tornado_service_leaders AS old (service, app, term, instance)"
        " VALUES (%s, %s, (extract(epoch from clock_timestamp()) * 1000)::bigint, %s)"
        " ON CONFLICT (service, app) DO UPDATE SET"
        " term = greatest(old.term + 1, excluded.term), instance = excluded.instance"
        " RETURNING term",
        (service, candidate.app, candidate.instance),
    )
    term: int = cursor.fetchone()[0]
    return term
