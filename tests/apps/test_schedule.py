"""Periodic work of apps: its schedule, and the containment of its failures."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
import time
from typing import Any

import pytest
from traitlets import Float, Unicode

from tests.support.apps import states
from tests.support.streaming import until
from tornado_service import HubUnavailable, ServiceApp, periodic
from tornado_service.app import TornadoService
from tornado_service.apps import retry as transient
from tornado_service.apps import schedule
from tornado_service.apps.isolation.containment import AppError
from tornado_service.testing import StartService

SOON = 0.01


class Worker(ServiceApp):
    """Each method is one way to work."""

    name = "worker"
    pause = Float(SOON).tag(config=True)

    async def start(self):
        self.runs: dict[str, list[float]] = {}
        self.threads: set[int] = set()
        self.at_once = self.most_at_once = 0
        self.order: list[str] = []

    def ran(self, name: str) -> int:
        self.runs.setdefault(name, []).append(time.monotonic())
        return len(self.runs[name])

    @periodic("pause")
    async def fails(self):
        self.ran("fails")
        raise RuntimeError("no database; password=1234")

    @periodic(SOON)
    async def exits(self):
        self.ran("exits")
        sys.exit(3)

    @periodic(SOON)
    async def cancels(self):
        self.ran("cancels")
        raise asyncio.CancelledError

    @periodic(SOON)
    async def cancels_its_task(self):
        self.ran("cancels_its_task")
        asyncio.current_task().cancel()
        await asyncio.sleep(3600)

    @periodic(SOON)
    def in_a_thread(self):
        self.ran("in_a_thread")
        self.threads.add(threading.get_ident())

    @periodic(SOON)
    def exits_in_a_thread(self):
        self.ran("exits_in_a_thread")
        sys.exit(3)

    @periodic(SOON)
    async def takes_long(self):
        self.ran("takes_long")
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(5 * SOON)
        self.at_once -= 1

    @periodic(3600)
    async def rarely(self):
        self.ran("rarely")

    @periodic(3600)
    async def goes_on(self):
        try:
            await asyncio.sleep(3600)
        finally:
            self.order.append("work has ended")

    async def stop(self):
        self.order.append("stop")


WAYS = [
    "fails",
    "exits",
    "cancels",
    "cancels_its_task",
    "in_a_thread",
    "exits_in_a_thread",
    "takes_long",
]


class Stubborn(ServiceApp):
    name = "stubborn"

    async def start(self):
        self.stopped = False
        self.let_go = threading.Event()

    @periodic(3600)
    async def holds_on(self):
        while not self.stopped:
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue

    @periodic(3600)
    def holds_on_in_a_thread(self):
        self.let_go.wait(10)

    async def stop(self):
        self.stopped = True
        self.let_go.set()


class FailsToStart(Worker):
    name = "fails-to-start"

    async def start(self):
        await super().start()
        raise RuntimeError("no")


class Wrong(ServiceApp):
    name = "wrong"
    pause = Float(0).tag(config=True)
    text = Unicode("five")


def app_of(service: TornadoService, name: str) -> Any:
    return service.app_manager.find(name).app


@pytest.fixture
def service_config() -> dict[str, Any]:
    return {"TornadoService": {"apps": [f"{__name__}:Worker"]}}


async def test_each_runs_again_whatever_its_result(
    service: TornadoService, caplog: pytest.LogCaptureFixture
) -> None:
    worker = app_of(service, "worker")

    await until(lambda: all(len(worker.runs.get(way, [])) >= 4 for way in WAYS))

    assert threading.get_ident() not in worker.threads
    assert worker.most_at_once == 1
    assert states(service)["Worker"] == "ready"
    for way in ("fails", "exits", "cancels", "cancels_its_task", "exits_in_a_thread"):
        assert f"App worker: {way}() failed" in caplog.text
        assert runs(service, way, "failed") >= 3
        assert runs(service, way, "ok") is None
    assert runs(service, "in_a_thread", "ok") >= 3


def runs(service: TornadoService, way: str, outcome: str) -> float | None:
    labels = {"work": f"worker.{way}", "outcome": outcome}
    registry = service.metrics.registry
    return registry.get_sample_value("tornado_service_periodic_runs_total", labels)


async def test_the_first_run_is_at_once_and_the_interval_is_kept(service: TornadoService) -> None:
    worker = app_of(service, "worker")

    await until(lambda: len(worker.runs.get("in_a_thread", [])) >= 20)

    assert len(worker.runs["rarely"]) == 1
    times = worker.runs["in_a_thread"]
    assert times[19] - times[0] >= 19 * SOON * (1 - schedule.JITTER) * 0.9


async def test_it_ends_before_the_app_stops(service: TornadoService) -> None:
    worker = app_of(service, "worker")
    await until(lambda: len(worker.runs) == len(WAYS) + 1)

    await service.app_manager.stop()
    counted = {way: len(times) for way, times in worker.runs.items()}
    await asyncio.sleep(5 * SOON)

    assert worker.order == ["work has ended", "stop"]
    assert {way: len(times) for way, times in worker.runs.items()} == counted


async def test_what_does_not_end_does_not_keep_the_app_from_stopping(
    start_service: StartService, capsys: pytest.CaptureFixture[str]
) -> None:
    service = await start_service(
        TornadoService={"apps": [f"{__name__}:Stubborn"], "shutdown_grace": 0.4}
    )
    stubborn = app_of(service, "stubborn")
    await asyncio.sleep(SOON)

    await service.app_manager.stop()

    assert stubborn.stopped
    assert "App stubborn: periodic work does not end" in capsys.readouterr().err


async def test_nothing_runs_for_an_app_that_did_not_start(start_service: StartService) -> None:
    service = await start_service(load=False, TornadoService={"apps": [f"{__name__}:FailsToStart"]})
    await service.app_manager.load()
    await asyncio.sleep(5 * SOON)

    assert states(service)["FailsToStart"] == "failed"
    assert app_of(service, "fails-to-start").runs == {}


@pytest.mark.parametrize(
    ("interval", "message"),
    [
        (0, "it must be greater than 0"),
        (-1, "it must be greater than 0"),
        (float("inf"), "it must be greater than 0"),
        (float("nan"), "it must be greater than 0"),
        (True, "no number of seconds"),
        (None, "no number of seconds"),
        ("nothing", "names no trait of the app"),
        ("pause", "it must be greater than 0"),
        ("text", "no number of seconds"),
    ],
)
async def test_an_invalid_interval_is_reported_when_the_app_loads(
    start_service: StartService, monkeypatch: pytest.MonkeyPatch, interval: Any, message: str
) -> None:
    async def work(self):
        raise AssertionError("it has run")

    monkeypatch.setattr(Wrong, "work", periodic(interval)(work), raising=False)

    with pytest.raises(AppError, match=r"Wrong\.work: @periodic.*" + message):
        await start_service(TornadoService={"apps": [f"{__name__}:Wrong"]})


async def test_a_subclass_may_do_without(start_service: StartService) -> None:
    service = await start_service(TornadoService={"apps": [f"{__name__}:Idle"]})
    await asyncio.sleep(5 * SOON)

    assert "fails" not in app_of(service, "idle").runs


class Idle(Worker):
    name = "idle"

    async def fails(self):
        """An overriding method is marked again, or not."""


class Stumbles(ServiceApp):
    """Its dependency is unavailable at first; its mistakes recur at each interval."""

    name = "stumbles"

    async def start(self):
        self.tries = {"hub": 0, "database": 0, "mistake": 0}
        self.done: set[str] = set()

    def stumble(self, name: str, error: Exception) -> None:
        self.tries[name] += 1
        if self.tries[name] < 5:
            raise error
        self.done.add(name)

    @periodic(86400)
    async def call_the_hub(self):
        self.stumble("hub", HubUnavailable("it is away"))

    @periodic(86400)
    def query_a_database(self):
        self.stumble("database", sqlite3.OperationalError("database is locked"))

    @periodic(86400)
    def is_mistaken(self):
        self.stumble("mistake", sqlite3.OperationalError("no such table: wishes"))


async def test_transient_errors_are_retried_before_the_interval_is_over(
    start_service: StartService,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(transient, "INITIAL_DELAY", SOON)
    service = await start_service(TornadoService={"apps": [f"{__name__}:Stumbles"]})
    app = app_of(service, "stumbles")

    await until(lambda: app.done == {"hub", "database"})

    assert app.tries["mistake"] == 1
    reported = capsys.readouterr().err
    assert reported.count("Traceback") == 1
    assert (
        "query_a_database() failed, and is tried again: OperationalError: database is" in reported
    )
