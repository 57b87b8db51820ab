"""Tokens that are signed out, in PostgreSQL."""

from __future__ import annotations

from sqlalchemy import func, select, text

from tornado_service.database.replicas.stores.shared_database import SharedDatabase
from tornado_service.database.replicas.stores.sign_outs import SignOutStore
from tornado_service.database.replicas.stores.tables import sign_outs


def token(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_the_last_ones_are_read(database: SharedDatabase) -> None:
    store = SignOutStore(database)
    many = [token(number) for number in range(250)]
    store.add(many)  # more than one notification has
    store.add([token(3), token(1000)])

    assert sorted(store.recent(1000)) == [*many, token(1000)]
    assert store.recent(1) == [token(1000)]


def test_old_ones_are_deleted(database: SharedDatabase) -> None:
    store = SignOutStore(database)
    store.add([token(1)])
    with database.writing() as connection:
        connection.execute(
            text("UPDATE tornado_service_sign_outs SET signed_out_at = now() - interval '2 days'")
        )
    store.add([token(2)])

    assert store.recent(10) == [token(2)]
    store.prune()
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(sign_outs)) == 1
