"""What runs in pods besides the charts' own containers: stand-ins, and clients.

A client prints what it got as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

#: Seconds in which a packet that is not dropped arrives.
PATIENCE = 2


def listen(*places: str) -> None:
    """Accept connections at each PORT, and send back datagrams at each PORT/udp."""
    for place in places:
        port, _, is_udp = place.partition("/")
        target = _echo if is_udp else _accept
        threading.Thread(target=target, args=[int(port)], daemon=True).start()
    threading.Event().wait()


def _accept(port: int) -> None:
    with socket.create_server(("", port)) as server:
        while True:
            server.accept()[0].close()


def _echo(port: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind(("", port))
        while True:
            server.sendto(*server.recvfrom(512))


def database(url: str) -> None:
    """A PostgreSQL with a database for this URL; in memory, as it ends with its pod."""
    from tests.support import postgresql
    from tests.support.prepare import find_postgresql

    tempfile.tempdir = "/run"
    parts = urlsplit(url)
    programs = Path(find_postgresql())
    with postgresql.serving(programs, 5432, addresses="*") as server:
        server.run(
            f"CREATE ROLE {parts.username} LOGIN PASSWORD '{parts.password}'",
            f"CREATE DATABASE {parts.path[1:]} OWNER {parts.username}",
        )
        print("ready", flush=True)
        threading.Event().wait()


def connect(*targets: str) -> dict[str, str]:
    """Whether each HOST:PORT, or HOST:PORT/udp, is reached; all at a time."""
    with ThreadPoolExecutor(len(targets)) as pool:
        return dict(zip(targets, pool.map(_outcome, targets), strict=True))


def _outcome(target: str) -> str:
    place, _, is_udp = target.partition("/")
    host, _, port = place.rpartition(":")
    try:
        if not is_udp:
            socket.create_connection((host, int(port)), timeout=PATIENCE).close()
            return "open"
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.sendto(b"x", (host, int(port)))
            client.recv(512)
            return "open"
    except TimeoutError:
        return "dropped"
    except OSError as error:
        return f"{error.strerror}"


def sign_in(origin: str, path: str, *names: str) -> list[Any]:
    """Sign these users in, each with a browser of its own."""
    from tornado.httpclient import AsyncHTTPClient

    from tornado_service.testing import Visitor

    async def visit(name: str) -> dict[str, Any]:
        visitor = Visitor(AsyncHTTPClient(), origin)
        status = (await visitor.sign_in(path, name)).code
        url = visitor.address
        user = await visitor.get(f"{path}api/user")
        return {"status": status, "url": url, "user": user.body.decode()}

    async def visit_all() -> list[Any]:
        return [await visit(name) for name in names]

    return asyncio.run(visit_all())


def get(url: str, token: str = "") -> dict[str, Any]:
    """A request: status and text; 599 if there is no response."""
    from tornado.httpclient import AsyncHTTPClient, HTTPClientError

    headers = {"Authorization": f"token {token}"} if token else {}

    async def request() -> dict[str, Any]:
        try:
            answer = await AsyncHTTPClient().fetch(url, headers=headers, request_timeout=5)
        except HTTPClientError as error:
            return {"status": error.code, "text": ""}
        return {"status": answer.code, "text": answer.body.decode()}

    return asyncio.run(request())


def relay_event(reader: str, sender: str, token: str) -> list[Any]:
    """Read the events of the test app at one URL, and send one at another."""
    from tornado.httpclient import AsyncHTTPClient

    from tornado_service.testing.sse_client import EventReader

    headers = {"Authorization": f"token {token}"}

    async def relay() -> list[Any]:
        async with EventReader(f"{reader}board/api/events", headers) as events:
            url = f"{sender}board/api/send?text=hello"
            await AsyncHTTPClient().fetch(url, method="POST", body="", headers=headers)
            return [event.json for event in await events.read(1)]

    return asyncio.run(relay())


PROGRAMS: dict[str, Callable[..., Any]] = {
    "listen": listen,
    "database": database,
    "connect": connect,
    "sign-in": sign_in,
    "get": get,
    "relay-event": relay_event,
}

if __name__ == "__main__":
    with suppress(BrokenPipeError):
        print(json.dumps(PROGRAMS[sys.argv[1]](*sys.argv[2:])), flush=True)
    os._exit(0)
