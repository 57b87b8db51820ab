"""Running servers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ...domain.pseudonyms import NameMapper, identity
from ...domain.records import Sample


@dataclass(frozen=True)
class Running:
    """One server in the latest sample; its name is empty for the default server.

    Attributes:
        seconds: since its start.
        idle: seconds since its last activity; ``None``: the hub does not report it.
        is_pending: it is starting or stopping.
    """

    user: str
    server: str
    started: int
    seconds: int
    idle: int | None
    is_pending: bool


def running(
    sample: Sample, names: Collection[str] | None = None, map_name: NameMapper = identity
) -> list[Running]:
    """Servers by user and name; ``names``: of these users; ``None``: of all.

    They are in the order of the names that are shown: pseudonyms in the order of the hub's names
    would tell whose they are.
    """
    servers = [
        Running(
            map_name(user.name),
            server.name,
            server.started,
            seconds=max(0, sample.taken - server.started),
            idle=None
            if server.last_activity is None
            else max(0, sample.taken - server.last_activity),
            is_pending=server.pending,
        )
        for user in sample.users
        if names is None or user.name in names
        for server in user.servers
    ]
    return sorted(servers, key=lambda server: (server.user, server.server))
