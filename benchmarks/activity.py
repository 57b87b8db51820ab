"""``python -m benchmarks.activity``: Activity on a busy hub, with a year of history.

Every page and response, for an admin, instructors and a student, of a month and of a year, while
the collector samples the hub every half minute; ``health`` continuously; midnight included.
Nothing is asserted about time; a wrong response ends the run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from benchmarks import busy_hub, process, wire
from benchmarks.activity_report import report
from benchmarks.activity_visits import Visit, visits
from benchmarks.busy_hub import BusyHub, Call
from benchmarks.latency import measure_latency
from benchmarks.results import Results
from benchmarks.warm import WrongResponseError
from tornado_service.demo.processes import free_ports
from tornado_service.testing import SERVICE_TOKEN

HERE = Path(__file__).parent
PREFIX = "/services/tornado-service/"
INTERVAL = 30

#: Seconds of polling health without other load, and with requests.
IDLE_SECONDS, LOAD_SECONDS = 45, 120

#: Seconds without a call after which the next call belongs to another sample.
PAUSE = 3


def measure(results: Results) -> None:
    """Write a history, and measure with it."""
    with tempfile.TemporaryDirectory() as directory:
        database = Path(directory, "activity.sqlite")
        clock = busy_hub.before_midnight()
        busy_hub.write_history(database, clock)
        measure_with(results, database, clock)


def measure_with(results: Results, database: Path, clock: float) -> None:
    """Start hub and service, poll health without other load, then request each endpoint."""
    with (
        busy_hub.running(clock) as hub,
        service_of(hub, database) as service,
        floor_handler() as floor,
    ):
        begun = time.perf_counter()
        asyncio.run(wait_for_figures(service.port, hub.tokens["admin"]))
        results.add("activity start", "service", 1, seconds=time.perf_counter() - begun)
        for name, seconds in (("quiet", IDLE_SECONDS), ("busy", LOAD_SECONDS)):
            spent = process.cpu_seconds(service.pid)
            with measure_latency([(service.port, f"{PREFIX}health"), (floor.port, "/")]) as waits:
                if name == "quiet":
                    time.sleep(seconds)
                else:
                    asyncio.run(fetch_all(results, service.port, floor.port, hub.tokens, seconds))
            spent = process.cpu_seconds(service.pid) - spent
            memory = process.memory(service.pid)
            results.add("activity " + name, "service", 1, cpu=spent, **vars(memory))
            for of, seconds in zip(("service", "floor"), waits, strict=True):
                results.add("activity health", of, 1, phase=name, waits=seconds)
        for sample in samples(hub.calls()):
            results.add("activity sample", "service", 1, **sample)
    without = database.with_name("nothing.sqlite")
    with busy_hub.running(clock) as hub, service_of(hub, without) as service:
        asyncio.run(wait_for_figures(service.port, hub.tokens["admin"]))
        results.add("activity empty", "service", 1, **vars(process.memory(service.pid)))


def samples(calls: Sequence[Call]) -> list[dict[str, float]]:
    """The service's calls of the Hub API for each sample: their number and their duration."""
    samples: list[list[Call]] = []
    for call in calls:
        if call.by_service:
            if not samples or call.at - samples[-1][-1].at > PAUSE:
                samples.append([])
            samples[-1].append(call)
    return [
        {"full": sample[0].is_full, "calls": len(sample), "seconds": sample[-1].at - sample[0].at}
        for sample in samples
    ]


@dataclass
class RunningProcess:
    """A process that serves requests."""

    pid: int
    port: int


@contextlib.contextmanager
def service_of(hub: BusyHub, database: Path, *settings: str) -> Iterator[RunningProcess]:
    port = free_ports(1)[0]
    access = "access:services!service=tornado-service"
    environment = {
        "JUPYTERHUB_SERVICE_NAME": "tornado-service",
        "JUPYTERHUB_SERVICE_URL": f"http://{wire.HOST}:{port}",
        "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
        "JUPYTERHUB_API_TOKEN": SERVICE_TOKEN,
        "JUPYTERHUB_API_URL": hub.api_url,
        "JUPYTERHUB_CLIENT_ID": "service-tornado-service",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": f'["{access}"]',
    }
    arguments = [
        "--TornadoService.apps=tornado_service.activity:Activity",
        f"--Activity.interval={INTERVAL}",
        f"--Activity.database_url=sqlite:///{database}",
        *settings,
    ]
    command = [sys.executable, "-m", "tornado_service", *arguments]
    with _started(command, environment, database.parent, port, f"{PREFIX}health") as started:
        yield started


@contextlib.contextmanager
def floor_handler() -> Iterator[RunningProcess]:
    """A bare Tornado handler: what the machine adds to any response time."""
    port = free_ports(1)[0]
    environment = {
        "JUPYTERHUB_SERVICE_URL": f"http://{wire.HOST}:{port}",
        "JUPYTERHUB_SERVICE_PREFIX": "/",
    }
    command = [sys.executable, str(HERE / "floor.py")]
    with _started(command, environment, HERE, port, "/") as started:
        asyncio.run(wire.fetch(port, "/", {}, method="PUT", body=b'{"status": "ok"}'))
        yield started


@contextlib.contextmanager
def _started(
    command: list[str], environment: dict[str, str], directory: Path, port: int, path: str
) -> Iterator[RunningProcess]:
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            command,
            cwd=directory,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            asyncio.run(wire.first_response(port, path))
            yield RunningProcess(child.pid, port)
        except WrongResponseError:
            log.seek(0)
            sys.stderr.write(log.read().decode()[-3000:])
            raise
        finally:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(20)
            child.kill()
            child.wait()


async def wait_for_figures(port: int, token: str, seconds: float = 120) -> None:
    """Wait until the history is loaded and a sample is collected."""
    deadline = time.monotonic() + seconds
    headers = {"Authorization": f"token {token}"}
    while True:
        response = await wire.fetch(port, f"{PREFIX}activity/api/now", headers)
        ready = await wire.fetch(port, f"{PREFIX}activity/api/summary", headers)
        if b'"taken":"' in response.body and ready.status == 200:
            return
        if time.monotonic() > deadline:
            raise WrongResponseError(f"There are no figures: {ready}")
        await asyncio.sleep(0.2)


async def fetch_all(
    results: Results, port: int, floor_port: int, tokens: dict[str, str], seconds: float
) -> None:
    """Request everything in random order; each range first with a cold cache, then warm."""
    connection, floor = wire.Connection(port), wire.Connection(floor_port)
    deadline = time.monotonic() + seconds
    todo = visits()
    for round_ in count(1):
        random.shuffle(todo)
        for shift, visit in enumerate(todo):
            if time.monotonic() > deadline and round_ > 1:
                return
            responses = [
                await _fetch(connection, visit.url(shift % 28), tokens[visit.caller], visit)
                for _ in range(2)
            ]
            trivial = await floor.fetch("/", {})
            results.add(
                "activity answer",
                visit.caller,
                round_,
                path=visit.path,
                range=visit.range,
                cold=responses[0].seconds,
                warm=responses[1].seconds,
                floor=trivial.seconds,
                size=len(responses[0].body),
            )


async def _fetch(connection: wire.Connection, path: str, token: str, visit: Visit) -> wire.Response:
    accept = "application/json" if path.startswith("api/") else "text/html"
    headers = {"Authorization": f"token {token}", "Accept": accept}
    response = await connection.fetch(f"{PREFIX}activity/{path}", headers)
    if response.status != 200:
        raise WrongResponseError(f"{visit}: {path}: {response}")
    return response


def main() -> None:
    argparse.ArgumentParser(prog="python -m benchmarks.activity", description=__doc__).parse_args()
    results = Results()
    measure(results)
    print("\n".join(report(results)))


if __name__ == "__main__":
    main()
