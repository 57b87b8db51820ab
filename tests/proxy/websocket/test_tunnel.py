"""What passes through a tunnel, with servers and clients of Tornado and of raw bytes."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets, bind_unix_socket
from tornado.web import Application
from tornado.websocket import WebSocketClientConnection, WebSocketHandler, websocket_connect

from tests.support.streaming import until
from tests.support.websocket_frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Frame,
    close_payload,
    read_frame,
)
from tests.support.websocket_relay import Meeting, Relay, meeting

MIB = 1024 * 1024


class Echo(WebSocketHandler):
    """Returns messages; closes with the code and reason of ``close CODE REASON``."""

    max_message_size = 256 * MIB

    def get_compression_options(self) -> dict[str, Any] | None:
        return {} if "deflate" in self.request.uri else None

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return subprotocols[-1] if subprotocols else None

    def check_origin(self, origin: str) -> bool:
        return True

    def on_message(self, message: str | bytes) -> None:
        if isinstance(message, str) and message.startswith("close "):
            _, code, reason = message.split(" ", 2)
            self.close(int(code), reason)
        else:
            self.write_message(message, binary=isinstance(message, bytes))

    def on_close(self) -> None:
        self.settings["closed"].append((self.close_code, self.close_reason))


@asynccontextmanager
async def echo(path: str = "", **options: Any) -> AsyncIterator[tuple[Relay, list[Any]]]:
    """A relay in front of an app of Tornado, and the ways its sockets were closed.

    Args:
        path: of a unix socket.
        options: arguments of ``Tunnel``.
    """
    closed: list[Any] = []
    app = HTTPServer(Application([(".*", Echo)], closed=closed, log_function=lambda handler: None))
    if path:
        app.add_socket(bind_unix_socket(path))
        relay = Relay(lambda: asyncio.open_unix_connection(path), **options)
    else:
        (socket_,) = bind_sockets(0, "127.0.0.1")
        app.add_socket(socket_)
        relay = Relay(lambda: asyncio.open_connection(*socket_.getsockname()), **options)
    try:
        yield relay, closed
    finally:
        app.stop()
        await relay.stop()
        await app.close_all_connections()


@asynccontextmanager
async def connect(
    relay: Relay, uri: str = "/", **options: Any
) -> AsyncIterator[WebSocketClientConnection]:
    url = f"ws://127.0.0.1:{relay.port}{uri}"
    client = await websocket_connect(url, max_message_size=256 * MIB, **options)
    try:
        yield client
    finally:
        client.close()
        await until(lambda: not relay.running)


@pytest.mark.parametrize("message", ["", "Grüße", "x" * 126, b"", bytes(range(256)), b"x" * 65536])
@pytest.mark.parametrize("is_unix", [False, True])
async def test_text_and_binary_messages_return_as_sent(
    message: str | bytes, is_unix: bool, tmp_path: Any
) -> None:
    path = str(tmp_path / "app") if is_unix else ""
    async with echo(path) as (relay, _), connect(relay) as client:
        await client.write_message(message, binary=isinstance(message, bytes))

        assert await client.read_message() == message


@pytest.mark.parametrize("size", [MIB, 64 * MIB])
async def test_large_messages_return_as_sent(size: int) -> None:
    async with echo() as (relay, _), connect(relay) as client:
        message = os.urandom(MIB) * (size // MIB)
        await client.write_message(message, binary=True)

        assert await client.read_message() == message


async def test_many_messages_at_once_keep_their_order() -> None:
    async with echo() as (relay, _), connect(relay) as client:
        messages = [str(number) * (number % 50) for number in range(2000)]
        for message in messages:
            client.write_message(message)

        assert [await client.read_message() for _ in messages] == messages


async def test_compression_is_agreed_from_end_to_end() -> None:
    options = {"compression_options": {}}
    async with echo() as (relay, _), connect(relay, "/deflate", **options) as client:
        assert "permessage-deflate" in client.headers["Sec-WebSocket-Extensions"]

        await client.write_message("hello " * 10_000)

        assert await client.read_message() == "hello " * 10_000
        assert client.protocol._wire_bytes_in < 1000


async def test_the_app_chooses_among_all_subprotocols() -> None:
    offered = ["bokeh", "token-as-a-subprotocol"]
    async with echo() as (relay, _), connect(relay, subprotocols=offered) as client:
        assert client.selected_subprotocol == "token-as-a-subprotocol"


async def test_without_subprotocol_there_is_no_header() -> None:
    async with echo() as (relay, _), connect(relay) as client:
        assert "Sec-WebSocket-Protocol" not in client.headers


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1012, "restart"), (4001, "Grüße")])
async def test_close_codes_and_reasons_of_the_app_arrive(code: int, reason: str) -> None:
    async with echo() as (relay, _), connect(relay) as client:
        await client.write_message(f"close {code} {reason}")

        assert await client.read_message() is None
        assert (client.close_code, client.close_reason or "") == (code, reason)


@pytest.mark.parametrize(("code", "reason"), [(1000, "bye"), (1001, "page left"), (4001, "Grüße")])
async def test_close_codes_and_reasons_of_the_visitor_arrive(code: int, reason: str) -> None:
    async with echo() as (relay, closed), connect(relay) as client:
        client.close(code, reason)

        assert await client.read_message() is None
        assert client.close_code == code  # the app's response
        assert closed == [(code, reason)]


FRAMES = [
    Frame(TEXT, b"whole"),
    Frame(TEXT, b"in ", is_final=False),
    Frame(PING, b"between"),
    Frame(CONTINUATION, b"frag", is_final=False),
    Frame(CONTINUATION, b"ments"),
    Frame(PONG, b"unasked"),
    Frame(PING),
    Frame(BINARY, b"\0" * 70_000, reserved=4),
    Frame(BINARY),
]


async def test_frames_of_each_kind_pass_as_they_are_in_both_directions(pair: Meeting) -> None:
    masked = [frame._replace(key=bytes([number] * 4)) for number, frame in enumerate(FRAMES, 1)]
    for frame in masked:
        pair.visitor.write(frame.encode())
    for frame in FRAMES:
        pair.app.write(frame.encode())

    assert [await read_frame(pair.app_reader) for _ in FRAMES] == masked
    assert [await read_frame(pair.visitor_reader) for _ in FRAMES] == FRAMES


async def test_frames_in_pieces_of_one_byte_pass(pair: Meeting) -> None:
    sent = Frame(TEXT, b"slowly" * 30, key=b"abcd")
    for byte in sent.encode():
        pair.visitor.write(bytes([byte]))
        await asyncio.sleep(0)

    assert await read_frame(pair.app_reader) == sent


async def test_a_message_arrives_before_its_rest_is_sent(pair: Meeting) -> None:
    pair.app.write(Frame(BINARY, bytes(MIB)).encode()[: MIB // 2])

    await pair.visitor_reader.readexactly(MIB // 2)


async def test_what_the_app_sends_with_its_response_arrives_first() -> None:
    greeting = [Frame(TEXT, str(number).encode()) for number in range(3)]
    async with meeting(b"".join(frame.encode() for frame in greeting)) as it:
        it.app.write(Frame(TEXT, b"later").encode())

        frames = [await read_frame(it.visitor_reader) for _ in range(4)]

    assert frames == [*greeting, Frame(TEXT, b"later")]


async def test_an_app_that_says_goodbye_with_its_response_is_understood() -> None:
    close = Frame(CLOSE, close_payload(1013, "full"))
    async with meeting(Frame(TEXT, b"no").encode() + close.encode()) as it:
        it.app.close()

        assert await read_frame(it.visitor_reader) == Frame(TEXT, b"no")
        assert await read_frame(it.visitor_reader) == close
        it.visitor.write(close._replace(key=b"abcd").encode())
        assert await it.visitor_reader.read() == b""
        await it.ended()


@pytest.mark.parametrize("sender", ["app", "visitor"])
async def test_a_slow_reader_stops_the_other_sides_sender(pair: Meeting, sender: str) -> None:
    """The sender can send little more than the kernel's buffers hold; memory does not grow."""
    writer = getattr(pair, sender)
    reader = pair.visitor_reader if sender == "app" else pair.app_reader
    reader._transport.pause_reading()
    await asyncio.sleep(0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    message = Frame(BINARY, bytes(MIB), key=b"").encode()
    sent = 0
    try:
        while sent < 100:
            writer.write(message)
            await asyncio.wait_for(writer.drain(), 1)
            sent += 1
    except asyncio.TimeoutError:
        pass
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    assert sent < 30
    assert grown < 32 * 1024, f"{grown} KiB"
    reader._transport.resume_reading()
    for _ in range(sent + 1):
        assert (await read_frame(reader)).payload == bytes(MIB)


async def test_the_other_direction_passes_while_one_is_stopped(pair: Meeting) -> None:
    pair.visitor_reader._transport.pause_reading()
    pair.app.write(Frame(BINARY, bytes(20 * MIB)).encode())
    for number in range(50):
        sent = Frame(TEXT, str(number).encode(), key=b"abcd")
        pair.visitor.write(sent.encode())
        assert await read_frame(pair.app_reader) == sent
    pair.visitor_reader._transport.resume_reading()

    assert len((await read_frame(pair.visitor_reader)).payload) == 20 * MIB


async def test_a_visitor_who_never_pauses_leaves_turns_to_others(pair: Meeting) -> None:
    turns = reads = 0
    most = 0
    read_bytes = pair.tunnel._visitor.read_bytes

    def counting(*args: Any, **more: Any) -> Any:
        nonlocal reads, most
        reads += 1
        most = max(most, reads)
        return read_bytes(*args, **more)

    def take_turn() -> None:
        nonlocal turns, reads
        turns += 1
        reads = 0
        asyncio.get_running_loop().call_soon(take_turn)

    pair.tunnel._visitor.read_bytes = counting  # type: ignore[method-assign]
    take_turn()
    sent = Frame(BINARY, bytes(MIB)).encode()

    def send() -> None:  # in a thread, so that there are always bytes to read
        with socket.socket(fileno=os.dup(pair.visitor.get_extra_info("socket").fileno())) as to:
            to.setblocking(True)
            for _ in range(64):
                to.sendall(sent)

    sending = asyncio.create_task(asyncio.to_thread(send))
    await pair.app_reader.readexactly(64 * len(sent))
    await sending

    assert turns > 100
    assert most <= 2
