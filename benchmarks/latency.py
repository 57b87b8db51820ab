"""Polls endpoints in a process of its own, so that the load generator does not delay it."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection as Pipe

from benchmarks import wire
from benchmarks.warm import WrongResponseError

#: Seconds between two requests.
POLL_INTERVAL = 0.01


@contextlib.contextmanager
def measure_latency(endpoints: Sequence[tuple[int, str]]) -> Iterator[list[list[float]]]:
    """Poll endpoints; at the end, the list has the response times of each in seconds."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_run_poller, args=(theirs, endpoints))
    child.start()
    theirs.close()
    ours.recv()
    waits: list[list[float]] = []
    try:
        yield waits
        ours.send("enough")
        waits += ours.recv()
    finally:
        child.terminate()
        child.join()


def _run_poller(pipe: Pipe, endpoints: Sequence[tuple[int, str]]) -> None:
    asyncio.run(_poll_all(pipe, endpoints))


async def _poll_all(pipe: Pipe, endpoints: Sequence[tuple[int, str]]) -> None:
    waits: list[list[float]] = [[] for _ in endpoints]
    tasks = [
        asyncio.create_task(_poll(*endpoint, times))
        for endpoint, times in zip(endpoints, waits, strict=True)
    ]
    pipe.send("ready")
    await asyncio.to_thread(pipe.recv)
    for task in tasks:
        task.cancel()
    pipe.send(waits)


async def _poll(port: int, path: str, waits: list[float]) -> None:
    connection = wire.Connection(port)
    while True:
        response = await connection.fetch(path, {})
        if response.status != 200:
            raise WrongResponseError(f"{path} returned {response}")
        waits.append(response.seconds)
        await asyncio.sleep(POLL_INTERVAL)
