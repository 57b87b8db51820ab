"""Looks at addresses all the time, from another process: what asks for more does not delay it."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection as Pipe

from benchmarks import wire
from benchmarks.warm import WrongAnswerError

#: Seconds from one look to the next.
LOOK = 0.01


@contextlib.contextmanager
def looking(addresses: Sequence[tuple[int, str]]) -> Iterator[list[list[float]]]:
    """Ask several addresses; at the end, the list has the seconds that each answer took."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_look_at_all, args=(theirs, addresses))
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


def _look_at_all(pipe: Pipe, addresses: Sequence[tuple[int, str]]) -> None:
    asyncio.run(_look(pipe, addresses))


async def _look(pipe: Pipe, addresses: Sequence[tuple[int, str]]) -> None:
    waits: list[list[float]] = [[] for _ in addresses]
    tasks = [
        asyncio.create_task(_look_at(*address, found))
        for address, found in zip(addresses, waits, strict=True)
    ]
    pipe.send("ready")
    await asyncio.to_thread(pipe.recv)
    for task in tasks:
        task.cancel()
    pipe.send(waits)


async def _look_at(port: int, path: str, waits: list[float]) -> None:
    connection = wire.Connection(port)
    while True:
        answer = await connection.ask(path, {})
        if answer.status != 200:
            raise WrongAnswerError(f"{path} answered {answer}")
        waits.append(answer.seconds)
        await asyncio.sleep(LOOK)
