"""Code that blocks the event loop is named in the log, counted, and shown at ``status``."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import subprocess
import sys
import time
import types
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.support.launched import ENVIRONMENT, wait_for_line
from tornado_service import ServiceApp
from tornado_service.apps.isolation.watchdog import BLOCK_LIMIT, Watchdog
from tornado_service.apps.mounted import AppState, MountedApp
from tornado_service.telemetry.metrics import Metrics

LIMIT = 0.3

BLOCKING = """
import threading
import time


def sleeps():
    time.sleep(SECONDS)


def spins():
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        pass


def waits():
    threading.Event().wait(SECONDS)
"""

APP = """
import time
from tornado_service import APIHandler, ServiceApp, allow_unauthenticated

class Sleeps(APIHandler):
    @allow_unauthenticated
    async def get(self) -> str:
        time.sleep(3)
        return "slept"

class Works(APIHandler):
    @allow_unauthenticated
    async def get(self) -> str:
        return "works"

class Blocking(ServiceApp):
    name = "blocking"
    def handlers(self):
        return [("sleeps", Sleeps), ("works", Works)]
"""

STANDS_STILL = f"""
import asyncio, logging
from tornado_service import ServiceApp
from tornado_service.apps.isolation.watchdog import Watchdog
from tornado_service.telemetry.metrics import Metrics

async def main():
    watchdog = Watchdog(logging.getLogger(), Metrics(), [], {LIMIT})
    watchdog.start()
    print("ready", flush=True)
    await asyncio.to_thread(input)
    await asyncio.sleep({2 * LIMIT})
    watchdog.stop()

asyncio.run(main())
"""


@pytest.fixture
def blocking() -> Any:
    """A module of an app, with functions that block."""
    module = types.ModuleType("blocking.inner")
    module.SECONDS = 2.5 * LIMIT  # type: ignore[attr-defined]
    exec(compile(BLOCKING, "blocking.py", "exec"), vars(module))
    return module


@pytest.fixture
def app() -> MountedApp:
    app = MountedApp("blocking:App")
    app.name = app.package = "blocking"
    app.state, app.app = AppState.READY, ServiceApp()
    return app


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def watchdog(metrics: Metrics, app: MountedApp) -> Any:
    watchdog = Watchdog(logging.getLogger("watchdog"), metrics, [app], LIMIT)
    watchdog.start()
    await asyncio.sleep(LIMIT / 2)
    yield watchdog
    watchdog.stop()


@pytest.mark.parametrize("name", ["sleeps", "spins", "waits"])
async def test_an_app_that_blocks_is_named_once_and_counted(
    watchdog, blocking, app, metrics, caplog, name
) -> None:
    getattr(blocking, name)()
    await asyncio.sleep(LIMIT / 2)

    (record,) = caplog.records
    assert record.levelname == "ERROR"
    line = record.getMessage()
    assert f"App blocking is blocking the event loop, for {LIMIT:g} s already: {name}()" in line
    assert "blocking.py:" in line
    assert "write a handler as `def`" in line
    assert blocked(metrics, "blocking") == 1
    assert app.problem.startswith("It blocked the event loop once, last at 20")
    assert f" UTC: {name}() in blocking.py:" in app.problem


async def test_each_call_that_blocks_is_counted(watchdog, blocking, app, metrics, caplog) -> None:
    for _ in range(2):
        blocking.sleeps()
        await asyncio.sleep(LIMIT / 2)

    assert len(caplog.records) == blocked(metrics, "blocking") == 2
    assert "It blocked the event loop 2 times, last at " in app.problem


async def test_short_calls_are_not_reported(watchdog, app, caplog) -> None:
    until = time.monotonic() + 3 * LIMIT
    while time.monotonic() < until:
        time.sleep(LIMIT / 4)
        await asyncio.sleep(0)

    assert not caplog.records
    assert app.problem == ""


async def test_other_code_is_named_as_that_of_no_app(watchdog, metrics, caplog) -> None:
    time.sleep(2.5 * LIMIT)

    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "by no app: test_other_code_is_named_as_that_of_no_app() in " in record.getMessage()
    assert blocked(metrics, "") == 1


def blocked(metrics: Metrics, app: str) -> float | None:
    return metrics.registry.get_sample_value("tornado_service_loop_held_total", {"app": app})


@pytest.fixture
def stands_still() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", STANDS_STILL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def test_a_process_that_stood_still_was_not_blocked(stands_still: subprocess.Popen[str]) -> None:
    assert stands_still.stdout
    stands_still.stdout.readline()
    stands_still.send_signal(signal.SIGSTOP)
    time.sleep(4 * LIMIT)
    stands_still.send_signal(signal.SIGCONT)

    _, errors = stands_still.communicate("\n")

    assert stands_still.returncode == 0
    assert errors == ""


def test_a_request_that_blocks_ends_by_itself_and_admins_see_it(
    launch: Any, port: int, tmp_path: Path
) -> None:
    (tmp_path / "blocking.py").write_text(APP)
    process = launch("--TornadoService.apps=blocking:Blocking", PYTHONPATH=str(tmp_path))
    wait_for_line(process, "App blocking is ready")

    def fetch(path: str) -> Any:
        url = f"http://127.0.0.1:{port}{ENVIRONMENT['JUPYTERHUB_SERVICE_PREFIX']}{path}"
        token = ENVIRONMENT["JUPYTERHUB_API_TOKEN"]
        with urlopen(Request(url, headers={"Authorization": f"token {token}"})) as response:
            return json.load(response)

    with ThreadPoolExecutor() as pool:
        blocked = pool.submit(fetch, "blocking/sleeps")
        line = wait_for_line(process, "App blocking is blocking the event loop")
        other = pool.submit(fetch, "blocking/works")
        assert (blocked.result(), other.result()) == ("slept", "works")

    assert f"for {BLOCK_LIMIT:g} s already: get() in " in line
    (app,) = fetch("api/status")["apps"]
    assert app["state"] == "ready"
    assert "It blocked the event loop once, last at " in app["reason"]
