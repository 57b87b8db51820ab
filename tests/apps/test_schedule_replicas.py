"""Periodic work that one of several replicas does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from tests.support.databases import new_postgresql, postgresql_socket
from tests.support.streaming import until
from tornado_service import DatabaseUnavailable, ServiceApp, periodic
from tornado_service.app import TornadoService
from tornado_service.testing import StartService

__all__ = ["new_postgresql", "postgresql_socket"]

INTERVAL = 0.1


class Collector(ServiceApp):
    """Its replicas share a record of the runs."""

    name = "collector"
    runs: ClassVar[list[tuple[str, str]]] = []
    active: ClassVar[set[str]] = set()

    async def start(self):
        self.is_slow = False
        self.fails = 0

    def ran(self, job: str) -> None:
        assert self.leadership.is_leader
        self.runs.append((job, self.leadership.instance))

    @periodic(INTERVAL, once=True)
    async def collect(self):
        assert not self.active
        self.active.add(self.leadership.instance)
        try:
            self.ran("collect")
            if self.is_slow:
                await asyncio.sleep(3600)
        finally:
            self.active.clear()

    @periodic(INTERVAL, once=True)
    def in_a_thread(self):
        assert threading.current_thread() is not threading.main_thread()
        self.ran("in_a_thread")

    @periodic(3600, once=True)
    async def rarely(self):
        self.ran("rarely")

    @periodic(3600, once=True)
    async def stumbles(self):
        self.ran("stumbles")
        self.fails += 1
        if self.fails < 3:
            raise DatabaseUnavailable("it is away")

    @periodic(3600, once=True)
    async def is_mistaken(self):
        self.ran("is_mistaken")
        raise RuntimeError("always")


def count(job: str, service: TornadoService | None = None) -> int:
    instance = service and service.replicas.instance
    return sum(name == job and instance in (None, where) for name, where in Collector.runs)


@pytest.fixture(autouse=True)
def settings(new_postgresql: Callable[[str], str]) -> dict[str, Any]:
    Collector.runs.clear()
    url = new_postgresql("postgresql+psycopg")
    return {"apps": [f"{__name__}:Collector"], "database_url": url, "replica_count": 2}


async def test_one_replica_at_a_time_runs_it(
    settings: dict[str, Any], start_service: StartService
) -> None:
    one, two = [await start_service(TornadoService=settings) for _ in range(2)]
    app = one.get_app("collector")
    assert isinstance(app, Collector)
    await until(lambda: count("collect") >= 5 and count("in_a_thread") >= 5)
    await until(lambda: count("stumbles") == 3)
    assert count("collect", two) == count("in_a_thread", two) == 0

    app.is_slow = True
    await until(lambda: Collector.active != set())
    app.leadership.may_lead = False

    await until(lambda: count("collect", two) >= 5 and count("in_a_thread", two) >= 5)
    assert count("rarely") == count("is_mistaken") == 1
    assert count("stumbles") == 3
    before = count("collect", one)
    await until(lambda: count("collect", two) >= 10)
    assert count("collect", one) == before


async def test_another_replica_goes_on_when_the_leader_has_stopped(
    settings: dict[str, Any], start_service: StartService
) -> None:
    one, two = [await start_service(TornadoService=settings) for _ in range(2)]
    await until(lambda: count("collect", one) >= 3)

    await one.app_manager.stop()

    await until(lambda: count("collect", two) >= 3)
    assert count("rarely") == 1


async def test_the_only_process_runs_it(start_service: StartService) -> None:
    Collector.runs.clear()

    await start_service(TornadoService={"apps": [f"{__name__}:Collector"]})

    await until(lambda: count("collect") >= 3)
    assert count("rarely") == 1
