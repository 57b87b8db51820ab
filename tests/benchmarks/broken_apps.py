"""What an app notices of another one that is broken."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from . import wire, wrk
from .results import Results
from .stage import SERVICE, Running, Stage
from .warm import WrongAnswerError

APPS = "tests.benchmarks.faulty_apps"
GOOD = "good/api/item"
PACE = 5.0  # how often a second something broken is asked for
TURNS = ("with", "without", "without", "with")


class Kind(NamedTuple):
    """A way to be broken.

    Attributes:
        app: which app is.
        path: what is asked for all the while, if the app runs.
    """

    app: str
    path: str = ""


KINDS = {
    "import fails": Kind("tests.benchmarks.absent:App"),
    "`start` fails": Kind(f"{APPS}:StartRaises"),
    "`start` never ends": Kind(f"{APPS}:StartWaits"),
    "`start` blocks": Kind(f"{APPS}:StartBlocks"),
    "a handler raises": Kind(f"{APPS}:Broken", "broken/api/raises"),
    "a stream without end": Kind(f"{APPS}:Broken", "broken/api/endless"),
    "answers of 16 MB": Kind(f"{APPS}:Broken", "broken/api/large"),
    "a `def` blocks": Kind(f"{APPS}:Broken", "broken/api/blocks"),
    "an `async def` blocks": Kind(f"{APPS}:Broken", "broken/api/holds"),
}


def measure(stage: Stage, results: Results, round_: int, seconds: int) -> None:
    """The good app beside each broken one, and alone, in turns."""
    with _started(stage, f"{APPS}:Good") as alone:
        for name, kind in KINDS.items():
            with _started(stage, f"{APPS}:Good", kind.app) as beside:
                loads: dict[str, list[wrk.Load]] = {"with": [], "without": []}
                for turn in TURNS:
                    running = beside if turn == "with" else alone
                    path = kind.path if turn == "with" else ""
                    loads[turn].append(_load(stage, running, seconds, path))
            rates, p99s = (
                {turn: sum(getattr(load, field) for load in loads[turn]) for turn in loads}
                for field in ("rate", "p99")
            )
            results.add(
                "broken",
                name,
                round_,
                rate=rates["with"] / rates["without"],
                p99=p99s["with"] / p99s["without"],
            )


@contextlib.contextmanager
def _started(stage: Stage, *apps: str) -> Iterator[Running]:
    """A service with these apps, of which the first is ready."""
    service = stage[SERVICE]
    arguments = [f"--TornadoService.apps={app}" for app in apps]
    with stage.started(service, arguments=arguments) as running:
        deadline = time.monotonic() + 30
        while _ask(stage, running, GOOD) != 200:
            if time.monotonic() > deadline:
                raise WrongAnswerError(f"{apps[0]} does not run beside {apps[1:]}.")
            time.sleep(0.1)
        yield running


def _ask(stage: Stage, running: Running, path: str) -> int:
    service = stage[SERVICE]
    answer = wire.ask(running.port, service.prefix + path, service.headers["token"])
    return asyncio.run(answer).status


def _load(stage: Stage, running: Running, seconds: int, broken: str) -> wrk.Load:
    """Load on the good app, while something broken is asked for."""
    service = stage[SERVICE]
    headers = service.headers["token"]
    with contextlib.ExitStack() as stack:
        if broken:
            stack.enter_context(_asking(running.port, service.prefix + broken, headers))
        load = wrk.load(running.port, service.prefix + GOOD, headers, seconds=seconds)
    if load.bad_answers or load.broken:
        raise WrongAnswerError(f"The good app beside {broken or 'none'}: {load}")
    return load


@contextlib.contextmanager
def _asking(port: int, path: str, headers: wire.Headers) -> Iterator[None]:
    """Ask again and again meanwhile, without waiting for answers."""
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_ask_on(port, path, headers, over)))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


async def _ask_on(port: int, path: str, headers: wire.Headers, over: threading.Event) -> None:
    async with contextlib.AsyncExitStack() as stack:
        while not over.is_set():
            reading = asyncio.create_task(_read_all(port, path, headers))
            stack.callback(reading.cancel)
            await asyncio.sleep(1 / PACE)


async def _read_all(port: int, path: str, headers: wire.Headers) -> None:
    """One request, and its answer to its end, if it has one."""
    fields = {"Host": f"{wire.HOST}:{port}", "Connection": "close", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    reader, writer = await asyncio.open_connection(wire.HOST, port)
    with contextlib.closing(writer):
        writer.write(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        with contextlib.suppress(OSError):
            while await reader.read(1 << 20):
                pass
