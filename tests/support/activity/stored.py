"""Samples for a store, and its users afterwards."""

from __future__ import annotations

from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot
from tornado_service.activity.store.reader import Reader
from tornado_service.activity.store.store import Store

START = 1_772_409_600  # Monday, 2 March 2026
FIVE_MINUTES = 300


def sample(taken: int, *names: str, started: int = START - 60) -> Sample:
    """Users who all run a server; their creation times distinguish them."""
    server = ServerSnapshot("", started)
    users = (UserSnapshot(name, sum(map(ord, name)), servers=(server,)) for name in names)
    return Sample(taken, True, tuple(users))


async def stored_users(store: Store) -> list[str]:
    return [account.name for account in await store.read(Reader.people)]
