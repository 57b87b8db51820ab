"""How the service ends a tunnel: by ``close``, ``abort``, and the limit of messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.streaming import until
from tests.support.websocket_frames import (
    BINARY,
    CLOSE,
    KEY,
    PING,
    PONG,
    TEXT,
    Frame,
    close_payload,
    read_frame,
)
from tests.support.websocket_relay import Meeting, meeting, read_to_the_end
from tornado_service.proxy.websocket import tunnel

SIGNED_OUT = Frame(CLOSE, close_payload(1008, "signed-out"))
MIB = 1024 * 1024


async def test_an_idle_tunnel_is_closed_on_both_sides(pair: Meeting) -> None:
    pair.tunnel.close(1008, "signed-out")

    to_app = await read_frame(pair.app_reader)
    assert to_app == SIGNED_OUT._replace(key=to_app.key)
    assert to_app.key, "frames to the app are masked"
    assert await read_frame(pair.visitor_reader) == SIGNED_OUT
    pair.app.write(SIGNED_OUT.encode())
    pair.visitor.write(SIGNED_OUT._replace(key=KEY).encode())
    assert await pair.app_reader.read() == b""
    assert await pair.visitor_reader.read() == b""
    await pair.ended()


async def test_the_close_frame_waits_for_the_end_of_the_present_frame(pair: Meeting) -> None:
    to_visitor = Frame(BINARY, b"x" * 1000).encode()
    to_app = Frame(BINARY, b"y" * 1000, key=KEY).encode()
    pair.app.write(to_visitor[:500])
    pair.visitor.write(to_app[:500])
    await pair.visitor_reader.readexactly(500)
    await pair.app_reader.readexactly(500)

    pair.tunnel.close(1001, "stopping")
    pair.app.write(to_visitor[500:] + Frame(TEXT, b"too late").encode())
    pair.visitor.write(to_app[500:] + Frame(TEXT, b"too late", key=KEY).encode())

    close = Frame(CLOSE, close_payload(1001, "stopping"))
    assert await pair.visitor_reader.readexactly(len(to_visitor) - 500) == to_visitor[500:]
    assert await read_frame(pair.visitor_reader) == close
    assert await pair.app_reader.readexactly(len(to_app) - 500) == to_app[500:]
    assert (await read_frame(pair.app_reader)).payload == close.payload
    pair.app.write(close.encode())
    pair.visitor.write(close._replace(key=KEY).encode())
    assert await pair.visitor_reader.read() == b""
    assert await pair.app_reader.read() == b""
    await pair.ended()


async def test_half_a_header_is_not_passed_on_and_does_not_delay_the_close_frame(
    pair: Meeting,
) -> None:
    pair.app.write(Frame(BINARY, bytes(1000)).encode()[:3])
    pair.app.write(b"")
    pair.visitor.write(Frame(PING, key=KEY).encode())
    await read_frame(pair.app_reader)

    pair.tunnel.close(1008, "signed-out")

    assert await read_frame(pair.visitor_reader) == SIGNED_OUT


async def test_a_frame_that_does_not_end_in_time_is_cut_off(
    pair: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "CLOSE_TIMEOUT", 0.1)
    half = Frame(BINARY, bytes(1000)).encode()[:500]
    pair.app.write(half)
    assert await pair.visitor_reader.readexactly(500) == half

    pair.tunnel.close(1008, "signed-out")

    assert await read_to_the_end(pair.visitor_reader) == b""
    await pair.ended()


async def test_sides_that_do_not_answer_are_cut_off(
    pair: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "CLOSE_TIMEOUT", 0.1)
    for frames, writer in ((Frame(TEXT, b"on and on"), pair.app),):
        writer.write(frames.encode() * 100)

    pair.tunnel.close(1008, "signed-out")

    await pair.ended()


async def test_a_slow_visitor_does_not_delay_the_end(
    pair: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "CLOSE_TIMEOUT", 0.1)
    pair.visitor_reader._transport.pause_reading()
    pair.app.write(Frame(BINARY, bytes(64 * MIB)).encode())
    await asyncio.sleep(0.05)

    pair.tunnel.close(1008, "signed-out")

    await pair.ended()


async def test_a_second_close_changes_nothing(pair: Meeting) -> None:
    pair.tunnel.close(1008, "signed-out")
    pair.tunnel.close(1001, "stopping")

    assert await read_frame(pair.visitor_reader) == SIGNED_OUT
    pair.app.write(SIGNED_OUT.encode())
    pair.visitor.write(SIGNED_OUT._replace(key=KEY).encode())
    assert await pair.visitor_reader.read() == b""


async def test_close_after_the_apps_own_close_frame_sends_no_second_one(pair: Meeting) -> None:
    close = Frame(CLOSE, close_payload(1012, "restart"))
    pair.app.write(close.encode())
    assert await read_frame(pair.visitor_reader) == close

    pair.tunnel.close(1001, "stopping")
    assert (await read_frame(pair.app_reader)).payload == close_payload(1001, "stopping")
    pair.visitor.write(close._replace(key=KEY).encode())

    assert await pair.visitor_reader.read() == b""
    await pair.ended()


async def test_abort_ends_both_sides_at_once(pair: Meeting) -> None:
    pair.tunnel.abort()

    assert await read_to_the_end(pair.visitor_reader) == b""
    assert await pair.app_reader.read() == b""
    await pair.ended()


async def test_a_tunnel_that_is_over_may_be_closed_and_aborted(pair: Meeting) -> None:
    pair.visitor.close()
    await pair.ended()

    pair.tunnel.close(1001, "stopping")
    pair.tunnel.abort()


async def test_no_task_and_no_timer_is_left_behind(pair: Meeting) -> None:
    close = Frame(CLOSE).encode()
    pair.visitor.write(Frame(CLOSE, key=KEY).encode())
    pair.app.write(close)
    await pair.ended()
    await asyncio.sleep(0)

    loop = asyncio.get_running_loop()
    timers = [
        handle
        for handle in loop._scheduled  # type: ignore[attr-defined]
        if not handle.cancelled() and "tunnel" in repr(handle).lower()
    ]
    assert timers == []
    assert not [task for task in asyncio.all_tasks() if "websocket/tunnel.py" in repr(task)]


# By the limit, or by what is no WebSocket


@pytest.fixture
async def limited() -> AsyncIterator[Meeting]:
    async with meeting(max_message_size=1000) as it:
        yield it


async def test_a_message_of_the_limit_passes(limited: Meeting) -> None:
    sent = Frame(TEXT, b"x" * 1000, key=KEY)
    limited.visitor.write(sent.encode())

    assert await read_frame(limited.app_reader) == sent


@pytest.mark.parametrize("is_fragmented", [False, True])
@pytest.mark.parametrize("sender", ["app", "visitor"])
async def test_a_larger_message_closes_both_sides_with_1009(
    limited: Meeting, sender: str, is_fragmented: bool
) -> None:
    key = KEY if sender == "visitor" else b""
    if is_fragmented:
        part = Frame(TEXT, b"x" * 600, is_final=False, key=key)
        sent = part.encode() + Frame(PONG, key=key).encode() + part._replace(opcode=0).encode()
        passed = part.encode() + Frame(PONG, key=key).encode()
    else:
        sent, passed = Frame(TEXT, b"x" * 1001, key=key).encode(), b""
    getattr(limited, sender).write(sent)

    reader = limited.app_reader if sender == "visitor" else limited.visitor_reader
    assert await reader.readexactly(len(passed)) == passed
    close = close_payload(1009, "message too large")
    assert (await read_frame(limited.app_reader)).payload == close
    assert (await read_frame(limited.visitor_reader)).payload == close
    limited.app.write(Frame(CLOSE, close).encode())
    limited.visitor.write(Frame(CLOSE, close, key=KEY).encode())
    await limited.ended()


@pytest.mark.parametrize("sender", ["app", "visitor"])
async def test_what_is_no_frame_closes_both_sides_with_1002(
    pair: Meeting, sender: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "CLOSE_TIMEOUT", 0.2)
    getattr(pair, sender).write(b"GET / HTTP/1.1\r\n\r\n")

    close = close_payload(1002, "invalid frame")
    assert (await read_frame(pair.app_reader)).payload == close
    assert (await read_frame(pair.visitor_reader)).payload == close
    await pair.ended()


async def test_many_tunnels_end_together() -> None:
    async with meeting() as one, meeting() as two, meeting() as three:
        all_ = (one, two, three)
        for it in all_:
            it.tunnel.close(1001, "stopping")
            it.visitor.close()
            it.app.close()
        await until(lambda: not any(it.relay.running for it in all_))
