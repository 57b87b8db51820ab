"""``python -m benchmarks.web_apps``: a web app behind the service, and behind other proxies.

All pass requests to the same app, which uvicorn serves on a unix socket; it and another proxy come
from PyPI, into an environment in ``build``. They are measured in turns: the ratios matter, not the
absolute numbers. Needs Linux, and wrk; nginx is measured if it is there. It takes some two minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import shutil
import socket
import statistics
import sys
import time

from tornado import version as tornado_version

from benchmarks import process, wire, wrk
from benchmarks.results import DASH, Results, median
from benchmarks.web_apps import environment, sockets
from benchmarks.web_apps.stage import (
    FLOOR,
    FLOOR_TOKEN,
    NGINX,
    SESSION,
    STANDALONE,
    TOKEN,
    Proxy,
    Stage,
)

CONNECTIONS = 16
OPEN_SOCKETS = 500
GIB = 1 << 30

#: Ratios that the project wants, by measurement and the other proxy.
REQUIRED = {("http", STANDALONE): 3.0}
REQUIRED |= {("http", floor): 0.75 for floor in (FLOOR, FLOOR_TOKEN)}
REQUIRED |= {("echo", floor): 0.7 for floor in (FLOOR, FLOOR_TOKEN)}
ALLOWED_GROWTH = 16  # MiB of RSS, for 1 GiB in either direction


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web_apps")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default 5")
    parser.add_argument("--seconds", type=int, default=2, metavar="N", help="of load; default 2")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("The benchmarks need wrk. On Debian: apt install wrk")
    programs = environment.make()
    results = Results()
    with Stage(programs) as stage:
        for name in stage.proxies:
            measure_http(stage[name], results, 0, 1)  # round 0 only warms up
        for round_ in range(1, options.rounds + 1):
            print(f"round {round_} of {options.rounds}", file=sys.stderr, flush=True)
            for name in random.sample([*stage.proxies], len(stage.proxies)):
                measure_http(stage[name], results, round_, options.seconds)
                measure_echoes(stage[name], results, round_, options.seconds)
        measure_open_sockets(stage[TOKEN], results)
        for direction in ("download", "upload"):
            measure_large_body(stage[TOKEN], results, direction)
    results.records = [record for record in results.records if record["round"]]
    print_table(results)
    print(
        f"\n{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, Tornado"
        f" {tornado_version}, {environment.versions(programs)}, {os.cpu_count()} cores; medians"
        f" [quartiles] of {options.rounds} rounds of {options.seconds} s, {CONNECTIONS} connections"
    )


def measure_http(proxy: Proxy, results: Results, round_: int, seconds: int) -> None:
    """Requests for 1 KiB."""
    before = process.own_cpu_seconds(proxy.pid)
    load = wrk.load(
        proxy.port, proxy.prefix, proxy.headers, seconds=seconds, connections=CONNECTIONS
    )
    cpu = process.own_cpu_seconds(proxy.pid) - before
    if load.bad_responses or load.socket_errors:
        raise RuntimeError(f"{proxy.name}: {load}")
    results.add(
        "http", proxy.name, round_, rate=load.rate, p99=load.p99, cpu=1e6 * cpu / load.requests
    )


def measure_echoes(proxy: Proxy, results: Results, round_: int, seconds: int) -> None:
    """Messages of 64 bytes through WebSockets, one at a time on each."""
    before = process.own_cpu_seconds(proxy.pid)
    echoes, elapsed = asyncio.run(sockets.echo_rate(proxy, CONNECTIONS, seconds))
    cpu = process.own_cpu_seconds(proxy.pid) - before
    results.add("echo", proxy.name, round_, rate=echoes / elapsed, cpu=1e6 * cpu / echoes)


def measure_open_sockets(proxy: Proxy, results: Results) -> None:
    """The memory of WebSockets that are open, of which each has passed a message."""

    async def measure() -> float:
        before = process.own_rss(proxy.pid)
        clients = await sockets.open_all(proxy, OPEN_SOCKETS)
        after = process.own_rss(proxy.pid)
        for client in clients:
            client.transport.close()
        return after - before

    each = 1024 * asyncio.run(measure()) / OPEN_SOCKETS
    results.add("open", proxy.name, 1, each=each)


def measure_large_body(proxy: Proxy, results: Results, direction: str) -> None:
    """1 GiB in one request; the peak of RSS during it."""
    before = process.own_rss(proxy.pid)
    process.reset_peak_rss(proxy.pid)
    started = time.perf_counter()
    {"download": download, "upload": upload}[direction](proxy)
    seconds = time.perf_counter() - started
    growth = process.own_peak_rss(proxy.pid) - before
    results.add(direction, proxy.name, 1, growth=growth, rate=GIB / seconds / 2**20)


def download(proxy: Proxy) -> None:
    with request(proxy, f"GET {proxy.prefix}bytes/{GIB}") as connection:
        buffer = memoryview(bytearray(1 << 20))
        size = connection.recv_into(buffer)
        head = bytes(buffer[:size]).partition(b"\r\n\r\n")[0]
        if b" 200 " not in head:
            raise RuntimeError(head.decode(errors="replace"))
        rest = GIB - (size - len(head) - 4)
        while rest > 0:
            size = connection.recv_into(buffer)
            if not size:
                raise RuntimeError(f"{rest} bytes of 1 GiB have not come")
            rest -= size


def upload(proxy: Proxy) -> None:
    with request(proxy, f"POST {proxy.prefix}upload", f"Content-Length: {GIB}\r\n") as connection:
        piece = bytes(1 << 20)
        for _ in range(GIB // len(piece)):
            connection.sendall(piece)
        response = b""
        while not response.endswith(str(GIB).encode()):
            received = connection.recv(65536)
            if not received:
                raise RuntimeError(f"The upload ended in: {response!r}")
            response += received


def request(proxy: Proxy, line: str, more: str = "") -> socket.socket:
    """A connection on which the head of a request has been sent."""
    fields = {"Host": f"{wire.HOST}:{proxy.port}", **proxy.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    connection = socket.create_connection((wire.HOST, proxy.port), timeout=60)
    connection.sendall(f"{line} HTTP/1.1\r\n{lines}{more}\r\n".encode())
    return connection


def print_table(results: Results) -> None:
    """Print rates, ratios, and what is wanted of them."""
    for measure, what in (("http", "requests"), ("echo", "echoes")):
        print(f"\n| proxy | {what}/s | ÷ floor | ÷ standaloneproxy | CPU, µs each | CPU ÷ floor |")
        print("|---|---|---|---|---|---|")
        for name in (SESSION, TOKEN, STANDALONE, FLOOR, FLOOR_TOKEN, NGINX):
            floor = FLOOR_TOKEN if name in (TOKEN, FLOOR_TOKEN) else FLOOR
            cells = [name, median(results.values(measure, name, "rate"), ".0f")]
            for other in (floor, STANDALONE):
                ratio = median(results.ratios(measure, name, other, "rate"))
                required = REQUIRED.get((measure, other)) if name in (SESSION, TOKEN) else None
                cells.append(f"{ratio} (required: {required:g})" if required else ratio)
            cells.append(median(results.values(measure, name, "cpu"), ".0f"))
            cells.append(median(results.ratios(measure, name, floor, "cpu")))
            print(f"| {' | '.join(cells)} |")
    print("\n| measurement | required | service |\n|---|---|---|")
    each = results.values("open", TOKEN, "each")
    print(f"| {OPEN_SOCKETS} open WebSockets: RSS each | {DASH} | {median(each, '.0f', ' KiB')} |")
    for direction in ("download", "upload"):
        growth = statistics.mean(results.values(direction, TOKEN, "growth"))
        rate = statistics.mean(results.values(direction, TOKEN, "rate"))
        print(
            f"| {direction} of 1 GiB: RSS grows by | {ALLOWED_GROWTH} MiB |"
            f" {growth:.1f} MiB, at {rate:.0f} MiB/s |"
        )


if __name__ == "__main__":
    main()
