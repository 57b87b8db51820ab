"""Clients that make requests all the time, and remember what they got."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tornado.httpclient import AsyncHTTPClient

from tests.support.replicated.nginx import UPSTREAM_HEADER
from tornado_service.testing import Fetch

#: Seconds from a client's response to its next request.
PAUSE = 0.02

#: Seconds after which a load ends by itself.
LIMIT = 180


@dataclass(frozen=True)
class Answer:
    """A response, or 599 for none.

    Attributes:
        began: seconds since 1970, as in nginx's log.
        ended: the same.
        upstream: the replicas that nginx tried.
    """

    method: str
    status: int
    began: float
    ended: float
    upstream: str


@dataclass
class Load:
    """What the clients got."""

    answers: list[Answer] = field(default_factory=list)
    #: the texts of notes whose storage was acknowledged
    acknowledged: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status >= 400]

    async def settle(self, count: int = 60) -> None:
        """Wait until this many more requests have been answered."""
        wanted = len(self.answers) + count
        deadline = time.monotonic() + 60
        while len(self.answers) < wanted:
            assert time.monotonic() < deadline, "nothing is answered any more"
            await asyncio.sleep(0.02)


@asynccontextmanager
async def load(fetch: Fetch, token: str, clients: int = 6) -> AsyncIterator[Load]:
    """Make requests until the end: each third is a page, a list from the database, a new note.

    The identity of the token is known to each replica after its first request.
    """
    result, stop = Load(), asyncio.Event()
    numbers = itertools.count()
    limit = time.monotonic() + LIMIT
    run = f"{time.time():.3f}"

    async def client() -> None:
        while not stop.is_set() and time.monotonic() < limit:
            number = next(numbers)
            method, text = "GET", f"{run}-{number}"
            path = ("board/", "board/api/notes", f"board/api/notes?text={text}")[number % 3]
            body = {}
            if number % 3 == 2:
                method, body = "POST", {"body": ""}
            began = time.time()
            response = await fetch(path, token=token, method=method, **body)
            upstream = response.headers.get(UPSTREAM_HEADER, "")
            answer = Answer(method, response.code, began, time.time(), upstream)
            result.answers.append(answer)
            if method == "POST" and response.code < 300:
                result.acknowledged.append(text)
            await asyncio.sleep(PAUSE)

    tasks = [asyncio.create_task(client()) for _ in range(clients)]
    try:
        yield result
    finally:
        stop.set()
        await asyncio.gather(*tasks)


def fetch_for(client: AsyncHTTPClient, port: int, prefix: str) -> Fetch:
    """Requests through the proxy."""
    return Fetch(client, f"http://127.0.0.1:{port}", prefix)
