"""What the tests of streams and sockets share."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import tornado
from prometheus_client import CollectorRegistry

from tornado_service.app import TornadoService
from tornado_service.testing import EventReader

NEWS = "live/api/news"
APP = {"apps": ["tests.live_app:Live"]}

#: The XSRF token of somebody without a session at the hub is bound to their browser.
CLIENT = {"User-Agent": f"Tornado/{tornado.version}"}


def metric(service: TornadoService, name: str, **labels: str) -> float | None:
    registry: CollectorRegistry = service.metrics.registry
    return registry.get_sample_value(f"tornado_service_{name}", labels)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens in this process by itself."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


async def ending(events: EventReader) -> dict[str, Any]:
    """Read to the end of a stream, which has to say why it ends."""
    *_, last = [event async for event in events]
    assert last.name == "end"
    return last.json


async def ask(connection: socket.socket, path: str, token: str) -> None:
    """Open a stream, and read nothing of it."""
    connection.setblocking(False)
    lines = f"Host: x\r\nAuthorization: token {token}\r\nAccept-Encoding: gzip\r\n"
    request = f"GET {path} HTTP/1.1\r\n{lines}\r\n"
    await asyncio.get_running_loop().sock_sendall(connection, request.encode())


async def read_until(connection: socket.socket, end: bytes) -> bytes:
    read = b""
    while end not in read:
        piece = await asyncio.wait_for(
            asyncio.get_running_loop().sock_recv(connection, 65536), timeout=10
        )
        assert piece, read
        read += piece
    return read
