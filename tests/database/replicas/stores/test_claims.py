"""The claims of replicas, in PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text

from tornado_service.database.replicas.claims import Conflict, SharedClaim
from tornado_service.database.replicas.stores.claims import ClaimStore
from tornado_service.database.replicas.stores.shared_database import SharedDatabase
from tornado_service.database.replicas.stores.tables import claims


@pytest.fixture
def one(database: SharedDatabase) -> ClaimStore:
    return ClaimStore(database)


@pytest.fixture
def two(other: SharedDatabase) -> ClaimStore:
    return ClaimStore(other)


def utc() -> SharedClaim:
    return SharedClaim("activity", "settings", {"timezone": "UTC", "days": 400})


def berlin() -> SharedClaim:
    return SharedClaim("activity", "settings", {"timezone": "Europe/Berlin"})


def test_another_value_is_refused(one: ClaimStore, two: ClaimStore) -> None:
    assert one.confirm(utc()) is None
    assert (
        two.confirm(SharedClaim("activity", "settings", {"days": 400, "timezone": "UTC"})) is None
    )

    assert two.confirm(SharedClaim("activity", "other", 1)) is None
    assert two.confirm(berlin()) == Conflict({"timezone": "UTC", "days": 400}, "one")
    one.give_up(utc())
    assert two.confirm(berlin()) is None
    assert one.confirm(utc()) == Conflict({"timezone": "Europe/Berlin"}, "two")


def test_a_claim_counts_for_its_service_or_for_the_whole_database(
    one: ClaimStore, database: SharedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "service", "another")
    monkeypatch.setattr(database, "instance", "its replica")
    another = ClaimStore(database)
    shared = [SharedClaim("activity", "shared", number, of_database=True) for number in (1, 2)]

    assert another.confirm(berlin()) is None
    assert another.confirm(shared[0]) is None
    monkeypatch.setattr(database, "instance", "one")

    assert one.confirm(utc()) is None
    assert one.confirm(shared[1]) == Conflict(1, "its replica")


def test_the_claim_of_a_replica_that_is_gone_counts_for_a_minute(
    one: ClaimStore, two: ClaimStore, database: SharedDatabase
) -> None:
    assert one.confirm(utc()) is None
    age(database, 50)
    assert two.confirm(berlin()) is not None
    age(database, 70)
    assert two.confirm(berlin()) is None

    age(database, 130, "one")
    two.prune()
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(claims)) == 1


def age(database: SharedDatabase, seconds: int, instance: str = "one") -> None:
    with database.writing() as connection:
        connection.execute(
            text(
                "UPDATE tornado_service_claims SET confirmed_at = now()"
                f" - interval '{seconds} seconds' WHERE instance = '{instance}'"
            )
        )
