"""The claims of replicas, in the shared database."""

from __future__ import annotations

import json

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from ..claims import LIFETIME, Conflict, SharedClaim
from ..leadership import lock_key
from .shared_database import SharedDatabase
from .tables import CLOCK, claims, seconds_ago


class ClaimStore:
    """The claims of one service; those of the whole database have an empty name of a service.

    All methods raise ``DatabaseUnavailable`` if the database is not available.
    """

    def __init__(self, database: SharedDatabase) -> None:
        self._database = database
        self._service = database.service

    def _service_of(self, claim: SharedClaim) -> str:
        return "" if claim.of_database else self._service

    def confirm(self, claim: SharedClaim) -> Conflict | None:
        """Make or confirm a claim.

        Returns:
            The claim of another replica that has another value: then this one is not made.
        """
        service = self._service_of(claim)
        its = (
            claims.c.service == service,
            claims.c.app == claim.app,
            claims.c.key == claim.key,
        )
        others = select(claims.c.value, claims.c.instance).where(
            *its,
            claims.c.instance != self._database.instance,
            claims.c.value != claim.encoded,
            claims.c.confirmed_at > seconds_ago(LIFETIME),
        )
        statement = insert(claims).values(
            service=service,
            app=claim.app,
            key=claim.key,
            instance=self._database.instance,
            value=claim.encoded,
            confirmed_at=CLOCK,
        )
        statement = statement.on_conflict_do_update(
            index_elements=[claims.c.service, claims.c.app, claims.c.key, claims.c.instance],
            set_={"value": claim.encoded, "confirmed_at": CLOCK},
        )
        lock = lock_key(f"claim {service}/{claim.app}/{claim.key}")
        with self._database.writing() as connection:
            # one replica at a time
            connection.execute(select(func.pg_advisory_xact_lock(lock)))
            other = connection.execute(others.limit(1)).one_or_none()
            if other is not None:
                return Conflict(json.loads(other.value), other.instance)
            connection.execute(statement)
        return None

    def give_up(self, claim: SharedClaim) -> None:
        """Delete the claim of this replica."""
        with self._database.writing() as connection:
            connection.execute(
                delete(claims).where(
                    claims.c.service == self._service_of(claim),
                    claims.c.app == claim.app,
                    claims.c.key == claim.key,
                    claims.c.instance == self._database.instance,
                )
            )

    def prune(self) -> None:
        """Delete the claims of replicas that are gone."""
        with self._database.writing() as connection:
            connection.execute(
                delete(claims).where(
                    claims.c.service.in_([self._service, ""]),
                    claims.c.confirmed_at < seconds_ago(2 * LIFETIME),
                )
            )
