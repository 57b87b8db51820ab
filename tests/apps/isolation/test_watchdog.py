"""An app that blocks the event loop is interrupted, and the others are served."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.support.launched import ENVIRONMENT, wait_for_line
from tornado_service.apps.isolation.watchdog import BLOCK_LIMIT

APPS = '''
import threading
import time

from tornado_service import APIHandler, ServiceApp, allow_unauthenticated


class Spins(APIHandler):
    @allow_unauthenticated
    async def get(self):
        while True:
            pass


class Sleeps(APIHandler):
    @allow_unauthenticated
    async def get(self):
        time.sleep(3600)


class Waits(APIHandler):
    @allow_unauthenticated
    async def get(self):
        threading.Event().wait()


class Logs(APIHandler):
    """Is in the midst of code that all share, nearly always."""

    @allow_unauthenticated
    async def get(self):
        while True:
            self.app.log.debug("again")


class Swallows(APIHandler):
    @allow_unauthenticated
    async def get(self):
        while True:
            try:
                time.sleep(3600)
            except Exception:
                pass


class Works(APIHandler):
    @allow_unauthenticated
    async def get(self):
        self.write_json({"works": True})


class Blocking(ServiceApp):
    name = "blocking"

    def handlers(self):
        return [("spins", Spins), ("sleeps", Sleeps), ("waits", Waits), ("logs", Logs),
                ("swallows", Swallows), ("works", Works)]
'''

BLOCKING_START = """
import time
from tornado_service import ServiceApp


class BlocksInStart(ServiceApp):
    name = "blocks-in-start"

    async def start(self):
        await self.prepare()

    async def prepare(self):
        time.sleep(3600)


class SwallowsInStart(ServiceApp):
    name = "swallows-in-start"

    async def start(self):
        while True:
            try:
                time.sleep(3600)
            except Exception:
                pass
"""

BLOCKING_CORE = """
import sys, time
from tornado_service import app
from tornado_service.hub import client


async def check(self, max_age=0):
    time.sleep(4)


client.HubClient.check = check
app.main(sys.argv[1:])
"""

PREFIX = ENVIRONMENT["JUPYTERHUB_SERVICE_PREFIX"]

Ask = Callable[[str], tuple[int, bytes]]


@pytest.fixture
def ask(port: int) -> Ask:
    """The status and the body of an answer of the service."""

    def ask(path: str) -> tuple[int, bytes]:
        try:
            with urlopen(f"http://127.0.0.1:{port}{PREFIX}{path}", timeout=30) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()

    return ask


@pytest.fixture
def start(launch: Any, tmp_path: Path) -> Callable[..., Any]:
    """Start the service with apps of these modules; wait for one to be ready."""
    (tmp_path / "blocking.py").write_text(APPS)
    (tmp_path / "blocking_start.py").write_text(BLOCKING_START)

    def start(*apps: str) -> Any:
        options = [f"--TornadoService.apps={app}" for app in (*apps, "blocking:Blocking")]
        return launch(
            *options, "--TornadoService.authenticate_prometheus=False", PYTHONPATH=str(tmp_path)
        )

    return start


def lines_up_to(process: subprocess.Popen[str], text: str) -> str:
    """What it logs until a line has this text."""
    lines = []
    for line in process.stderr or ():
        lines.append(line)
        if text in line:
            break
    return "".join(lines)


@pytest.mark.parametrize("path", ["spins", "sleeps", "waits"])
def test_a_request_that_holds_the_loop_gets_500_and_others_are_served(start, ask, path) -> None:
    process = start()
    wait_for_line(process, "App blocking is ready")
    with ThreadPoolExecutor() as pool:
        held = pool.submit(ask, f"blocking/{path}")
        line = wait_for_line(process, "App blocking makes everybody wait")
        others = pool.submit(ask, "blocking/works")

        assert held.result()[0] == 500
        assert json.loads(others.result()[1]) == {"works": True}
    assert "get() in " in line
    assert "/blocking.py:" in line
    assert "write a handler as `def`" in line
    wait_for_line(process, "EventLoopBlocked: get() in ")
    assert b'tornado_service_loop_held_total{app="blocking"} 1.0' in ask("metrics")[1]


def test_nothing_is_raised_in_the_midst_of_what_all_share(start, ask) -> None:
    """Where it is nearly always there, a moment is found in which it is not; the log goes on."""
    process = start()
    wait_for_line(process, "App blocking is ready")

    assert ask("blocking/logs")[0] == 500

    wait_for_line(process, "Uncaught exception")
    traceback = lines_up_to(process, "EventLoopBlocked: ")
    assert "/logging/" not in traceback
    assert json.loads(ask("blocking/works")[1]) == {"works": True}
    wait_for_line(process, "200 GET /services/tornado-service/blocking/works")


def test_one_that_catches_every_exception_is_ended_too(start, ask) -> None:
    process = start()
    wait_for_line(process, "App blocking is ready")

    assert ask("blocking/swallows")[0] == 500

    for _ in range(2):
        wait_for_line(process, "App blocking makes everybody wait")
    assert json.loads(ask("blocking/works")[1]) == {"works": True}
    wait_for_line(process, "EventLoopStillBlocked: get() in ")


@pytest.mark.parametrize(
    ("cls", "reason"),
    [
        ("BlocksInStart", "EventLoopBlocked: prepare() in "),
        ("SwallowsInStart", "EventLoopStillBlocked in start()"),
    ],
)
def test_an_app_whose_start_holds_the_loop_has_failed_and_the_others_run(
    start, ask, cls, reason
) -> None:
    process = start(f"blocking_start:{cls}")

    wait_for_line(process, f"App blocking_start:{cls} failed: {reason}", "App blocking is ready")
    assert json.loads(ask("blocking/works")[1]) == {"works": True}
    name = {"BlocksInStart": "blocks-in-start", "SwallowsInStart": "swallows-in-start"}[cls]
    assert ask(f"{name}/")[0] == 503


def test_our_own_code_is_let_finish_and_the_log_names_it(launch, ask) -> None:
    process = launch(command=[sys.executable, "-c", BLOCKING_CORE])
    wait_for_line(process, "Listening")

    assert ask("health/ready")[0] == 200

    assert "by no app: check() in " in wait_for_line(process, "The event loop has been held")


def test_a_process_that_stood_still_has_not_been_held(launch, ask) -> None:
    process = launch("--debug")
    wait_for_line(process, "Listening")
    process.send_signal(signal.SIGSTOP)
    time.sleep(2 * BLOCK_LIMIT)  # what this is about: time that goes by
    process.send_signal(signal.SIGCONT)

    assert ask("health")[0] == 200

    process.terminate()
    assert "has been held" not in process.stderr.read()
