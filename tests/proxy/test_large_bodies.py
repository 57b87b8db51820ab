"""Bodies of any size, in both directions: memory stays flat, and slow readers slow down senders."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from tests.support.proxy import Call, Proxied, head
from tests.support.streaming import until

MIB = 1024 * 1024
PIECE = os.urandom(MIB)

#: What kernel and buffers of the service may hold for a reader that does not read.
HELD = 24 * MIB


def resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("framing", ["Content-Length: {}", "Transfer-Encoding: chunked", ""])
async def test_a_download_is_not_collected(proxied: Proxied, framing: str) -> None:
    count = 112  # more than any limit of 100 MB
    expected = hashlib.sha256()

    async def script(call: Call) -> None:
        await call.send(head("200 OK", *filter(None, [framing.format(count * MIB)])))
        for _ in range(count):
            expected.update(PIECE)
            is_chunked = "chunked" in framing
            await call.send(b"%x\r\n%s\r\n" % (MIB, PIECE) if is_chunked else PIECE)
        await call.send(b"0\r\n\r\n" if "chunked" in framing else b"")
        call.writer.close()

    proxied.upstream.script = script
    async with proxied.connect() as visitor:
        await visitor.send_head()
        reply = await visitor.read_head()
        before = resident_bytes()
        most, received = 0, hashlib.sha256()
        reader, left = visitor.reader, count * MIB
        while left:
            if reply.get("Transfer-Encoding"):
                size = int(await reader.readline(), 16)
                received.update(await reader.readexactly(size))
                await reader.readexactly(2)
            else:
                size = min(left, 65536)
                received.update(await reader.readexactly(size))
            left -= size
            most = max(most, resident_bytes())

    assert received.digest() == expected.digest()
    assert most - before < 16 * MIB


@pytest.mark.parametrize("framing", ["Content-Length", "Transfer-Encoding"])
async def test_an_upload_is_not_collected(proxied: Proxied, framing: str) -> None:
    count = 112  # more than any limit of 100 MB
    most = 0
    received = hashlib.sha256()

    async def script(call: Call) -> None:
        nonlocal most
        left = count * MIB
        while left:
            if framing == "Transfer-Encoding":
                size = int(await call.reader.readline(), 16)
                received.update(await call.reader.readexactly(size))
                await call.reader.readexactly(2)
            else:
                size = min(left, 65536)
                received.update(await call.reader.readexactly(size))
            left -= size
            most = max(most, resident_bytes())
        await call.send(head("200 OK", "Content-Length: 0"))
        call.writer.close()

    proxied.upstream.script = script
    is_chunked = framing == "Transfer-Encoding"
    async with proxied.connect() as visitor:
        length = "chunked" if is_chunked else str(count * MIB)
        await visitor.send_head("POST", "", {framing: length})
        before = resident_bytes()
        for _ in range(count):
            await visitor.send(b"%x\r\n%s\r\n" % (MIB, PIECE) if is_chunked else PIECE)
        await visitor.send(b"0\r\n\r\n" if is_chunked else b"")
        assert (await visitor.read()).status == 200

    assert received.digest() == hashlib.sha256(PIECE * count).digest()
    assert most - before < 16 * MIB


async def test_an_app_waits_for_a_visitor_who_does_not_read(proxied: Proxied) -> None:
    sent = 0
    closed = asyncio.Event()

    async def script(call: Call) -> None:
        nonlocal sent
        try:
            await call.send(head("200 OK", "Transfer-Encoding: chunked"))
            while sent < 10 * HELD:
                await call.send(b"%x\r\n%s\r\n" % (MIB, PIECE))
                sent += MIB
        finally:
            closed.set()

    proxied.upstream.script = script
    async with proxied.connect() as visitor:
        await visitor.send_head()
        await until(lambda: sent > 0)
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.3)
        assert sent < HELD
        assert not closed.is_set()
    await asyncio.wait_for(closed.wait(), 30)


async def test_a_visitor_waits_for_an_app_that_does_not_read(proxied: Proxied) -> None:
    may_end = asyncio.Event()

    async def script(call: Call) -> None:
        await may_end.wait()
        call.writer.close()

    proxied.upstream.script = script
    async with proxied.connect() as visitor:
        await visitor.send_head("POST", "", {"Content-Length": str(100 * HELD)})
        sending = asyncio.create_task(visitor.send(PIECE * 2))
        sent = 0
        while (await asyncio.wait({sending}, timeout=1))[0]:
            sent += 2 * MIB
            assert sent < HELD
            sending = asyncio.create_task(visitor.send(PIECE * 2))
        sending.cancel()
        may_end.set()
        assert (await visitor.read()).status == 502
