"""``python -m benchmarks.replicas``: replicas behind nginx, with a real hub and PostgreSQL.

What each replica and the hub spend on requests, sign-ins and event streams; how soon replicas learn
of a sign-out and of the end of their leader; and what Activity stores for hubs of several sizes.
All processes share the machine: CPU times count, rates are bounded by its cores. Needs Linux, wrk,
nginx and PostgreSQL. Nothing is asserted about time; a wrong response ends the run. It takes some
five minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import signal
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tornado.httpclient import AsyncHTTPClient

from benchmarks import process, streams, wire, wrk
from benchmarks.replicas import history
from benchmarks.results import Results, median
from benchmarks.stage import call_hub
from benchmarks.warm import WrongResponseError
from tests.support.replicated.deployment import Deployment
from tests.support.replicated.replica import Replica
from tornado_service.testing import Visitor

EVENTS, SEND = "board/api/events", "board/api/send"
SENT = 50
VISITORS = 4
HUB_USERS = 2_000  # whom the hub lists
PAGE = 200  # users on a page of the hub
POLL_INTERVAL = 0.02


@dataclass
class Spent:
    """CPU time of the replicas and of the hub, in seconds."""

    replicas: float = 0
    hub: float = 0


@contextmanager
def measured(deployment: Deployment, idle_seconds: float = 2) -> Iterator[Spent]:
    """The CPU time that a load takes, without that of the same time without load."""
    spent = Spent()
    before = _cpu(deployment)
    time.sleep(idle_seconds)
    idle = [(now - was) / idle_seconds for now, was in zip(_cpu(deployment), before, strict=True)]
    before, began = _cpu(deployment), time.monotonic()
    yield spent
    seconds, after = time.monotonic() - began, _cpu(deployment)
    spent.replicas, spent.hub = (
        now - was - seconds * each for now, was, each in zip(after, before, idle, strict=True)
    )


def _cpu(deployment: Deployment) -> tuple[float, float]:
    replicas = (process.cpu_seconds(replica.pid) for replica in deployment.replicas)
    assert deployment.hub.process
    return sum(replicas), process.cpu_seconds(deployment.hub.process.pid)


def requests(deployment: Deployment, results: Results, seconds: int) -> None:
    """Requests of known users, through nginx."""
    everyone = list(deployment.replicas)
    headers = {"Authorization": f"token {deployment.token}"}
    path = f"{deployment.hub.service_prefix}api/user"
    for count in range(1, len(everyone) + 1):
        deployment.balance(*everyone[:count])
        with measured(deployment) as spent:
            load = wrk.load(deployment.nginx.port, path, headers, seconds=seconds)
        if load.bad_responses or load.socket_errors:
            raise WrongResponseError(str(load))
        results.add("requests", str(count), 1, rate=load.rate, p99=1e3 * load.p99,
                    cpu=1e6 * spent.replicas / load.requests)  # fmt: skip


async def sign_ins(deployment: Deployment, results: Results, seconds: int) -> None:
    """Sign-ins of users with a session at the hub, through proxy and nginx."""
    client = AsyncHTTPClient(force_instance=True)
    hub = deployment.hub
    host = f"{wire.HOST}:{hub.port}"
    home = hub.service_prefix
    visitors = [Visitor(client, f"http://{host}", host=host, home=home) for _ in range(VISITORS)]
    for visitor in visitors:
        await visitor.sign_in(f"{home}home", "sam")
    count, end = 0, 0.0

    async def repeat(visitor: Visitor) -> None:
        nonlocal count
        while time.monotonic() < end:
            for key in [key for key in visitor.jar if "services" in key[1]]:
                del visitor.jar[key]
            response = await visitor.open(f"{home}home")
            if response.code != 200 or "signed in to JupyterHub" not in visitor.page:
                raise WrongResponseError(visitor.page)
            count += 1

    with measured(deployment) as spent:
        end = time.monotonic() + seconds
        await asyncio.gather(*map(repeat, visitors))
    client.close()
    results.add("sign-ins", "all", 1, rate=count / seconds, cpu=1e3 * spent.replicas / count,
                hub=1e3 * spent.hub / count)  # fmt: skip


async def sign_outs(deployment: Deployment, results: Results, count: int) -> None:
    """Milliseconds from the response of a sign-out until all replicas refuse the cookie."""
    client = AsyncHTTPClient(force_instance=True)
    hub = deployment.hub
    host = f"{wire.HOST}:{hub.port}"
    for number in range(count):
        visitor = Visitor(client, f"http://{host}", host=host, home=hub.service_prefix)
        await visitor.sign_in("home", "kim")
        copies = []
        for replica in deployment.replicas:
            origin = f"http://{replica.address}"
            copy = Visitor(client, visitor.hub, origin, host, home=visitor.home)
            copy.jar, copy.page = dict(visitor.jar), visitor.page
            if (await copy.fetch("api/user")).code != 200:
                raise WrongResponseError("the copy of a cookie is refused")
            copies.append(copy)
        await visitor.post("logout")
        done = time.perf_counter()
        for copy in copies:
            while (await copy.fetch("api/user")).code == 200:
                pass
        results.add("sign-out", "all", number, wait=1e3 * (time.perf_counter() - done))
    client.close()


def event_readers(deployment: Deployment, results: Results) -> None:
    """Streams at one replica, of events that are sent at another."""
    first, second = deployment.replicas[:2]
    headers = {"Authorization": f"token {deployment.token}"}
    prefix = deployment.hub.service_prefix
    idle = process.memory(first.pid)
    with streams.readers(first.port, prefix + EVENTS, headers) as pipe:
        asyncio.run(streams.wait_for_streams(first.port, prefix, headers, streams.STREAMS))
        opened = process.memory(first.pid)
        before = process.cpu_seconds(first.pid)
        asyncio.run(_send(second, prefix, headers))
        pipe.send(SENT)
        delivered, delays = pipe.recv()
        spent = process.cpu_seconds(first.pid) - before
    if delivered != SENT * streams.STREAMS:
        raise WrongResponseError(f"{delivered} events arrived")
    results.add("readers", "one", 1, each=1024 * (opened.rss - idle.rss) / streams.STREAMS,
                cpu=1e6 * spent / delivered, p50=1e3 * statistics.median(delays),
                p99=1e3 * statistics.quantiles(delays, n=100)[98])  # fmt: skip


async def _send(replica: Replica, prefix: str, headers: wire.Headers) -> None:
    for number in range(SENT):
        body = json.dumps([number, time.monotonic()]).encode()
        path = prefix + SEND
        response = await wire.fetch(replica.port, path, headers, method="POST", body=body)
        if response.status != 204:
            raise WrongResponseError(str(response))
        await asyncio.sleep(streams.SEND_INTERVAL)


def takeovers(deployment: Deployment, results: Results, rounds: int) -> None:
    """Seconds until another replica leads an app whose leader was killed or frozen."""
    for number in range(rounds):
        for how, signal_ in (("killed", signal.SIGKILL), ("frozen", signal.SIGSTOP)):
            leader = deployment.leader()
            others = [replica for replica in deployment.replicas if replica is not leader]
            leader.signal(signal_)
            began = time.monotonic()
            while not any(deployment.leads(replica) for replica in others):
                time.sleep(POLL_INTERVAL)
            results.add("takeover", how, number, seconds=time.monotonic() - began)
            deployment.balance(*others)
            leader.stop()
            deployment.restore()


def hub_calls(deployment: Deployment, results: Results, seconds: int) -> None:
    """What the hub spends on the calls that replicas make."""
    hub = deployment.hub
    names = [f"user-{number}" for number in range(HUB_USERS)]
    for first in range(0, HUB_USERS, 500):
        call_hub(hub, "POST", "users", {"usernames": names[first : first + 500]})
    assert hub.process
    for name, path, token in (
        ("user", "user", deployment.token),
        ("page", f"users?limit={PAGE}&offset={HUB_USERS // 2}", hub.service["api_token"]),
    ):
        headers = {"Authorization": f"token {token}"}
        before = process.own_cpu_seconds(hub.process.pid)
        load = wrk.load(hub.hub_port, f"/hub/api/{path}", headers, seconds=seconds, connections=2)
        spent = process.own_cpu_seconds(hub.process.pid) - before
        if load.bad_responses or load.socket_errors:
            raise WrongResponseError(str(load))
        results.add("hub", name, 1, rate=load.rate, cpu=1e3 * spent / load.requests)


def report(results: Results) -> None:
    print("\n| replicas | requests/s | p99, ms | CPU each, µs |\n|---|---|---|---|")
    for record in results.records:
        if record["measure"] == "requests":
            print("| {contender} | {rate:.0f} | {p99:.1f} | {cpu:.0f} |".format(**record))
    print("\n| measurement | result |\n|---|---|")
    lines = {
        "sign-ins": "sign-ins | {rate:.0f}/s; CPU each: replicas {cpu:.1f} ms, hub {hub:.1f} ms",
        "readers": "event reader | {each:.0f} KiB; CPU of an event for it {cpu:.0f} µs; events"
        " sent at another replica arrive after {p50:.0f} ms, p99 {p99:.0f} ms",
        "hub": "call of the hub: {contender} | {rate:.0f}/s, CPU each {cpu:.2f} ms",
    }
    for record in results.records:
        if line := lines.get(record["measure"]):
            print(f"| {line.format(**record)} |")
    waits = results.values("sign-out", "all", "wait")
    print(f"| sign-out until all replicas refuse | {median(waits, '.0f', ' ms')} |")
    for how in ("killed", "frozen"):
        seconds = results.values("takeover", how, "seconds")
        print(f"| leader {how} until another leads | {median(seconds, '.1f', ' s')} |")


def measure(results: Results, seconds: int, rounds: int) -> None:
    settings = {"Streams": {"per_user": 2 * streams.STREAMS}}
    with Deployment(settings=settings) as deployment:
        requests(deployment, results, seconds)
        asyncio.run(sign_ins(deployment, results, seconds))
        asyncio.run(sign_outs(deployment, results, 5 * rounds))
        event_readers(deployment, results)
        hub_calls(deployment, results, seconds)
        takeovers(deployment, results, rounds)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replicas")
    parser.add_argument("--seconds", type=int, default=3, metavar="N", help="of load; default 3")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="takeovers; default 3")
    parser.add_argument("--users", type=int, nargs="*", default=history.SIZES, metavar="N")
    options = parser.parse_args(arguments)
    if not shutil.which("wrk"):
        sys.exit("The benchmarks need wrk. On Debian: apt install wrk")
    results = Results()
    measure(results, options.seconds, options.rounds)
    report(results)
    history.measure(options.users)
    print(
        f"\n{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
