"""Startup time and memory."""

from __future__ import annotations

import asyncio
import random
import secrets
from pathlib import Path

from benchmarks import process, warm, wire, wrk
from benchmarks.results import Results
from benchmarks.stage import FLOOR, MIXINS, SERVICE, Stage
from tornado_service.testing import BROWSER

#: A bare Tornado process that has imported the sign-in library.
BARE = "bare"
REQUESTS = 10_000


def start(stage: Stage, results: Results, round_: int, with_load: bool) -> None:
    """Start each contender alone; measure it idle and, on request, after many requests."""
    for name in random.sample([SERVICE, MIXINS, BARE], 3):
        contender = stage[FLOOR if name == BARE else name]
        library = "jupyterhub.services.auth" if name == BARE else ""
        with stage.started(contender, library) as running:
            idle = process.memory(running.pid)
            results.add("start", name, round_, seconds=running.seconds, **vars(idle))
            if not with_load:
                continue
            if name == BARE:
                warm.configure_floor(stage, running.port)
            path = contender.path_of("token")
            warm.check_response(contender, running.port, path, "token")
            _send_requests(running.port, path, contender.headers["token"], REQUESTS)
            results.add("used", name, round_, **vars(process.memory(running.pid)))


def invalid_tokens(stage: Stage, results: Results, count: int) -> None:
    """Requests with random tokens, which the relay refuses, and anonymous page requests."""
    service = stage[SERVICE]
    relay = stage.relays[SERVICE]
    with stage.started(service) as running:
        port, path = running.port, service.user_path
        _send_requests(port, path, service.headers["token"], 1000)
        with relay.faulty("unknown"):
            _check_refused(port, path)
            before, lookups = process.memory(running.pid).uss, relay.lookups
            tokens, visits, kept = 0, 0, []
            for _ in range(2):
                tokens += _send_requests(port, path, {}, count // 2, wrk.RANDOM_TOKENS_SCRIPT)
                visits += _send_requests(port, path, BROWSER, count // 2)
                kept.append(process.memory(running.pid).uss - before)
            lookups = relay.lookups - lookups
            _check_refused(port, path)
    values = {"tokens": tokens, "lookups": lookups, "visits": visits}
    results.add("strangers", SERVICE, 1, **values, half=kept[0], kept=kept[1])


def _check_refused(port: int, path: str) -> None:
    """Whether anonymous requests and random tokens are refused."""
    random_token = {"Authorization": f"token {secrets.token_hex(16)}"}
    statuses = [
        asyncio.run(wire.fetch(port, path, headers)).status for headers in (random_token, BROWSER)
    ]
    if statuses not in ([401, 302], [403, 302]):
        raise warm.WrongResponseError(
            f"A random token and an anonymous request returned {statuses}."
        )


def _send_requests(
    port: int, path: str, headers: wire.Headers, count: int, script: Path | None = None
) -> int:
    done = 0
    while done < count:
        seconds = 5 if count - done > 20_000 else 1
        done += wrk.load(port, path, headers, seconds=seconds, script=script).requests
    return done
