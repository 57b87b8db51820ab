"""A response that is too large: the connection is closed, with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from tornado.httpclient import HTTPRequest

from tornado_service.hub.errors import HubResponseTooLarge, HubUnavailable
from tornado_service.hub.http import MAX_RESPONSE, BoundedHTTPClient

#: Bytes in buffers between the two ends of a connection.
BUFFERED = 64 * 1024 * 1024

PART = b"x" * 65536

HEADS = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "one chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3b9aca00\r\n",
    "until it is closed": b"HTTP/1.1 200 OK\r\n\r\n",
}


class Sender:
    """Sends a body of 1 GB to every client, and counts how much they read."""

    def __init__(self, head: bytes, part: bytes) -> None:
        self.head = head
        self.part = part
        self.sent = 0
        self.is_over = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self.head)
            while self.sent < 1_000_000_000:
                writer.write(self.part)
                await writer.drain()
                self.sent += len(self.part)
        except ConnectionError:
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            self.is_over.set()


@pytest.fixture
async def client() -> AsyncIterator[BoundedHTTPClient]:
    client = BoundedHTTPClient(force_instance=True)
    yield client
    client.close()


async def fetch_from(sender: Sender, client: BoundedHTTPClient) -> None:
    server = await asyncio.start_server(sender.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        url = f"http://127.0.0.1:{port}/hub/api/users?offset=0"
        await client.fetch(HTTPRequest(url, request_timeout=60), raise_error=False)
    finally:
        await asyncio.wait_for(sender.is_over.wait(), 60)
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("kind", HEADS)
async def test_the_rest_of_it_is_not_read(
    client: BoundedHTTPClient, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    part = b"10000\r\n" + PART + b"\r\n" if kind == "chunks" else PART
    sender = Sender(HEADS[kind], part)

    with pytest.raises(HubResponseTooLarge) as error:
        await fetch_from(sender, client)

    assert sender.sent < MAX_RESPONSE + BUFFERED
    assert "GET /hub/api/users?offset=0" in error.value.detail
    assert ("has 953.7 MiB" in error.value.detail) == (kind == "length")
    assert "the limit is 8 MiB" in error.value.detail
    assert "Malformed" not in caplog.text
    assert "Uncaught" not in caplog.text


async def test_an_error_with_a_large_body_stays_an_error(client: BoundedHTTPClient) -> None:
    sender = Sender(HEADS["length"].replace(b"200 OK", b"500 Oops"), PART)

    with pytest.raises(HubUnavailable) as error:
        await fetch_from(sender, client)

    assert not isinstance(error.value, HubResponseTooLarge)
    assert "it returned 500" in error.value.detail


@pytest.mark.parametrize("kind", ["length", "chunks"])
async def test_a_response_of_exactly_the_limit_is_read(
    client: BoundedHTTPClient, kind: str
) -> None:
    body = b"x" * MAX_RESPONSE

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if kind == "length":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        else:
            writer.write(HEADS["chunks"] + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    response = await client.fetch(f"http://127.0.0.1:{port}/", request_timeout=60)
    server.close()
    await server.wait_closed()

    assert response.body == body
