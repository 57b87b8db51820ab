"""Helpers for tests of streams and sockets."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import tornado
from prometheus_client import CollectorRegistry

from tests.support.live_app import Live
from tornado_service import EventStream
from tornado_service.app import TornadoService
from tornado_service.testing import EventReader, Visitor

NEWS = "live/api/news"
ECHO = "live/api/echo"
APP = {"apps": ["tests.support.live_app:Live"]}

#: The XSRF token of a user without a session at the hub is bound to their browser.
CLIENT = {"User-Agent": f"Tornado/{tornado.version}"}

#: Headers that open a web socket.
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def page_headers(visitor: Visitor, **more: str) -> dict[str, str]:
    """A browser's headers."""
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    origin = f"http://{visitor.host}"
    return {
        "Cookie": cookies,
        "Host": visitor.host,
        "Origin": origin,
        "User-Agent": "Tornado/6",
        **more,
    }


def metric(service: TornadoService, name: str, **labels: str) -> float | None:
    registry: CollectorRegistry = service.metrics.registry
    return registry.get_sample_value(f"tornado_service_{name}", labels)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition in this process."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


def only_listener(app: Live) -> EventStream:
    (listener,) = app.news._listeners
    assert isinstance(listener, EventStream)
    return listener


async def ending(events: EventReader) -> dict[str, Any]:
    """Read to the end of a stream, which must contain the reason."""
    *_, last = [event async for event in events]
    assert last.name == "end"
    return last.json


@asynccontextmanager
async def holding(
    service: TornadoService, path: str, token: str, headers: Mapping[str, str] | None = None
) -> AsyncIterator[socket.socket]:
    """Request a stream or a socket, and read nothing of it."""
    lines = {"Host": "x", "Authorization": f"token {token}", "Accept-Encoding": "gzip"}
    lines |= headers or {}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    request = f"GET {service.prefix}{path} HTTP/1.1\r\n{head}\r\n"
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_sendall(connection, request.encode())
        yield connection


async def read_until(connection: socket.socket, end: bytes) -> bytes:
    read = b""
    while end not in read:
        piece = await asyncio.wait_for(
            asyncio.get_running_loop().sock_recv(connection, 65536), timeout=30
        )
        assert piece, read
        read += piece
    return read
