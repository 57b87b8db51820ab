"""The response as the visitor gets it."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest

from tests.support.proxy import (
    PATH,
    Call,
    Proxied,
    chunked,
    head,
    is_complete,
    respond,
)
from tests.support.proxy_fixtures import StartProxy

CSP = ("Content-Security-Policy", "frame-ancestors 'self'")
ADDED = [CSP, ("Cache-Control", "private, no-cache")]


async def test_status_headers_and_body_pass_as_they_are(proxied: Proxied) -> None:
    body = gzip.compress(b"a" * 5000)
    lines = [
        ("content-type", "text/plain"),
        ("Content-Encoding", "gzip"),
        ("X-Name", "gr\xc3\xbc\xdf"),
        ("Set-Cookie", "a=1"),
        ("set-cookie", "b=2; HttpOnly"),
        ("Content-Length", str(len(body))),
        ("Content-Security-Policy", "default-src *; frame-ancestors *"),
        ("Cache-Control", "no-store"),
    ]
    raw = head("299 gro\xc3\x9f", *(f"{name}: {value}" for name, value in lines)) + body
    proxied.upstream.script = respond(raw)

    reply = await proxied.call("GET", "", {"Accept-Encoding": "gzip"})

    assert (reply.status, reply.reason, reply.body) == (299, "gro\xc3\x9f", body)
    assert reply.headers == lines


async def test_what_is_not_compressed_stays_so(proxied: Proxied) -> None:
    proxied.upstream.script = respond(
        head("200 OK", "Content-Type: text/html", "Content-Length: 9000") + b"a" * 9000
    )

    reply = await proxied.call("GET", "", {"Accept-Encoding": "gzip"})

    assert reply.body == b"a" * 9000
    assert reply.get("Content-Encoding") is None
    assert reply.get("Etag") is None
    assert reply.headers[-2:] == ADDED


@pytest.mark.parametrize("chunks", [(b"a",), (b"", b"ab", b"c" * 100_000), tuple([b"x"] * 3000)])
async def test_a_body_in_chunks(proxied: Proxied, chunks: tuple[bytes, ...]) -> None:
    body = b"".join(chunks)
    raw = head("200 OK", "Transfer-Encoding: chunked") + chunked(*filter(None, chunks))
    proxied.upstream.script = respond(raw)

    reply = await proxied.call()

    assert reply.body == body
    assert reply.get_list("Transfer-Encoding") == ["chunked"]
    assert reply.get("Content-Length") is None


async def test_a_body_that_ends_with_the_connection(proxied: Proxied) -> None:
    proxied.upstream.script = respond(b"HTTP/1.0 200 OK\r\n\r\nabc", close=True)

    reply = await proxied.call()

    assert (reply.body, reply.get("Transfer-Encoding")) == (b"abc", "chunked")


async def test_an_http_1_0_visitor_gets_no_chunks(proxied: Proxied) -> None:
    raw = head("200 OK", "Transfer-Encoding: chunked") + chunked(b"ab", b"c")
    proxied.upstream.script = respond(raw)

    async with proxied.connect() as visitor:
        await visitor.send_head("GET", "", {"Connection": "keep-alive"}, version="1.0")
        data = await visitor.read_to_end()

    assert data.endswith(b"\r\n\r\nabc")
    assert b"chunked" not in data.lower()


async def test_head_has_the_headers_of_get_and_no_body(proxied: Proxied) -> None:
    proxied.upstream.script = respond(head("200 OK", "Content-Length: 5000", 'ETag: "1"'))

    async with proxied.connect() as visitor:
        reply = await visitor.call("HEAD")
        assert (reply.get("Content-Length"), reply.get("ETag")) == ("5000", '"1"')
        assert (await visitor.call("HEAD")).status == 200

    assert proxied.upstream.requests[0].line.startswith("HEAD ")


async def test_head_without_a_length(proxied: Proxied) -> None:
    proxied.upstream.script = respond(head("200 OK", "Transfer-Encoding: chunked"))

    async with proxied.connect() as visitor:
        for _ in range(2):
            reply = await visitor.call("HEAD")
            assert reply.headers == ADDED


@pytest.mark.parametrize(
    ("raw", "length"),
    [
        (head("204 No Content"), None),
        (head("204 No Content", "Content-Length: 0"), None),
        (head("304 Not Modified", "Content-Length: 5000"), "5000"),
        (head("304 Not Modified"), None),
    ],
)
async def test_responses_without_a_body(proxied: Proxied, raw: bytes, length: str | None) -> None:
    proxied.upstream.script = respond(raw)

    async with proxied.connect() as visitor:
        for _ in range(2):  # the connection stays in step
            reply = await visitor.call()
            assert reply.get("Content-Length") == length
            assert reply.get("Transfer-Encoding") is None


async def test_a_range(proxied: Proxied) -> None:
    raw = head("206 Partial Content", "Content-Range: bytes 2-3/10", "Content-Length: 2") + b"cd"
    proxied.upstream.script = respond(raw)

    reply = await proxied.call("GET", "", {"Range": "bytes=2-3", "If-Range": '"1"'})

    assert proxied.upstream.request.get("Range") == "bytes=2-3"
    assert (reply.status, reply.get("Content-Range"), reply.body) == (206, "bytes 2-3/10", b"cd")


async def test_informational_responses_are_passed(proxied: Proxied) -> None:
    proxied.upstream.script = respond(
        head("102 Processing")
        + head("100 Continue")
        + head("103 Early Hints", "Link: </a.css>; rel=preload", "Set-Cookie: _xsrf=1")
        + head("200 OK", "Content-Length: 0")
    )

    reply = await proxied.call()

    assert reply.informational == [(102, []), (103, [("Link", "</a.css>; rel=preload")])]
    assert reply.status == 200
    assert (await proxied.call("GET", "", version="1.0")).informational == []


async def test_trailers_are_passed_to_who_reads_them(proxied: Proxied) -> None:
    trailers = b"X-Sum: 1\r\nSet-Cookie: a=1\r\n"
    raw = head("200 OK", "Transfer-Encoding: chunked", "Trailer: X-Sum")
    proxied.upstream.script = respond(raw + chunked(b"abc", trailers=trailers))

    reply = await proxied.call("GET", "", {"TE": "trailers", "Connection": "TE"})
    other = await proxied.call()
    proxied.upstream.script = respond(head("304 Not Modified", "Trailer: X-Sum"))
    without_body = await proxied.call("GET", "", {"TE": "trailers", "Connection": "TE"})

    assert reply.body == b"abc|X-Sum: 1\r\n"
    assert reply.get("Trailer") == "X-Sum"
    assert (other.body, other.get("Trailer")) == (b"abc", None)
    assert without_body.get("Trailer") is None


async def test_redirects_and_cookies_are_put_under_the_prefix(start_proxy: StartProxy) -> None:
    proxied = await start_proxy(strip_prefix=True)
    proxied.upstream.script = respond(
        head(
            "302 Found",
            "Location: /login?next=/",
            "Refresh: 0; url=/login",
            "Content-Location: /a",
            "Set-Cookie: a=1; Path=/",
            "Set-Cookie: _xsrf=1",
            "Set-Cookie: b=1; Domain=example.org",
            "Content-Length: 0",
        )
    )

    reply = await proxied.call()

    assert reply.get("Location") == f"{PATH}login?next=/"
    assert reply.get("Refresh") == f"0; url={PATH}login"
    assert reply.get("Content-Location") == f"{PATH}a"
    assert reply.get_list("Set-Cookie") == [f"a=1; Path={PATH}", "b=1"]


async def test_a_location_that_is_no_url_is_passed(proxied: Proxied) -> None:
    proxied.upstream.script = respond(head("302 Found", "Location: http://[/", "Content-Length: 0"))

    assert (await proxied.call()).get("Location") == "http://[/"


async def test_frames_are_those_of_the_setting(start_proxy: StartProxy) -> None:
    sites = "https://lms.example 'self'"
    proxied = await start_proxy({"TornadoService": {"frame_ancestors": sites}})

    reply = await proxied.call()

    policy = "frame-ancestors 'self' https://lms.example"
    assert reply.get("Content-Security-Policy") == policy


async def test_events_arrive_one_by_one(proxied: Proxied) -> None:
    went_on = asyncio.Event()

    async def script(call: Call) -> None:
        await call.send(head("200 OK", "Content-Type: text/event-stream"))
        for number in range(3):
            await call.send(b"data: %d\n\n" % number)
            await went_on.wait()
            went_on.clear()
        call.writer.close()

    proxied.upstream.script = script
    async with proxied.connect() as visitor:
        await visitor.send_head()
        reply = await visitor.read_head()
        assert reply.get("Content-Type") == "text/event-stream"
        for number in range(3):
            expected = b"9\r\ndata: %d\n\n\r\n" % number
            assert await visitor.reader.readexactly(len(expected)) == expected
            went_on.set()
        assert await visitor.reader.readexactly(5) == b"0\r\n\r\n"


async def test_headers_arrive_before_the_body(proxied: Proxied) -> None:
    finish = asyncio.Event()

    async def script(call: Call) -> None:
        await call.send(head("200 OK", "Content-Length: 2"))
        await finish.wait()
        await call.send(b"ok")

    proxied.upstream.script = script
    async with proxied.connect() as visitor:
        await visitor.send_head()
        assert (await visitor.read_head()).status == 200
        finish.set()
        assert await visitor.reader.readexactly(2) == b"ok"


@pytest.mark.parametrize(
    "raw",
    [
        head("200 OK", "Content-Length: 10") + b"abc",
        head("200 OK", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n",
        head("200 OK", "Transfer-Encoding: chunked") + b"3\r\nabc\r\nxyz\r\n",
        head("200 OK", "Transfer-Encoding: chunked") + b"3\r\nabcX\r\n0\r\n\r\n",
        head("200 OK", "Transfer-Encoding: chunked") + b"5\r\nabc",
        head("200 OK", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\nbad trailer\r\n\r\n",
        head("200 OK", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n-1\r\n",
        head("200 OK", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n" + b"f" * 30 + b"\r\n",
    ],
)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_body_that_ends_early_never_looks_complete(
    proxied: Proxied, raw: bytes, version: str
) -> None:
    async def script(call: Call) -> None:
        start, _, body = raw.partition(b"\r\n\r\n")
        await call.send(start + b"\r\n\r\n")
        await visitor_has_headers.wait()
        await call.send(body)
        call.writer.close()

    visitor_has_headers = asyncio.Event()
    proxied.upstream.script = script
    async with proxied.connect() as visitor:
        await visitor.send_head(version=version)
        data = await visitor.reader.readuntil(b"\r\n\r\n")
        visitor_has_headers.set()
        if version == "1.0":
            with pytest.raises(ConnectionResetError):
                await visitor.reader.read()
        else:
            assert not is_complete(data + await visitor.read_to_end())


async def test_a_body_that_ends_early_in_its_first_piece_is_an_error(proxied: Proxied) -> None:
    raw = head("200 OK", "Transfer-Encoding: chunked") + b"nonsense\r\n"
    proxied.upstream.script = respond(raw, close=True)

    assert (await proxied.call()).status == 502


async def test_the_app_may_change_the_headers(
    proxied: Proxied, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(self: Any, handler: Any, headers: Any) -> None:
        headers["X-Extra"] = handler.current_user["name"]
        headers["Content-Length"] = "1"
        headers["Transfer-Encoding"] = "chunked"

    monkeypatch.setattr(type(proxied.app), "change_response_headers", change)
    reply = await proxied.call()

    assert (reply.get("X-Extra"), reply.body) == ("ada", b"ok")
    assert reply.get_list("Content-Length") == ["2"]


async def test_a_hook_cannot_split_the_response(
    proxied: Proxied, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(self: Any, handler: Any, headers: Any) -> None:
        headers["X-Extra"] = "a\r\nSet-Cookie: _xsrf=1"

    monkeypatch.setattr(type(proxied.app), "change_response_headers", change)
    reply = await proxied.call()

    assert reply.status == 500
    assert "1" not in reply.get_list("Set-Cookie")
