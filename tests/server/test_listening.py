"""When the process cannot open a file for another connection."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.support.files import no_more_files
from tornado_service.server import listening
from tornado_service.server.process import bind
from tornado_service.testing import PREFIX, StartService


async def test_connections_wait_until_there_are_files_again(
    start_service: StartService, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "PAUSE", 0.05)
    service = await start_service()
    with socket.socket() as visitor:
        visitor.setblocking(False)
        with no_more_files():
            loop = asyncio.get_running_loop()
            await loop.sock_connect(visitor, ("127.0.0.1", service.port))
            request = f"GET {PREFIX}health HTTP/1.1\r\nHost: x\r\n\r\n"
            await loop.sock_sendall(visitor, request.encode())
            await asyncio.sleep(0.3)
        response = await asyncio.wait_for(loop.sock_recv(visitor, 1000), 10)

    assert response.startswith(b"HTTP/1.1 200")
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("[E")]
    assert len(lines) == 1
    assert "Cannot accept connections (Too many open files): close some, or raise the" in lines[0]


async def test_a_server_may_stop_meanwhile(
    start_service: StartService, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "PAUSE", 0.05)
    service = await start_service()
    sockets = bind(0, "127.0.0.1")
    port = sockets[0].getsockname()[1]
    server = service.make_server(sockets)
    server.start()
    with socket.socket() as visitor:
        visitor.setblocking(False)
        with no_more_files():
            await asyncio.get_running_loop().sock_connect(visitor, ("127.0.0.1", port))
            await asyncio.sleep(0.01)
            server.stop_immediately()
            await service.close_server(server)
        await asyncio.sleep(0.1)

    log = capsys.readouterr().err
    assert "Cannot accept connections" in log
    assert "Traceback" not in log
