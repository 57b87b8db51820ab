"""Calls of an app that may be hostile: its responses, its connections, its end."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.support.proxy import OK, Call, Proxied, Script, chunked, head, respond
from tests.support.streaming import until

BAD = {
    "nothing": b"",
    "HTTP/0.9": b"<html>hello</html>",
    "TLS": b"\x16\x03\x01\x00\xa5\x01\x00",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "HTTP/2": b"HTTP/2.0 OK\r\n\r\n",
    "no number": b"HTTP/1.1 OK\r\n\r\n",
    "status 0": b"HTTP/1.1 000 OK\r\n\r\n",
    "length and chunks": head("200 OK", "Content-Length: 2", "Transfer-Encoding: chunked")
    + chunked(b"ok"),
    "chunks in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"a"),
    "two lengths": head("200 OK", "Content-Length: 2", "Content-Length: 3") + b"ok",
    "a list of lengths": head("200 OK", "Content-Length: 2, 3") + b"ok",
    "a negative length": head("200 OK", "Content-Length: -2") + b"ok",
    "a hexadecimal length": head("200 OK", "Content-Length: 0x2") + b"ok",
    "another coding": head("200 OK", "Transfer-Encoding: gzip, chunked") + chunked(b"a"),
    "two codings": head("200 OK", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "NUL": head("200 OK", "X-A: a\0b", "Content-Length: 0"),
    "a bare CR": head("200 OK", "X-A: a\rSet-Cookie: b", "Content-Length: 0"),
    "a space in a name": head("200 OK", "X A: a", "Content-Length: 0"),
    "a space before the colon": head("200 OK", "Content-Length : 0"),
    "a name that is not ASCII": head("200 OK", "X-\xe9: a", "Content-Length: 0"),
    "no colon": head("200 OK", "X-A", "Content-Length: 0"),
    "folding at once": b"HTTP/1.1 200 OK\r\n X-A: a\r\n\r\n",
    "an unexpected switch": head("101 Switching Protocols", "Upgrade: websocket"),
    "endless hints": head("103 Early Hints", "Link: </a>") * 100,
}


CONTINUE = b"HTTP/1.1 100 (Continue)\r\n\r\n"


async def script_of(raw: bytes) -> Script:
    return respond(raw, close=True)


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD)
async def test_an_invalid_response_is_an_error_of_the_app(
    proxied: Proxied, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    proxied.upstream.script = respond(raw, close=True)

    reply = await proxied.call()

    assert reply.status == 502
    assert b"This app sent an invalid response." in reply.body
    (line,) = [
        record.getMessage() for record in caplog.records if "invalid response" in record.message
    ]
    assert line.startswith("App sales sent an invalid response, request_id=")
    assert [record for record in caplog.records if record.exc_info] == []
    proxied.upstream.script = respond(OK)
    assert (await proxied.call()).status == 200


@pytest.mark.parametrize(
    "piece", [b"X-A: " + b"a" * 4000 + b"\r\n", b"a" * 4000, b"X: 1\r\n" * 500], ids=len
)
async def test_endless_headers_are_cut_off(proxied: Proxied, piece: bytes) -> None:
    async def script(call: Call) -> None:
        await call.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            await call.send(piece)

    proxied.upstream.script = script

    assert (await proxied.call()).status == 502


async def test_endless_trailers_are_cut_off(proxied: Proxied) -> None:
    async def script(call: Call) -> None:
        await call.send(head("200 OK", "Transfer-Encoding: chunked") + b"1\r\na\r\n0\r\n")
        while True:
            await call.send(b"X-A: " + b"a" * 4000 + b"\r\n")

    proxied.upstream.script = script
    async with proxied.connect() as visitor:
        await visitor.send_head()
        assert not (await visitor.read_to_end()).endswith(b"0\r\n\r\n")


async def test_folded_headers_become_one_line(proxied: Proxied) -> None:
    proxied.upstream.script = respond(
        head("200 OK", "X-A: a\r\n Set-Cookie: _xsrf=1", "Content-Length: 0")
    )

    assert (await proxied.call()).get("X-A") == "a Set-Cookie: _xsrf=1"


async def test_a_second_response_is_nobody_elses(proxied: Proxied) -> None:
    planted = OK + head("200 OK", "Content-Length: 7") + b"planted"
    proxied.upstream.script = respond(planted)

    async with proxied.connect() as visitor:
        assert (await visitor.call()).body == b"ok"
        proxied.upstream.script = respond(OK)
        assert (await visitor.call()).body == b"ok"
    assert proxied.upstream.connections == 2


async def test_a_response_that_comes_later_is_nobody_elses(proxied: Proxied) -> None:
    sent = asyncio.Event()

    async def script(call: Call) -> None:
        await call.send(OK)
        while not len(proxied.app.pool):
            await asyncio.sleep(0.01)
        await call.send(head("200 OK", "Content-Length: 7") + b"planted")
        sent.set()

    proxied.upstream.script = script
    assert (await proxied.call()).body == b"ok"
    await sent.wait()
    proxied.upstream.script = respond(OK)

    assert (await proxied.call()).body == b"ok"


class TestKeepAlive:
    async def test_connections_are_used_again(self, proxied: Proxied) -> None:
        for _ in range(3):
            assert (await proxied.call()).status == 200

        assert proxied.upstream.connections == 1

    async def test_a_connection_that_the_app_has_closed_is_noticed(self, proxied: Proxied) -> None:
        proxied.upstream.script = respond(OK, close=True)

        for _ in range(3):
            assert (await proxied.call()).status == 200

    @pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
    async def test_a_request_is_sent_again_once(self, proxied: Proxied, method: str) -> None:
        async def script(call: Call) -> None:
            if call.number > 1:  # it has gone on with the connection's end
                call.writer.close()
                return
            await call.send(OK if method != "HEAD" else OK.removesuffix(b"ok"))

        proxied.upstream.script = script
        assert (await proxied.call(method)).status == 200
        assert (await proxied.call(method)).status == 200

        assert len(proxied.upstream.requests) == 3
        assert proxied.upstream.connections == 2

    async def test_not_more_than_once(self, proxied: Proxied) -> None:
        assert (await proxied.call()).status == 200
        proxied.upstream.script = respond(b"", close=True)

        assert (await proxied.call()).status == 502
        assert len(proxied.upstream.requests) == 3

    async def test_not_after_a_part_of_the_response(self, proxied: Proxied) -> None:
        assert (await proxied.call()).status == 200
        proxied.upstream.script = respond(b"HTTP/1.1 2", close=True)

        assert (await proxied.call()).status == 502
        assert len(proxied.upstream.requests) == 2

    async def test_what_changes_something_is_never_sent_twice(self, proxied: Proxied) -> None:
        assert (await proxied.call()).status == 200
        proxied.upstream.script = respond(b"", close=True)

        assert (await proxied.call("POST", "", {"Content-Length": "0"})).status == 502
        assert (await proxied.call("PUT", "", body=b"a")).status == 502

        assert len(proxied.upstream.requests) == 3
        assert proxied.upstream.connections == 3  # none that could be about to close

    async def test_a_connection_that_the_app_closes_is_not_kept(self, proxied: Proxied) -> None:
        proxied.upstream.script = respond(head("200 OK", "Content-Length: 0", "Connection: close"))

        for _ in range(2):
            reply = await proxied.call()
            assert reply.get("Connection") is None
        assert proxied.upstream.connections == 2


class TestEarlyResponses:
    @pytest.mark.parametrize("status", ["413 Too Large", "401 Unauthorized"])
    @pytest.mark.parametrize("framing", ["Content-Length", "Transfer-Encoding"])
    async def test_a_response_before_the_end_of_the_body_arrives(
        self, proxied: Proxied, status: str, framing: str
    ) -> None:
        async def script(call: Call) -> None:
            body = b"no" if framing == "Content-Length" else chunked(b"no")
            value = "2" if framing == "Content-Length" else "chunked"
            await call.send(head(status, f"{framing}: {value}") + body)
            call.writer.close()  # with unread bytes: the connection is reset

        proxied.upstream.script = script
        async with proxied.connect() as visitor:
            await visitor.send_head("POST", "", {"Content-Length": str(10**9)})
            await visitor.send(b"a" * 300_000)
            reply = await visitor.read()

        assert (reply.status, reply.body) == (int(status[:3]), b"no")

    @pytest.mark.parametrize("expects", [False, True])
    async def test_it_arrives_while_the_visitor_only_sends(
        self, proxied: Proxied, expects: bool
    ) -> None:
        async def script(call: Call) -> None:
            await call.reader.readexactly(100_000)
            await call.send(head("413 Too Large", "Content-Length: 2") + b"no")
            call.writer.close()

        proxied.upstream.script = script
        async with proxied.connect() as visitor:
            headers = {"Expect": "100-continue"} if expects else {}  # as curl for a large body
            await visitor.send_head("POST", "", {"Content-Length": "900000", **headers})
            if expects:
                assert await visitor.reader.readuntil(b"\r\n\r\n") == CONTINUE
            for _ in range(9):
                await visitor.send(b"a" * 100_000)
            assert (await visitor.read()).status == 413

    async def test_both_directions_at_once(self, proxied: Proxied) -> None:
        async def script(call: Call) -> None:
            await call.send(head("200 OK", "Transfer-Encoding: chunked"))
            while size := int(await call.reader.readline(), 16):
                data = (await call.reader.readexactly(size + 2))[:-2]
                await call.send(b"%x\r\n%s\r\n" % (size, data.upper()))
            await call.reader.readline()
            await call.send(b"0\r\n\r\n")

        proxied.upstream.script = script
        async with proxied.connect() as visitor:
            await visitor.send_head("POST", "", {"Transfer-Encoding": "chunked"})
            assert (await visitor.read_head()).status == 200
            for word in (b"one", b"two"):
                await visitor.send(b"3\r\n%s\r\n" % word)
                echo = b"3\r\n%s\r\n" % word.upper()
                assert await visitor.reader.readexactly(8) == echo
            await visitor.send(b"0\r\n\r\n")
            assert await visitor.reader.readexactly(5) == b"0\r\n\r\n"


class TestAnEnd:
    @pytest.mark.parametrize("begun", [False, True])
    async def test_a_visitor_who_leaves_cancels_the_call(
        self, proxied: Proxied, begun: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        closed = asyncio.Event()

        async def script(call: Call) -> None:
            if begun:
                await call.send(head("200 OK", "Transfer-Encoding: chunked") + b"1\r\na\r\n")
            await call.wait_closed()
            closed.set()

        proxied.upstream.script = script
        async with proxied.connect() as visitor:
            await visitor.send_head()
            await until(lambda: bool(proxied.upstream.requests))
            if begun:
                await visitor.read_head()
        await asyncio.wait_for(closed.wait(), 30)
        await until(lambda: proxied.service.context.open_requests == 0)

        assert f"{200 if begun else 499} GET " in caplog.text
        assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []

    async def test_the_call_of_a_visitor_who_has_left_is_not_repeated(
        self, proxied: Proxied
    ) -> None:
        assert (await proxied.call()).status == 200
        closed = proxied.upstream.wait_until_closed()
        async with proxied.connect() as visitor:
            await visitor.send_head()
            await until(lambda: len(proxied.upstream.requests) == 2)
        await asyncio.wait_for(closed.wait(), 30)
        await until(lambda: proxied.service.context.open_requests == 0)

        assert proxied.upstream.connections == 1
        assert len(proxied.upstream.requests) == 2

    async def test_a_visitor_who_leaves_within_the_body(
        self, proxied: Proxied, caplog: pytest.LogCaptureFixture
    ) -> None:
        closed = proxied.upstream.wait_until_closed()
        async with proxied.connect() as visitor:
            await visitor.send_head("POST", "", {"Content-Length": "100"})
            await visitor.send(b"a" * 50)
            await until(lambda: bool(proxied.upstream.requests))
        await asyncio.wait_for(closed.wait(), 30)
        await until(lambda: proxied.service.context.open_requests == 0)

        assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []

    async def test_a_malformed_body_of_the_visitor_ends_the_call(self, proxied: Proxied) -> None:
        closed = proxied.upstream.wait_until_closed()
        async with proxied.connect() as visitor:
            await visitor.send_head("POST", "", {"Transfer-Encoding": "chunked"})
            await visitor.send(b"1\r\na\r\nnonsense\r\n")
            await asyncio.wait_for(closed.wait(), 30)
        await until(lambda: proxied.service.context.open_requests == 0)
