"""An answer of an app's that has no end leaves the others their turn."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

from tests.test_config import ENVIRONMENT
from tests.test_server import launch, port, wait_for_line  # noqa: F401 - fixtures
from tornado_service.watch import LIMIT

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


def test_an_answer_without_end_leaves_others_their_turn(launch, port: int, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "endless.py").write_text(APP)
    process = launch("--TornadoService.apps=endless:App", PYTHONPATH=str(tmp_path))
    wait_for_line(process, "App endless is ready")
    ended = threading.Event()
    much = threading.Event()

    def read(connection: socket.socket) -> None:
        count = 0
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
            # were it held, it would have been interrupted by now
            assert not ended.wait(2 * LIMIT)
        finally:
            process.terminate()
            connection.shutdown(socket.SHUT_RDWR)
            reader.join()
