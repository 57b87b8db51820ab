"""Whether an app responds, by requests to real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.support.files import no_more_files
from tests.support.web_processes import PREFIX
from tornado_service.proxy.forward.target import Target
from tornado_service.proxy.process import readiness
from tornado_service.proxy.process.readiness import (
    NoResponse,
    Paths,
    Response,
    fetch,
    fetch_paths,
    is_refusing,
    wait_until_ready,
)

Serve = Callable[[bytes], Awaitable[Target]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class App:
    """A server that sends the same bytes to each request, and keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.response = OK
        self.ends = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.response)
        if self.ends:
            writer.close()
        else:
            await reader.read()
            writer.close()


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
async def target(app: App) -> AsyncIterator[Target]:
    server = await asyncio.start_server(app.serve, "127.0.0.1", 0)
    async with server:
        yield Target(port=server.sockets[0].getsockname()[1])


@pytest.mark.parametrize("status", [200, 204, 302, 401, 404, 500])
async def test_any_status_is_a_response(app: App, target: Target, status: int) -> None:
    app.response = f"HTTP/1.1 {status} X\r\nLocation: /login\r\n\r\n".encode()

    assert await fetch(target, "/", PREFIX) == Response(status, "/login")


async def test_the_request_is_a_plain_one(app: App, target: Target) -> None:
    await fetch(Target(port=target.port, path="/base"), f"{PREFIX}/", PREFIX)

    line, *headers = app.requests[0].decode().splitlines()
    assert line == f"GET /base{PREFIX}/ HTTP/1.1"
    assert "Host: 127.0.0.1" in headers
    assert f"X-Forwarded-Prefix: {PREFIX}" in headers


async def test_responses_1xx_come_before_the_response(app: App, target: Target) -> None:
    app.response = b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK

    assert (await fetch(target, "/", PREFIX)).status == 200


async def test_an_endless_body_is_not_waited_for(
    app: App, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "BODY_TIMEOUT", 0.05)
    app.response, app.ends = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", False

    assert (await fetch(target, "/", PREFIX)).status == 200


@pytest.mark.parametrize(
    ("kind", "encoding", "page"),
    [
        ("text/html; charset=utf-8", "", b"page"),
        ("text/HTML", "", b"page"),
        ("application/json", "", b""),
        ("text/html", "Content-Encoding: br\r\n", b""),
    ],
)
async def test_the_beginning_of_a_page_is_kept(
    app: App, target: Target, kind: str, encoding: str, page: bytes
) -> None:
    headers = f"Content-Type: {kind}\r\n{encoding}Transfer-Encoding: chunked\r\n\r\n"
    app.response = f"HTTP/1.1 200 OK\r\n{headers}2\r\npa\r\n2\r\nge\r\n0\r\n\r\n".encode()

    assert (await fetch(target, "/", PREFIX)).page == page


async def test_a_body_that_breaks_off_is_a_response(app: App, target: Target) -> None:
    app.response = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\npage"

    assert (await fetch(target, "/", PREFIX)).page == b"page"


@pytest.mark.parametrize("response", [b"SSH-2.0-OpenSSH\r\n", b"", b"HTTP/1.1 200 OK\r\n"])
async def test_other_protocols_are_no_response(app: App, target: Target, response: bytes) -> None:
    app.response = response

    with pytest.raises(NoResponse, match="no valid HTTP response"):
        await fetch(target, "/", PREFIX)


async def test_ready_is_when_it_responds(app: App, target: Target) -> None:
    app.response = b"not yet\r\n\r\n"
    waiting = asyncio.ensure_future(wait_until_ready(target, "/", PREFIX))
    while len(app.requests) < 3:
        await asyncio.sleep(0.01)
    assert not waiting.done()

    app.response = OK

    assert await waiting == Response(200)


async def test_a_server_that_has_ended_refuses(app: App) -> None:
    server = await asyncio.start_server(app.serve, "127.0.0.1", 0)
    target = Target(port=server.sockets[0].getsockname()[1])
    before = await is_refusing(target)
    server.close()
    await server.wait_closed()

    assert (before, await is_refusing(target)) == (False, True)


async def test_a_service_without_a_file_for_a_connection_is_not_refused(target: Target) -> None:
    with no_more_files():
        assert not await is_refusing(target)


async def test_an_app_that_works_gets_no_further_request(app: App, target: Target) -> None:
    assert await fetch_paths(target, PREFIX, False, Response(302, "/login")) is None
    assert await fetch_paths(target, PREFIX, True, Response(200)) is None
    assert app.requests == []


async def test_the_paths_of_an_app_that_does_not_know_its_prefix(app: App, target: Target) -> None:
    paths = await fetch_paths(target, PREFIX, False, Response(404))

    assert paths == Paths(Response(200), Response(404), Response(200))
    assert [request.split()[1].decode() for request in app.requests] == [
        "/",
        f"{PREFIX}{PREFIX}/",
    ]


async def test_the_paths_of_an_app_that_removes_slashes(app: App, target: Target) -> None:
    home = Response(301, PREFIX)

    assert await fetch_paths(target, PREFIX, False, home) == Paths(
        Response(200), home, Response(200)
    )


async def test_the_paths_of_an_app_without_prefix(app: App, target: Target) -> None:
    home = Response(302, f"{PREFIX}/")

    assert await fetch_paths(target, PREFIX, True, home) == Paths(home, Response(200), None)
