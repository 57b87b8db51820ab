"""Unknown tokens, and a hub that is slow or unavailable."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.relay import Relay
from benchmarks.results import Results
from benchmarks.stage import MIXINS, SERVICE, Contender, Stage
from benchmarks.warm import WrongResponseError
from benchmarks.wire import Connection, Headers, Response, fetch

CONCURRENT_REQUESTS = 100
CLIENT_TIMEOUT = 6.0  # seconds; the service's own limit is 5


@dataclass
class ClientStats:
    """Results of a client that sends requests repeatedly."""

    longest: float = 0.0
    statuses: set[int] = field(default_factory=set)
    over: bool = False


def stampede(stage: Stage, results: Results, round_: int) -> None:
    """One new token in a hundred concurrent requests."""
    for contender, relay in _contenders(stage):
        before = relay.lookups
        responses = asyncio.run(
            _fetch_concurrently(contender, [stage.new_token()] * CONCURRENT_REQUESTS, 30)
        )
        results.add(
            "stampede",
            contender.name,
            round_,
            lookups=relay.lookups - before,
            seconds=max(response.seconds for response in responses),
            statuses=_statuses(responses),
        )


def cold(stage: Stage, results: Results, round_: int) -> None:
    """Five new tokens at once, and a hub that takes a second for each."""
    for contender, relay in _contenders(stage):
        tokens = [stage.new_token() for _ in range(5)]
        with relay.delayed(1):
            responses = asyncio.run(_fetch_concurrently(contender, tokens, 30))
        results.add(
            "cold",
            contender.name,
            round_,
            seconds=max(response.seconds for response in responses),
            statuses=_statuses(responses),
        )


def slow(stage: Stage, results: Results, round_: int) -> None:
    """A hub that takes two seconds for an unknown token: the effect on other clients."""
    for contender, relay in _contenders(stage):
        warm, unknown = _warm_token(stage, contender), stage.new_token()
        with relay.delayed(2):
            health, known, responses = asyncio.run(
                _with_background_clients(contender, warm, [[unknown]])
            )
        results.add(
            "slow",
            contender.name,
            round_,
            health=health.longest,
            warm=known.longest,
            warm_statuses=sorted(known.statuses),
            statuses=_statuses(responses),
        )


def outage(stage: Stage, results: Results, round_: int) -> None:
    """A hub that refuses connections, or accepts them and never responds; and its recovery."""
    for fault in ("refuse", "silent"):
        for contender, relay in _contenders(stage):
            warm = _warm_token(stage, contender)
            tokens = [stage.new_token() for _ in range(6)]
            with relay.faulty(fault):
                # the sixth finds that five have failed
                health, known, responses = asyncio.run(
                    _with_background_clients(contender, warm, [tokens[:5], tokens[5:]])
                )
            results.add(
                fault,
                contender.name,
                round_,
                health=health.longest,
                warm=known.longest,
                warm_statuses=sorted(known.statuses),
                cold=max(response.seconds for response in responses),
                sixth=responses[-1].seconds,
                statuses=_statuses(responses),
                retry_after=all("retry-after" in response.headers for response in responses),
                back=asyncio.run(_recovery_time(stage, contender)),
            )


def _contenders(stage: Stage) -> Iterable[tuple[Contender, Relay]]:
    for name in random.sample([SERVICE, MIXINS], 2):
        yield stage[name], stage.relays[name]


def _statuses(responses: list[Response]) -> list[int]:
    return sorted({response.status for response in responses})


def _warm_token(stage: Stage, contender: Contender) -> Headers:
    """A token that is in the service's cache."""
    token = stage.new_token()
    response = asyncio.run(fetch(contender.port, contender.user_path, token))
    if response.status != 200:
        raise WrongResponseError(f"{contender.name} returned {response.status} for a valid token.")
    return token


async def _fetch_concurrently(
    contender: Contender, tokens: Sequence[Headers], limit: float
) -> list[Response]:
    """Send all requests at once, each on a connection that is already open."""
    connections = [Connection(contender.port) for _ in tokens]
    try:
        await asyncio.gather(*(connection.open() for connection in connections))
        requests = zip(connections, tokens, strict=True)
        started = [
            fetcher.fetch(contender.user_path, token, limit=limit) for fetcher, token in requests
        ]
        return await asyncio.gather(*started)
    finally:
        for connection in connections:
            connection.close()


async def _with_background_clients(
    contender: Contender, warm: Headers, groups: Sequence[Sequence[Headers]]
) -> tuple[ClientStats, ClientStats, list[Response]]:
    """Send groups of unknown tokens while two clients send requests continuously."""
    health, known = ClientStats(), ClientStats()
    watchers = [
        asyncio.ensure_future(_request_repeatedly(contender.port, contender.open_path, {}, health)),
        asyncio.ensure_future(
            _request_repeatedly(contender.port, contender.user_path, warm, known)
        ),
    ]
    await asyncio.sleep(0.2)
    responses: list[Response] = []
    for group in groups:
        responses += await _fetch_concurrently(contender, group, CLIENT_TIMEOUT)
    health.over = known.over = True
    await asyncio.wait(watchers, timeout=0.5)
    for watcher in watchers:
        watcher.cancel()
    await asyncio.wait(watchers)
    return health, known, responses


async def _request_repeatedly(port: int, path: str, headers: Headers, waits: ClientStats) -> None:
    """Send 100 requests a second until the end; a request that is cut off counts as no response."""
    connection = Connection(port)
    with contextlib.closing(connection):
        while not waits.over:
            started = time.perf_counter()
            try:
                waits.statuses.add((await connection.fetch(path, headers)).status)
            except asyncio.CancelledError:
                waits.statuses.add(0)
                raise
            finally:
                waits.longest = max(waits.longest, time.perf_counter() - started)
            await asyncio.sleep(0.01)


async def _recovery_time(stage: Stage, contender: Contender) -> float:
    """The time until a new token is accepted again."""
    started = time.perf_counter()
    while time.perf_counter() - started < 60:
        token = await asyncio.to_thread(stage.new_token)
        if (await fetch(contender.port, contender.user_path, token)).status == 200:
            return time.perf_counter() - started
        await asyncio.sleep(0.05)
    raise WrongResponseError(f"{contender.name} has not found the hub again within a minute.")
