"""Answers of an app's that are long, or have no end, leave the others their turn."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.support.launched import ENVIRONMENT, wait_for_line
from tornado_service import APIHandler, ServiceApp, allow_unauthenticated
from tornado_service.apps.isolation.watchdog import BLOCK_LIMIT
from tornado_service.testing import Fetch, ServiceConfig

APP = """
from tornado_service import APIHandler, ServiceApp, allow_unauthenticated


class Endless(APIHandler):
    @allow_unauthenticated
    async def get(self):
        while True:
            self.write("x" * 1024)
            await self.flush()


class Works(APIHandler):
    @allow_unauthenticated
    async def get(self) -> dict[str, bool]:
        return {"works": True}


class App(ServiceApp):
    name = "endless"

    def handlers(self):
        return [("api/endless", Endless), ("api/works", Works)]
"""

HOME = ENVIRONMENT["JUPYTERHUB_SERVICE_PREFIX"] + "endless/api/"


def test_an_answer_without_end_leaves_others_their_turn(launch, port: int, tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text(APP)
    process = launch("--TornadoService.apps=endless:App", PYTHONPATH=str(tmp_path))
    wait_for_line(process, "App endless is ready")
    ended = threading.Event()
    much = threading.Event()

    def read(connection: socket.socket) -> None:
        count = 0
        with suppress(ConnectionResetError):  # the service has been stopped
            while chunk := connection.recv(1 << 16):
                count += len(chunk)
                if count > 10 << 20:
                    much.set()
        ended.set()

    with closing(socket.create_connection(("127.0.0.1", port))) as connection:
        connection.sendall(f"GET {HOME}endless HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        reader = threading.Thread(target=read, args=(connection,))
        reader.start()
        try:
            assert much.wait(30)
            for _ in range(100):
                with urlopen(f"http://127.0.0.1:{port}{HOME}works", timeout=30) as answer:
                    assert json.load(answer) == {"works": True}
            assert not ended.wait(2 * BLOCK_LIMIT)
        finally:
            process.terminate()
            connection.shutdown(socket.SHUT_RDWR)
            reader.join()


LARGE_RESPONSE = 1024 * 1024


class Text(APIHandler):
    """Each method answers in its own way."""

    @allow_unauthenticated
    def get(self, length: int) -> None:
        self.set_header("Content-Type", "text/plain")
        self.write("x" * length)

    @allow_unauthenticated
    async def post(self, length: int) -> None:
        self.set_header("Content-Type", "text/plain")
        self.write("x" * length)

    @allow_unauthenticated
    def put(self, length: int) -> None:
        self.finish("x" * length)

    @allow_unauthenticated
    def patch(self, length: int) -> str:
        return "x" * length


class Texts(ServiceApp):
    name = "texts"

    def handlers(self) -> list[tuple[Any, ...]]:
        return [("([0-9]+)", Text)]


@pytest.fixture
def service_config() -> ServiceConfig:
    return {"TornadoService": {"apps": ["tests.apps.typed.test_dispatch:Texts"]}}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH"])
@pytest.mark.parametrize(
    "length", [10, LARGE_RESPONSE - 2, LARGE_RESPONSE + 1, 5 * LARGE_RESPONSE + 3]
)
async def test_an_answer_of_any_length_arrives(fetch: Fetch, method: str, length: int) -> None:
    body = None if method == "GET" else ""
    answer = await fetch(f"texts/{length}", method=method, body=body, decompress_response=False)

    assert answer.code == 200
    assert answer.body.strip(b'"') == b"x" * length
    assert int(answer.headers["Content-Length"]) == len(answer.body)
