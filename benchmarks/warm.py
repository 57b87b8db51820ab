"""Requests of a user who is in the service's cache."""

from __future__ import annotations

import asyncio
import json
import random

from benchmarks import process, wire, wrk
from benchmarks.results import Results
from benchmarks.stage import FLOOR, MIXINS, SERVICE, USER, Contender, Stage

#: Kinds of requests, and their authentication.
CASES = {"token": "token", "page": "page", "fetch": "fetch", "proxy": "token"}


class WrongResponseError(Exception):
    """The measured responses are wrong, and so are the numbers."""


def configure_floor(stage: Stage, port: int) -> None:
    """Configure a floor to return the service's response."""
    service, floor = stage[SERVICE], stage[FLOOR]
    for way, headers in service.headers.items():
        body = asyncio.run(wire.fetch(service.port, service.user_path, headers)).body
        put = wire.fetch(port, floor.path_of(way), {}, method="PUT", body=body)
        if asyncio.run(put).status != 200:
            raise WrongResponseError("The floor does not take its model.")


def warm_up(stage: Stage) -> None:
    """Load that is not measured: the proxy compiles its busiest code first."""
    for contender in stage.contenders.values():
        path = contender.path_of("token")
        wrk.load(stage.hub.port, path, contender.headers["token"], seconds=2)


def measure(stage: Stage, results: Results, round_: int, seconds: int) -> None:
    """One round: all kinds of requests, all contenders, in any order."""
    for case in random.sample(list(CASES), len(CASES)):
        # the floor twice: the difference is the error of measurement
        for name in random.sample([SERVICE, MIXINS, FLOOR, FLOOR], 4):
            _measure_one(stage[name], stage.hub.port, results, round_, seconds, case)


def _measure_one(
    contender: Contender, proxy_port: int, results: Results, round_: int, seconds: int, case: str
) -> None:
    way = CASES[case]
    port = proxy_port if case == "proxy" else contender.port
    path = contender.path_of(way)
    check_response(contender, port, path, way)
    before = process.cpu_seconds(contender.pid)
    load = wrk.load(port, path, contender.headers[way], seconds=seconds)
    cpu = process.cpu_seconds(contender.pid) - before
    check_response(contender, port, path, way)
    if load.bad_responses or load.socket_errors:
        raise WrongResponseError(f"{contender.name}, {case}: {load}")
    results.add(
        case,
        contender.name,
        round_,
        requests=load.requests,
        rate=load.rate,
        p50=load.p50,
        p99=load.p99,
        cpu=cpu / load.requests,
    )


def check_response(contender: Contender, port: int, path: str, way: str) -> None:
    """Check the status of the response and its user."""
    response = asyncio.run(wire.fetch(port, path, contender.headers[way]))
    if response.status != 200 or json.loads(response.body)["name"] != USER:
        raise WrongResponseError(
            f"{contender.name} returned {response.status} for {way}: {response.body[:500]!r}"
        )
