"""``python -m benchmarks.activity_growth``: how Activity's cost grows with the number of users.

For each size a hub with a year of history, a fifth of whose users have a server: the first start,
which rolls up all days; the CPU time of each sample; every page and response, first once after the
start, then for other periods; and a restart. Prices are by profile, which takes longest.
CPU times hardly depend on what else the machine does, others do. Nothing is asserted about time.
It takes some twenty minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import re
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks import busy_hub, process
from benchmarks.activity import (
    PAUSE,
    RunningProcess,
    fetch_all,
    floor_handler,
    service_of,
    wait_for_figures,
)
from benchmarks.activity_report import slowest
from benchmarks.busy_hub import BusyHub, Call
from benchmarks.results import Results

SIZES = (2_000, 20_000, 50_000)

#: Seconds without other load, at least: until there was a sample of each kind. The second is a full
#: one, too: only after the first is the time of the hub's clock known.
QUIET_SECONDS = 60

#: Seconds of requests for all pages: about five for each, as one may meet a sample.
LOAD_SECONDS = 90

PRICES = {"currency": "EUR", "default": 0.04, "profiles": {"gpu": 1.2, "large": 0.1}}

#: Seconds that a start may take.
START_LIMIT = 1200

HEAD = (
    "users", "first start until figures: s (CPU s)", "restart: s (CPU s)",
    "CPU of a sample, all users / active ones: s", "RSS after the start / after all pages: MiB",
    "slowest page or CSV, first request for a period / after the start",
)  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """The CPU time of the service up to a moment."""

    at: float
    cpu: float


def measure(users: int, quiet_seconds: float) -> list[str]:
    """One row of the table."""
    first_results, results = Results(), Results()
    prices = f"--Activity.prices={PRICES}"
    clock = busy_hub.before_midnight()
    with tempfile.TemporaryDirectory() as directory:
        database = Path(directory, "activity.sqlite")
        busy_hub.write_history(database, clock, users, has_roll_ups=False)
        with busy_hub.running(clock, users) as hub:
            with service_of(hub, database, prices) as service, floor_handler() as floor:
                first = start(hub, service)
                memory = [process.memory(service.pid).rss]
                full, active = sample_costs(hub, service, quiet_seconds)
                ports = service.port, floor.port
                asyncio.run(fetch_all(first_results, *ports, hub.tokens, 0))
                asyncio.run(fetch_all(results, *ports, hub.tokens, LOAD_SECONDS))
                memory.append(process.memory(service.pid).rss)
            with service_of(hub, database, prices) as service:
                again = start(hub, service)
    return [
        f"{users:,}",
        first,
        again,
        f"{full:.2f} / {active:.2f}",
        " / ".join(f"{size:.0f}" for size in memory),
        " / ".join(slowest(found, "cold") for found in (results, first_results)),
    ]


def start(hub: BusyHub, service: RunningProcess) -> str:
    """Seconds until there are figures."""
    begun = time.perf_counter()
    asyncio.run(wait_for_figures(service.port, hub.tokens["admin"], START_LIMIT))
    seconds = time.perf_counter() - begun
    return f"{seconds:.1f} ({process.cpu_seconds(service.pid):.1f})"


def sample_costs(hub: BusyHub, service: RunningProcess, seconds: float) -> tuple[float, float]:
    """Median CPU seconds of samples of all users and of active ones, at least one of each."""
    moments: list[Moment] = []
    costs: dict[bool, list[float]] = {}
    while len(costs) < 2:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            moments.append(Moment(time.monotonic(), process.cpu_seconds(service.pid)))
            time.sleep(PAUSE / 20)
        seconds = PAUSE
        costs = {}
        for is_full, cost in costs_of(hub.calls(), moments):
            costs.setdefault(is_full, []).append(cost)
    return statistics.median(costs[True]), statistics.median(costs[False])


def costs_of(calls: Sequence[Call], moments: Sequence[Moment]) -> Iterator[tuple[bool, float]]:
    """Whether each sample is a full one, and its CPU time: all up to the next sample."""
    ours = [call for call in calls if call.by_service]
    begun = [
        call
        for before, call in zip([None, *ours], ours, strict=False)
        if before is None or call.at - before.at > PAUSE
    ]
    for call, following in pairwise(begun):
        if moments[0].at < call.at and following.at < moments[-1].at:
            spent = [
                max(moment.cpu for moment in moments if moment.at < at - PAUSE / 10)
                for at in (call.at, following.at)
            ]
            yield call.is_full, spent[1] - spent[0]


def machine() -> str:
    """The processor, in words."""
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} cores of {found[1] if found else 'an unknown processor'}"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.activity_growth", description=__doc__
    )
    parser.add_argument("--users", type=int, nargs="+", default=SIZES, metavar="N")
    parser.add_argument("--seconds", type=float, default=QUIET_SECONDS, metavar="N")
    options = parser.parse_args()
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    for users in options.users:
        print(f"| {' | '.join(measure(users, options.seconds))} |", flush=True)
    print(f"\n{time.strftime('%Y-%m-%d')}, {machine()}, Python {platform.python_version()}.")


if __name__ == "__main__":
    main()
