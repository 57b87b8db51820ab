from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.databases import POSTGRESQL, new_postgresql, postgresql_socket
from tornado_service.database.replicas.stores.shared_database import SharedDatabase

__all__ = ["new_postgresql", "postgresql_socket"]


@pytest.fixture(params=POSTGRESQL)
def url(request: pytest.FixtureRequest, new_postgresql: Callable[[str], str]) -> str:
    return new_postgresql(request.param)


@pytest.fixture
def connect(url: str) -> Iterator[Callable[[str], SharedDatabase]]:
    """Connect as a replica, by its name."""
    opened: list[SharedDatabase] = []

    def connect(instance: str) -> SharedDatabase:
        opened.append(SharedDatabase(url, "tornado-service", instance))
        opened[-1].prepare()
        return opened[-1]

    yield connect
    for database in opened:
        database.close()


@pytest.fixture
def database(connect: Callable[[str], SharedDatabase]) -> SharedDatabase:
    return connect("one")


@pytest.fixture
def other(database: SharedDatabase, connect: Callable[[str], SharedDatabase]) -> SharedDatabase:
    """Another replica."""
    return connect("two")
