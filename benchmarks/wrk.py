"""Load by wrk: one thread, a fixed number of connections, one request at a time on each."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.wire import HOST, Headers

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
RANDOM_TOKENS_SCRIPT = Path(__file__).with_name("strangers.lua")


@dataclass(frozen=True)
class Load:
    """Results of wrk; times in seconds."""

    requests: int
    rate: float
    p50: float
    p99: float
    bad_responses: int  # neither 2xx nor 3xx
    socket_errors: int  # connections


def load(
    port: int,
    path: str,
    headers: Headers,
    *,
    seconds: int,
    connections: int = 16,
    script: Path | None = None,
) -> Load:
    """Put load on one URL for some seconds."""
    command = ["wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s"]
    command += ["--timeout=30s", "--latency"]
    command += [f"--header={name}: {value}" for name, value in headers.items()]
    command += [f"--script={script}"] if script else []
    command.append(f"http://{HOST}:{port}{path}")
    return parse(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def parse(text: str) -> Load:
    """Parse wrk's report."""
    errors = re.search("Socket errors: (.*)", text)
    return Load(
        requests=int(_find(r"(\d+) requests in", text)),
        rate=float(_find(r"Requests/sec: +([\d.]+)", text)),
        p50=_seconds(_find(r"\b50% +(\S+)", text)),
        p99=_seconds(_find(r"\b99% +(\S+)", text)),
        bad_responses=int(_find(r"Non-2xx or 3xx responses: (\d+)", text, "0")),
        socket_errors=sum(map(int, re.findall(r"\d+", errors[1]))) if errors else 0,
    )


def _find(pattern: str, text: str, otherwise: str = "") -> str:
    match = re.search(pattern, text)
    if not match and not otherwise:
        raise ValueError(f"wrk reported something else than expected:\n{text}")
    return match[1] if match else otherwise


def _seconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(\D+)", text).groups()  # type: ignore[union-attr]
    return float(number) * UNITS[unit]
