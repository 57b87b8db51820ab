"""``python -m benchmarks``: measure everything and print one table.

Needs Linux, and wrk. Nothing is asserted about time; a wrong response ends the run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from types import FrameType
from typing import Any

from benchmarks import activity, broken_apps, faults, footprint, streams, typed, warm
from benchmarks.results import Results
from benchmarks.stage import FLOOR, Stage
from benchmarks.table import Table, versions

PARTS = ("warm", "faults", "memory", "streams", "broken", "activity")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds; default 7")
    parser.add_argument("--seconds", type=int, default=1, metavar="N", help="of load; default 1")
    parser.add_argument("--strangers", type=int, metavar="N", help="default 100000")
    parser.add_argument("--quick", action="store_true", help="2 rounds, 5000 strangers")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part; may be repeated")
    parser.add_argument("--json", metavar="FILE", help="write all numbers there")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (2 if options.quick else 7)
    options.strangers = options.strangers or (5_000 if options.quick else 100_000)
    options.only = options.only or PARTS
    return options


def measure(options: argparse.Namespace) -> Results:
    """Start everything, measure in rounds, stop everything."""
    results = Results()
    if set(options.only) - {"activity"}:
        compare(options, results)
    if "activity" in options.only:
        say("a year of activity of 10,000 users")
        activity.measure(results)
    return results


def compare(options: argparse.Namespace, results: Results) -> None:
    """Compare the service with the other contenders, on one hub."""
    say("starting a hub, its proxy and the contenders")
    with Stage() as stage:
        warm.configure_floor(stage, stage[FLOOR].port)
        if "warm" in options.only:
            warm.warm_up(stage)
        for round_ in range(1, options.rounds + 1):
            say(f"round {round_} of {options.rounds}")
            few = round_ <= (1 if options.quick else 3)
            if "warm" in options.only:
                warm.measure(stage, results, round_, options.seconds)
                typed.measure(stage, results, round_, options.seconds)
            if "faults" in options.only:
                faults.stampede(stage, results, round_)
            if "faults" in options.only and few:
                for part in (faults.slow, faults.cold, faults.outage):
                    part(stage, results, round_)
            if "memory" in options.only:
                footprint.start(stage, results, round_, with_load=few)
            if "streams" in options.only and few:
                streams.measure(stage, results, round_)
            if "broken" in options.only and few:
                broken_apps.measure(stage, results, round_, options.seconds)
        if "memory" in options.only:
            say(f"{options.strangers} invalid tokens and as many anonymous requests")
            footprint.invalid_tokens(stage, results, options.strangers)
        if "streams" in options.only:
            say("streams without a reader")
            streams.unread(stage, results)


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Stop once; further signals do not interrupt the cleanup."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> None:
    options = parse()
    if not shutil.which("wrk"):
        sys.exit("The benchmarks need wrk. On Debian: apt install wrk")
    for number in STOP_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, interrupt)
    started = time.monotonic()
    try:
        results = measure(options)
    except KeyboardInterrupt:
        sys.exit(130)
    say(f"took {time.monotonic() - started:.0f} s")
    if options.json:
        write_json(options, results)
    table = Table(results)
    print(f"{table}\n\n{table.note(options.rounds, options.seconds)}")


def write_json(options: argparse.Namespace, results: Results) -> None:
    content: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "versions": versions(),
        "options": vars(options),
        "records": results.records,
    }
    with open(options.json, "w") as file:
        json.dump(content, file, indent=1)


if __name__ == "__main__":
    main()
