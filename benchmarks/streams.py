"""A thousand event streams on one process, and streams that are not read."""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import socket
import statistics
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection as Pipe

from benchmarks import process, wire
from benchmarks.results import Results
from benchmarks.stage import SERVICE, Running, Stage
from benchmarks.warm import WrongResponseError
from tornado_service.server.process import raise_file_limit

STREAMS = 1000
EVENTS = 50
SEND_INTERVAL = 0.2  # seconds from one event to the next
POLL_INTERVAL = 0.005  # seconds between polls of health
UNREAD = 50
LARGE = 60_000  # bytes of an event
FLOOD_EVENTS = 750  # large events

ARGUMENTS = (
    "--TornadoService.apps=tests.support.live_app:Live",
    "--TornadoService.authenticate_prometheus=False",
    f"--Streams.per_user={2 * STREAMS}",
)
NEWS, SEND = "live/api/news", "live/api/send"


def measure(stage: Stage, results: Results, round_: int) -> None:
    """Open a thousand streams, send to all of them, and poll health."""
    service = stage[SERVICE]
    headers = service.headers["token"]
    with stage.started(service, arguments=ARGUMENTS) as running:
        asyncio.run(_wait_for_app(running.port, service.prefix, headers))
        idle = process.memory(running.pid)
        with readers(running.port, service.prefix + NEWS, headers) as pipe:
            asyncio.run(wait_for_streams(running.port, service.prefix, headers, STREAMS))
            opened = process.memory(running.pid)
            quiet = asyncio.run(_poll_idle(running.port))
            busy = process.cpu_seconds(running.pid)
            waits = asyncio.run(_send_and_poll(running, service.prefix, headers))
            busy = process.cpu_seconds(running.pid) - busy
            used = process.memory(running.pid)
            pipe.send(EVENTS)
            delivered, delays = pipe.recv()
        results.add(
            "streams",
            SERVICE,
            round_,
            expected=STREAMS * EVENTS,
            delivered=delivered,
            delay=statistics.quantiles(delays, n=100)[98],
            health=statistics.quantiles(waits, n=100)[98],
            quiet=statistics.quantiles(quiet, n=100)[98],
            cpu=busy / delivered,
            each=1024 * (opened.rss - idle.rss) / STREAMS,
            after=1024 * (used.rss - idle.rss) / STREAMS,
        )


def unread(stage: Stage, results: Results) -> None:
    """Streams that are never read, and a sender that does not wait for them."""
    service = stage[SERVICE]
    headers = service.headers["token"]
    with stage.started(service, arguments=ARGUMENTS) as running, contextlib.ExitStack() as stack:
        asyncio.run(_wait_for_app(running.port, service.prefix, headers))
        before, kept = process.memory(running.pid).uss, []
        for _ in range(2):
            for _ in range(UNREAD):
                connection = stack.enter_context(
                    socket.create_connection((wire.HOST, running.port))
                )
                connection.sendall(_request(running.port, service.prefix + NEWS, headers))
            asyncio.run(_flood(running, service.prefix, headers))
            kept.append(process.memory(running.pid).uss - before)
    sent = 2 * FLOOD_EVENTS * LARGE / 2**20
    results.add("unread", SERVICE, 1, streams=UNREAD, sent=sent, half=kept[0], kept=kept[1])


async def _wait_for_app(port: int, prefix: str, headers: wire.Headers) -> None:
    deadline = time.monotonic() + 30
    while (response := await wire.fetch(port, prefix + SEND, headers)).status != 405:
        if time.monotonic() > deadline:
            raise WrongResponseError(f"The app does not run: {response}")
        await asyncio.sleep(0.1)


async def wait_for_streams(port: int, prefix: str, headers: wire.Headers, count: int) -> None:
    """Wait until the service's metrics show all streams."""
    wanted = f'tornado_service_streams{{kind="events"}} {float(count)}'.encode()
    deadline = time.monotonic() + 30
    while wanted not in (await wire.fetch(port, prefix + "metrics", headers)).body:
        if time.monotonic() > deadline:
            raise WrongResponseError(f"{count} streams are not open")
        await asyncio.sleep(0.1)


async def _send_and_poll(running: Running, prefix: str, headers: wire.Headers) -> list[float]:
    """Send all events; the response times of health during that, in seconds."""
    polling = asyncio.create_task(_poll_health(running.port, waits := []))
    for number in range(EVENTS):
        await _send(running.port, prefix, headers, [number, time.monotonic()])
        await asyncio.sleep(SEND_INTERVAL)
    polling.cancel()
    return waits


async def _poll_idle(port: int) -> list[float]:
    """The same with nothing sent, as a baseline."""
    polling = asyncio.create_task(_poll_health(port, waits := []))
    await asyncio.sleep(EVENTS * SEND_INTERVAL / 2)
    polling.cancel()
    return waits


async def _poll_health(port: int, waits: list[float]) -> None:
    connection = wire.Connection(port)
    while True:
        response = await connection.fetch("/health", {})
        if response.status != 200:
            raise WrongResponseError(f"health returned {response}")
        waits.append(response.seconds)
        await asyncio.sleep(POLL_INTERVAL)


async def _flood(running: Running, prefix: str, headers: wire.Headers) -> None:
    for _ in range(FLOOD_EVENTS):
        await _send(running.port, prefix, headers, "x" * LARGE)


async def _send(port: int, prefix: str, headers: wire.Headers, data: object) -> None:
    body = json.dumps(data).encode()
    response = await wire.fetch(port, prefix + SEND, headers, method="POST", body=body)
    if response.status != 204:
        raise WrongResponseError(f"An event was not taken: {response}")


@contextlib.contextmanager
def readers(port: int, path: str, headers: wire.Headers) -> Iterator[Pipe]:
    """A process that has the streams open and reports which events arrived."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_read_all, args=(theirs, port, path, dict(headers)))
    child.start()
    theirs.close()
    try:
        yield ours
    finally:
        child.terminate()
        child.join()


def _read_all(pipe: Pipe, port: int, path: str, headers: dict[str, str]) -> None:
    raise_file_limit()
    asyncio.run(_read(pipe, port, path, headers))


async def _read(pipe: Pipe, port: int, path: str, headers: dict[str, str]) -> None:
    loop = asyncio.get_running_loop()
    request = _request(port, path, headers)
    readers = []
    for _ in range(STREAMS):
        _, reader = await loop.create_connection(lambda: Reader(request), wire.HOST, port)
        readers.append(reader)
    expected = await asyncio.to_thread(pipe.recv)
    deadline = time.monotonic() + 10
    while sum(len(reader.delays) for reader in readers) < STREAMS * expected:
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(0.1)
    delays = [delay for reader in readers for delay in reader.delays]
    pipe.send((len(delays), delays))
    await asyncio.to_thread(pipe.recv)


class Reader(asyncio.Protocol):
    """Reads one stream cheaply; counts the events that arrive once and in order."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._rest = b""
        self.delays: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data: ["):
                number, sent = line[7:-1].split(b",")
                if int(number) == len(self.delays):
                    self.delays.append(time.monotonic() - float(sent))


def _request(port: int, path: str, headers: wire.Headers) -> bytes:
    fields = {"Host": f"{wire.HOST}:{port}", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()
