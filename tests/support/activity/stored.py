"""Samples that a store keeps, and whom it knows then."""

from __future__ import annotations

from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot
from tornado_service.activity.store.reader import Reader
from tornado_service.activity.store.store import Store

START = 1_772_409_600  # Monday, 2 March 2026
FIVE_MINUTES = 300


def sample(taken: int, *names: str, started: int = START - 60) -> Sample:
    """Of users who all run a server; when they were created tells them apart."""
    server = ServerSnapshot("", started)
    users = (UserSnapshot(name, sum(map(ord, name)), servers=(server,)) for name in names)
    return Sample(taken, True, tuple(users))


async def people(store: Store) -> list[str]:
    return [account.name for account in await store.read(Reader.people)]
