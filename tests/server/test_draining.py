"""A service that stops finishes open requests, and asks for no others."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.support.launched import until_logged

PREFIX = "/services/tornado-service/"

GATED = """
import asyncio, pathlib
from tornado_service import APIHandler, ServiceApp, allow_unauthenticated

class Page(APIHandler):
    @allow_unauthenticated
    async def get(self):
        self.context.log.warning("a request is open")
        while not pathlib.Path("gate").exists():
            await asyncio.sleep(0.01)
        self.write_json({"done": True})

class Gated(ServiceApp):
    name = "gated"

    def handlers(self):
        return [("page", Page)]
"""


class KeptConnection:
    """A connection of a load balancer, which sends one request after another on it."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> KeptConnection:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    def send(self, path: str) -> None:
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    async def receive(self) -> tuple[int, str, object]:
        """Status, header ``Connection`` and JSON of the next response."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
        body = await self._reader.readexactly(int(headers["Content-Length"]))
        return int(head.split()[1]), headers.get("Connection", ""), json.loads(body)

    async def is_closed(self) -> bool:
        return await self._reader.read() == b""


async def test_while_open_requests_finish_it_is_not_ready_for_others(
    external, port: int, tmp_path: Path
) -> None:
    (tmp_path / "gated.py").write_text(GATED)
    process = external(
        f"--port={port}", "--TornadoService.apps=gated:Gated", "--TornadoService.shutdown_grace=60",
        PYTHONPATH=str(tmp_path),
    )  # fmt: skip
    await until_logged(process, "App gated is ready")
    async with (
        KeptConnection(port) as busy,
        KeptConnection(port) as one,
        KeptConnection(port) as two,
    ):
        for connection, path in [(one, "/health/serving"), (two, f"{PREFIX}health/serving")]:
            connection.send(path)
            assert await connection.receive() == (200, "", {"status": "ok"})
        busy.send(f"{PREFIX}gated/page")
        await until_logged(process, "a request is open")

        process.terminate()
        await until_logged(process, "Stopping; 1 requests are open")

        one.send("/health/serving")
        assert await one.receive() == (503, "close", {"status": "stopping"})
        assert await one.is_closed()
        two.send(f"{PREFIX}health/ready")
        checks = {"stopping": "not ready"}
        assert await two.receive() == (503, "close", {"status": "not ready", "checks": checks})
        assert await two.is_closed()
        with pytest.raises(OSError):  # noqa: PT011 - of any kind
            await asyncio.open_connection("127.0.0.1", port)
        (tmp_path / "gate").touch()
        assert (await busy.receive())[::2] == (200, {"done": True})
    assert await asyncio.to_thread(process.wait, 60) == 0


async def test_a_request_right_after_a_response_that_took_long_is_served(
    external, port: int, tmp_path: Path
) -> None:
    """A load balancer sends it on the connection that is free now."""
    (tmp_path / "gated.py").write_text(GATED)
    (tmp_path / "settings.py").write_text(
        "from tornado_service.server import http\nhttp.CLOSING_DELAY = 2\n"
    )
    process = external(
        f"--port={port}", "--config=settings.py", "--TornadoService.apps=gated:Gated",
        "--TornadoService.shutdown_grace=60", PYTHONPATH=str(tmp_path),
    )  # fmt: skip
    await until_logged(process, "App gated is ready")
    async with KeptConnection(port) as kept:
        kept.send(f"{PREFIX}gated/page")
        await until_logged(process, "a request is open")
        process.terminate()
        await until_logged(process, "Stopping; 1 requests are open")
        await asyncio.sleep(2.1)
        (tmp_path / "gate").touch()
        assert await kept.receive() == (200, "", {"done": True})
        await asyncio.sleep(0.1)

        kept.send("/health")

        assert await kept.receive() == (200, "close", {"status": "ok"})
        assert await kept.is_closed()
    assert await asyncio.to_thread(process.wait, 60) == 0


async def test_a_request_on_a_kept_connection_is_served_while_it_stops(
    external, port: int, tmp_path: Path
) -> None:
    """A load balancer may be sending it at this moment."""
    (tmp_path / "settings.py").write_text(
        "from tornado_service.server import http\nhttp.CLOSING_DELAY = 60\n"
    )
    process = external(
        f"--port={port}", "--config=settings.py", "--TornadoService.shutdown_grace=60"
    )
    await until_logged(process, "Listening")
    async with KeptConnection(port) as kept:
        kept.send("/health")
        assert await kept.receive() == (200, "", {"status": "ok"})

        process.terminate()
        await until_logged(process, "Stopping; 0 requests are open")
        kept.send("/health")

        assert await kept.receive() == (200, "close", {"status": "ok"})
        assert await kept.is_closed()
    assert await asyncio.to_thread(process.wait, 60) == 0
