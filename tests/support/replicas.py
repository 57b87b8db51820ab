"""Several replicas of a service in one process, with one database."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tornado_service.streaming.replica_setup import make_replicas
from tornado_service.streaming.replicas import Replicas

SERVICE = "tornado-service"


@asynccontextmanager
async def replica(
    url: str, service: str = SERVICE, *, is_connected: bool = True
) -> AsyncIterator[Replicas]:
    """A connected replica; ``signed_out`` has the tokens signed out at others."""
    replicas = make_replicas(url, service, logging.getLogger("TornadoService"))
    replicas.signed_out = []  # type: ignore[attr-defined] # of tests only
    replicas.start(replicas.signed_out.extend, 100)  # type: ignore[attr-defined]
    try:
        if is_connected:
            assert await replicas.wait_until_connected(10)
        yield replicas
    finally:
        await replicas.close()
