"""A proxy shares connections between users: none of them gets what is meant for another."""

from __future__ import annotations

import asyncio

import pytest

from tornado_service.app import TornadoService
from tornado_service.testing import PREFIX

HEALTH = f"GET {PREFIX}health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

#: What a proxy sends on the same connection: the rest of a body, or the next user's request.
NEXT = f"GET {PREFIX}health?next HTTP/1.1\r\nHost: x\r\n\r\n"


async def talk(service: TornadoService, request: str) -> bytes:
    """All responses on a connection, up to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    try:
        writer.write(request.encode())
        return await asyncio.wait_for(reader.read(), 30)
    finally:
        writer.close()


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS"])
@pytest.mark.parametrize("length", ["", "Content-Length: 0\r\n"])
async def test_the_rest_of_a_body_is_no_request(
    service: TornadoService, caplog: pytest.LogCaptureFixture, method: str, length: str
) -> None:
    request = f"{method} {PREFIX}health HTTP/1.1\r\nHost: x\r\n{length}\r\n"

    responses = await talk(service, request + NEXT)

    assert responses.count(b"HTTP/1.1 ") == 1
    assert b"\r\nConnection: close\r\n" in responses
    await talk(service, HEALTH)
    assert "health?next" not in caplog.text
    assert "GET" in caplog.text


@pytest.mark.parametrize(
    "framing", ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]
)
async def test_an_upgrade_with_a_body_is_the_last_request(
    service: TornadoService, framing: str
) -> None:
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"

    responses = await talk(
        service, f"GET {PREFIX}health HTTP/1.1\r\nHost: x\r\n{upgrade}{framing}{NEXT}"
    )

    assert responses.count(b"HTTP/1.1 ") == 1
    assert b"\r\nConnection: close\r\n" in responses


async def test_a_connection_with_ordinary_requests_stays_open(service: TornadoService) -> None:
    requests = [
        f"GET {PREFIX}health HTTP/1.1\r\nHost: x\r\n\r\n",
        f"DELETE {PREFIX}health HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi",
        f"DELETE {PREFIX}health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEALTH,
    ]

    responses = await talk(service, "".join(requests))

    assert responses.count(b"HTTP/1.1 ") == 4


async def test_a_closed_connection_has_no_further_request(
    service: TornadoService, caplog: pytest.LogCaptureFixture
) -> None:
    responses = await talk(service, HEALTH + NEXT)

    assert responses.count(b"HTTP/1.1 ") == 1
    await talk(service, HEALTH)
    assert "health?next" not in caplog.text
