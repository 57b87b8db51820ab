"""Tokens that are signed out, in the shared database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from .shared_database import SharedDatabase
from .tables import seconds_ago, sign_outs

#: Seconds for which sign-outs are kept, for replicas that start or connect later.
MAX_AGE = 24 * 3600.0

#: The first part of notifications of sign-outs; a list of digests follows.
KIND = "sign-outs"

#: Digests in one notification, which PostgreSQL limits to 8000 bytes.
PER_NOTIFICATION = 100


class SignOutStore:
    """The sign-outs of one service.

    All methods raise ``DatabaseUnavailable`` if the database is not available.
    """

    def __init__(self, database: SharedDatabase) -> None:
        self._database = database
        self._service = database.service

    def add(self, tokens: Sequence[bytes]) -> None:
        """Store digests of tokens, and notify all replicas."""
        digests = [token.hex() for token in tokens]
        rows = [{"service": self._service, "token": digest} for digest in digests]
        with self._database.writing() as connection:
            connection.execute(insert(sign_outs).on_conflict_do_nothing(), rows)
            for start in range(0, len(digests), PER_NOTIFICATION):
                part = digests[start : start + PER_NOTIFICATION]
                self._database.notify(connection, KIND, part)

    def recent(self, limit: int) -> list[bytes]:
        """The digests of the tokens that were signed out last, the oldest first."""
        statement = (
            select(sign_outs.c.token)
            .where(
                sign_outs.c.service == self._service,
                sign_outs.c.signed_out_at > seconds_ago(MAX_AGE),
            )
            .order_by(sign_outs.c.signed_out_at.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [bytes.fromhex(digest) for digest in connection.scalars(statement)][::-1]

    def prune(self) -> None:
        with self._database.writing() as connection:
            connection.execute(
                delete(sign_outs).where(
                    sign_outs.c.service == self._service,
                    sign_outs.c.signed_out_at < seconds_ago(MAX_AGE),
                )
            )
