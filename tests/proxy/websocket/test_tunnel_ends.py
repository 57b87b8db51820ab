"""How a tunnel ends by the app or the visitor."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.websocket_frames import (
    BINARY,
    CLOSE,
    KEY,
    TEXT,
    Frame,
    close_payload,
    read_frame,
)
from tests.support.websocket_relay import Meeting, read_to_the_end, reset
from tornado_service.proxy import stall_watch
from tornado_service.proxy.websocket import tunnel

MIB = 1024 * 1024


async def test_the_app_closes_and_the_visitors_answer_reaches_it(pair: Meeting) -> None:
    close = Frame(CLOSE, close_payload(1012, "restart"))
    pair.app.write(Frame(TEXT, b"last").encode() + close.encode())
    assert await read_frame(pair.visitor_reader) == Frame(TEXT, b"last")
    assert await read_frame(pair.visitor_reader) == close

    answer = close._replace(key=KEY)
    pair.visitor.write(answer.encode())

    assert await read_frame(pair.app_reader) == answer
    assert await pair.app_reader.read() == b""
    assert await pair.visitor_reader.read() == b""
    await pair.ended()


async def test_the_visitor_closes_while_the_app_sends_its_last_messages(pair: Meeting) -> None:
    close = Frame(CLOSE, close_payload(1001, "page left"), key=KEY)
    pair.visitor.write(close.encode())
    assert await read_frame(pair.app_reader) == close

    for number in range(3):
        pair.app.write(Frame(TEXT, bytes([number])).encode())
        assert await read_frame(pair.visitor_reader) == Frame(TEXT, bytes([number]))
    pair.app.write(close._replace(key=b"").encode())

    assert await read_frame(pair.visitor_reader) == close._replace(key=b"")
    assert await pair.visitor_reader.read() == b""
    await pair.ended()


async def test_nothing_passes_after_a_close_frame(pair: Meeting) -> None:
    close = Frame(CLOSE, close_payload(1000, ""), key=KEY)
    pair.visitor.write(close.encode() + Frame(TEXT, b"late", key=KEY).encode())
    pair.app.write(close._replace(key=b"").encode() + Frame(TEXT, b"late").encode())

    assert await pair.app_reader.read() == close.encode()
    assert await pair.visitor_reader.read() == close._replace(key=b"").encode()
    await pair.ended()


@pytest.mark.parametrize("is_killed", [False, True])
@pytest.mark.parametrize("size", [4, 500], ids=["after a frame", "in a frame"])
async def test_an_app_that_ends_without_close_frame_closes_the_visitor(
    pair: Meeting, size: int, is_killed: bool
) -> None:
    sent = (Frame(TEXT, b"ab").encode() + Frame(BINARY, bytes(1000)).encode())[:size]
    pair.app.write(sent)
    assert await pair.visitor_reader.readexactly(size) == sent

    reset(pair.app) if is_killed else pair.app.close()

    assert await read_to_the_end(pair.visitor_reader) == b""
    await pair.ended()


@pytest.mark.parametrize("is_killed", [False, True])
async def test_a_visitor_who_leaves_without_close_frame_closes_the_app(
    pair: Meeting, is_killed: bool
) -> None:
    sent = Frame(TEXT, b"last", key=KEY)
    pair.visitor.write(sent.encode())
    if is_killed:
        assert await read_frame(pair.app_reader) == sent
        reset(pair.visitor)
        assert await pair.app_reader.read() == b""
    else:
        pair.visitor.close()
        assert await pair.app_reader.read() == sent.encode()
    await pair.ended()


async def test_all_that_an_app_sent_before_its_end_reaches_a_slow_visitor(pair: Meeting) -> None:
    close = Frame(CLOSE, close_payload(1012, "restart"))
    pair.visitor_reader._transport.pause_reading()
    pair.app.write(Frame(BINARY, bytes(8 * MIB)).encode() + close.encode())
    pair.app.close()
    await asyncio.sleep(0.05)
    pair.visitor_reader._transport.resume_reading()

    assert (await read_frame(pair.visitor_reader)).payload == bytes(8 * MIB)
    assert await read_frame(pair.visitor_reader) == close


async def test_the_close_code_of_an_app_that_leaves_sent_messages_unread_arrives(
    pair: Meeting,
) -> None:
    """Its connection is reset then, as soon as it has closed."""
    pair.app_reader._transport.pause_reading()
    for _ in range(20):
        pair.visitor.write(Frame(BINARY, bytes(10_000), key=KEY).encode())
    await pair.visitor.drain()
    await asyncio.sleep(0.05)
    close = Frame(CLOSE, close_payload(1012, "restart"))
    pair.app.write(Frame(TEXT, b"last").encode() + close.encode())
    pair.app.close()

    assert await read_frame(pair.visitor_reader) == Frame(TEXT, b"last")
    assert await read_frame(pair.visitor_reader) == close


@pytest.mark.parametrize("closer", ["app", "visitor"])
async def test_a_side_that_never_answers_a_close_frame_is_cut_off(
    pair: Meeting, closer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "LINGER", 0.1)
    key = KEY if closer == "visitor" else b""
    getattr(pair, closer).write(Frame(CLOSE, key=key).encode())

    await pair.ended()


@pytest.mark.parametrize("sender", ["app", "visitor"])
async def test_a_sender_that_is_gone_is_noticed_though_nothing_is_read_from_it(
    pair: Meeting, sender: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stall_watch, "STALL_CHECK", 0.1)
    receiver = pair.visitor_reader if sender == "app" else pair.app_reader
    receiver._transport.pause_reading()
    writer = getattr(pair, sender)
    writer.write(Frame(BINARY, bytes(64 * MIB)).encode())
    await asyncio.sleep(0.3)
    assert pair.relay.running, "a slow receiver is no reason to end"

    reset(writer)

    await pair.ended()
