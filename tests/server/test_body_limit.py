"""The total size of incoming bodies is bounded."""

import asyncio
from typing import Any

import pytest
from tornado.web import stream_request_body

from tornado_service import PageHandler, ServiceApp
from tornado_service.app import TornadoService
from tornado_service.server import body_limit as incoming
from tornado_service.testing import Fetch, StandInHub

SIZE = 60_000


@stream_request_body
class Counter(PageHandler):
    """Takes bodies of any size, piece by piece."""

    checks_origin = True
    size = 0

    async def prepare(self) -> None:
        await super().prepare()
        self.request.connection.set_max_body_size(1000 * SIZE)

    def data_received(self, chunk: bytes) -> None:
        self.size += len(chunk)

    async def post(self) -> None:
        self.write(f"{self.size} bytes")


class Counting(ServiceApp):
    name = "counting"

    def handlers(self) -> list[tuple[Any, ...]]:
        return [("", Counter)]


@pytest.fixture
async def service(start_service, monkeypatch: pytest.MonkeyPatch) -> TornadoService:
    monkeypatch.setattr(incoming, "MAX_PENDING_BODY_BYTES", 1)
    apps = [f"{__name__}:Counting"]
    return await start_service(
        TornadoService={"max_body_size": SIZE + SIZE // 2, "apps": apps},
    )


async def half_a_request(
    service: TornadoService,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A request whose body is not complete."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    head = f"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: {SIZE + 1}\r\n\r\n"
    writer.write(head.encode() + b"x" * SIZE)
    return reader, writer


async def test_too_much_data_at_once_refuses_a_request_and_no_later_ones(
    service: TornadoService, hub: StandInHub, fetch: Fetch
) -> None:
    connections = [await half_a_request(service) for _ in range(2)]
    responses = [asyncio.ensure_future(reader.read()) for reader, _ in connections]
    done, waiting = await asyncio.wait(responses, return_when=asyncio.FIRST_COMPLETED, timeout=30)

    (refused,) = done
    assert refused.result().startswith(b"HTTP/1.1 503")
    assert b"Retry-After" in refused.result()
    assert len(waiting) == 1

    for _, writer in connections:
        writer.close()
    await asyncio.gather(*responses)
    body = {"method": "POST", "body": "x" * SIZE, "token": hub.token_for("alice")}

    async def until_not_full() -> None:
        while (await fetch("api/user", **body)).code == 503:
            await asyncio.sleep(0.01)

    await asyncio.wait_for(until_not_full(), 30)


async def test_bodies_that_have_arrived_do_not_count(
    service: TornadoService, hub: StandInHub, fetch: Fetch
) -> None:
    token = hub.token_for("alice")

    for _ in range(5):
        response = await fetch("api/user", method="POST", body="x" * SIZE, token=token)
        assert response.code == 405


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
async def test_a_body_that_its_handler_takes_piece_by_piece_does_not_count(
    service: TornadoService, hub: StandInHub, fetch: Fetch, kind: str
) -> None:
    body = "&" * 100 * SIZE

    response = await fetch(
        "counting/",
        method="POST",
        body=body,
        token=hub.token_for("alice"),
        headers={"Content-Type": kind},
    )

    assert response.body.decode() == f"{100 * SIZE} bytes"
