"""Typed handlers of an app, compared with a bare Tornado handler that encodes the same JSON."""

from __future__ import annotations

import asyncio
import json
import random

from benchmarks import process, wire, wrk
from benchmarks.results import Results
from benchmarks.stage import FLOOR, SERVICE, USER, Stage
from benchmarks.warm import WrongResponseError

APP = "benchmarks.typed_app:Typed"
METHODS = ("async", "def")
WAYS = ("token", "page")
TURNS = 2


def measure(stage: Stage, results: Results, round_: int, seconds: int) -> None:
    """One round: both methods, both kinds of sign-in, each in turns with the floor."""
    service, floor = stage[SERVICE], stage[FLOOR]
    with stage.started(service, arguments=[f"--TornadoService.apps={APP}"]) as running:
        paths = {method: f"{service.prefix}typed/api/{method}" for method in METHODS}
        wait_until_ready(running.port, paths["async"], service.headers["token"])
        path = floor.path_of("typed")
        targets = [(method, running.port, running.pid, paths[method]) for method in METHODS]
        targets.append((FLOOR, floor.port, floor.pid, path))
        for way in random.sample(WAYS, len(WAYS)):
            headers = service.headers[way]
            body = asyncio.run(wire.fetch(running.port, paths["async"], headers)).body
            asyncio.run(wire.fetch(floor.port, path, {}, method="PUT", body=body))
            for name, port, pid, target in random.sample(targets * TURNS, len(targets) * TURNS):
                check_response(port, target, headers, body)
                before = process.cpu_seconds(pid)
                load = wrk.load(port, target, headers, seconds=seconds)
                cpu = process.cpu_seconds(pid) - before
                if load.bad_responses or load.socket_errors:
                    raise WrongResponseError(f"typed {name}, {way}: {load}")
                numbers = {"rate": load.rate, "p99": load.p99, "cpu": cpu / load.requests}
                results.add(f"typed {way}", name, round_, **numbers)


def wait_until_ready(port: int, path: str, headers: wire.Headers) -> None:
    async def wait() -> None:
        while (await wire.fetch(port, path, headers)).status != 200:
            await asyncio.sleep(0.1)

    asyncio.run(asyncio.wait_for(wait(), 30))


def check_response(port: int, path: str, headers: wire.Headers, body: bytes) -> None:
    response = asyncio.run(wire.fetch(port, path, headers))
    if response.status != 200 or json.loads(response.body) != json.loads(body):
        raise WrongResponseError(f"{path} of {USER}: {response.status} {response.body[:500]!r}")
