"""How a broken app affects another app."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks import process, wire, wrk
from benchmarks.results import Results
from benchmarks.stage import SERVICE, Running, Stage
from benchmarks.warm import WrongResponseError

APPS = "benchmarks.faulty_apps"
GOOD, BROKEN = f"{APPS}:Good", f"{APPS}:Broken"
ITEM = "good/api/item"
SETTLE = 3.0  # seconds that an app has to fail
ORDER = ("beside", "without", "without", "beside") * 2


class Kind(NamedTuple):
    """A kind of failure.

    Attributes:
        app: the failing app.
        path: what is requested repeatedly, if the app runs.
        every: seconds between requests, with or without a response.
    """

    app: str
    path: str = ""
    every: float = 0.2


class Measurement(NamedTuple):
    """Results of a load test; ``cpu`` is CPU time of the process per response."""

    rate: float
    p99: float
    cpu: float


KINDS = {
    "import fails": Kind("benchmarks.absent:App"),
    "`start` fails": Kind(f"{APPS}:StartRaises"),
    "`start` never ends": Kind(f"{APPS}:StartWaits"),
    "raises, 5 times a second": Kind(BROKEN, "broken/api/raises"),
    "blocks in a `def`, 5 times a second": Kind(BROKEN, "broken/api/blocks"),
    "responds with 64 MiB, once a second": Kind(BROKEN, "broken/api/large", 1),
}


def measure(stage: Stage, results: Results, round_: int, seconds: int) -> None:
    """Measure the good app with and without each broken one, alternately.

    Without: in a service that has no other app; or, if the broken one is harmless until its first
    request, in the same process, as no two are equally fast.
    """
    with _started(stage, GOOD) as alone:
        for name, kind in KINDS.items():
            with _started(stage, GOOD, kind.app) as beside:
                turns: dict[str, list[Measurement]] = {"beside": [], "without": []}
                for turn in ORDER:
                    with contextlib.ExitStack() as stack:
                        if turn == "beside" and kind.path:
                            stack.enter_context(_background_requests(stage, beside, kind))
                        running = beside if turn == "beside" or kind.path else alone
                        turns[turn].append(_load(stage, running, seconds))
            ratios = {
                field: _sum(turns["beside"], field) / _sum(turns["without"], field)
                for field in Measurement._fields
            }
            results.add("broken", name, round_, **ratios)


@contextlib.contextmanager
def _started(stage: Stage, *apps: str) -> Iterator[Running]:
    """A service with these apps, of which the first is ready."""
    service = stage[SERVICE]
    arguments = [f"--TornadoService.apps={app}" for app in apps]
    with stage.started(service, arguments=arguments) as running:
        deadline = time.monotonic() + 30
        while _status_of(stage, running, ITEM) != 200:
            if time.monotonic() > deadline:
                raise WrongResponseError(f"{apps[0]} does not run next to {apps[1:]}.")
            time.sleep(0.1)
        time.sleep(SETTLE)
        yield running


def _status_of(stage: Stage, running: Running, path: str) -> int:
    service = stage[SERVICE]
    response = wire.fetch(running.port, service.prefix + path, service.headers["token"])
    return asyncio.run(response).status


def _load(stage: Stage, running: Running, seconds: int) -> Measurement:
    """Load on the good app."""
    service = stage[SERVICE]
    path, headers = service.prefix + ITEM, service.headers["token"]
    before = process.cpu_seconds(running.pid)
    load = wrk.load(running.port, path, headers, seconds=seconds)
    cpu = process.cpu_seconds(running.pid) - before
    if load.bad_responses or load.socket_errors:
        raise WrongResponseError(f"The good app: {load}")
    return Measurement(load.rate, load.p99, cpu / load.requests)


def _sum(turns: list[Measurement], field: str) -> float:
    return sum(getattr(turn, field) for turn in turns)


@contextlib.contextmanager
def _background_requests(stage: Stage, running: Running, kind: Kind) -> Iterator[None]:
    """Request a broken endpoint repeatedly."""
    service = stage[SERVICE]
    path, headers = service.prefix + kind.path, service.headers["token"]
    over = threading.Event()
    requests = _request_repeatedly(running.port, path, headers, kind.every, over)
    thread = threading.Thread(target=lambda: asyncio.run(requests))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


async def _request_repeatedly(
    port: int, path: str, headers: wire.Headers, every: float, over: threading.Event
) -> None:
    reading: set[asyncio.Task[None]] = set()
    due = 0.0
    while not over.is_set():
        if time.monotonic() >= due:
            due = time.monotonic() + every
            reading.add(asyncio.create_task(_read_all(port, path, headers)))
        await asyncio.sleep(0.05)
    for task in reading:
        task.cancel()
    await asyncio.wait(reading)


async def _read_all(port: int, path: str, headers: wire.Headers) -> None:
    """Send one request, and read its response to the end, if it has one.

    Reading must cost little: it runs on the same machine.
    """
    fields = {"Host": f"{wire.HOST}:{port}", "Connection": "close", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    loop = asyncio.get_running_loop()
    buffer = bytearray(1 << 20)
    with contextlib.closing(socket.socket()) as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, (wire.HOST, port))
        await loop.sock_sendall(connection, f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        with contextlib.suppress(OSError):
            while await loop.sock_recv_into(connection, buffer):
                pass
