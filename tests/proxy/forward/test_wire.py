"""Bytes to and from an app."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.certificates import make_server_context
from tests.support.proxy import OK, Call, Upstream
from tests.support.streaming import until
from tornado_service.proxy.forward import target as targets
from tornado_service.proxy.forward import wire as wires
from tornado_service.proxy.forward.target import Target
from tornado_service.proxy.forward.wire import SocketWire, open_wire

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_bytes_go_both_ways(upstream: Upstream) -> None:
    wire = await open_wire(upstream.target)
    assert wire.is_quiet()
    await wire.send(REQUEST)

    assert await wire.receive() == OK
    assert wire.is_quiet()
    wire.close()
    assert not wire.is_quiet()


async def test_an_app_that_sends_in_pieces_gets_each_acknowledged(upstream: Upstream) -> None:
    """Else it waits 40 ms after each piece: Nagle's algorithm, and the delay of ACKs."""
    if upstream.target.unix_socket or wires.QUICK_ACK is None:
        pytest.skip("there are no ACKs, or always delayed ones")
    wire = await open_wire(upstream.target)
    assert isinstance(wire, SocketWire)
    for _ in range(20):  # the kernel acknowledges the first ones at once in any case
        await wire.send(REQUEST)
        assert await wire.receive() == OK
        assert wire._socket.getsockopt(socket.IPPROTO_TCP, wires.QUICK_ACK)
    wire.close()


async def test_sending_waits_while_the_app_does_not_read(upstream: Upstream) -> None:
    read = asyncio.Event()

    async def script(call: Call) -> None:
        await read.wait()
        await call.wait_closed()

    upstream.script = script
    wire = await open_wire(upstream.target)
    await wire.send(REQUEST)
    sending = asyncio.create_task(wire.send(b"a" * 50_000_000))
    done, _ = await asyncio.wait({sending}, timeout=0.2)
    assert not done
    read.set()
    await asyncio.wait_for(sending, 30)
    wire.close()


async def test_what_came_before_a_failure_can_be_received(upstream: Upstream) -> None:
    async def script(call: Call) -> None:
        await call.send(OK)
        call.writer.close()

    upstream.script = script
    wire = await open_wire(upstream.target)
    await wire.send(REQUEST)
    with suppress(OSError):
        while True:
            await wire.send(b"a" * 100_000)

    assert await wire.receive() == OK
    wire.close()


@pytest.mark.parametrize("direction", ["receive", "send"])
async def test_closing_ends_what_is_pending(upstream: Upstream, direction: str) -> None:
    async def script(call: Call) -> None:
        await asyncio.sleep(60)

    upstream.script = script
    wire = await open_wire(upstream.target)
    await wire.send(REQUEST)
    pending = asyncio.create_task(
        wire.receive() if direction == "receive" else wire.send(b"a" * 50_000_000)
    )
    done, _ = await asyncio.wait({pending}, timeout=0.05)
    assert not done
    wire.close()
    wire.close()

    with pytest.raises(ConnectionAbortedError):
        await pending
    with pytest.raises(ConnectionAbortedError):
        await wire.receive()
    with pytest.raises(OSError, match="Bad file descriptor"):
        await wire.send(b"a")


async def test_a_cancelled_call_leaves_nothing_behind(upstream: Upstream) -> None:
    wire = await open_wire(upstream.target)
    pending = asyncio.create_task(wire.receive())
    await asyncio.sleep(0)
    pending.cancel()
    await asyncio.wait({pending})
    await wire.send(REQUEST)

    assert await wire.receive() == OK
    wire.close()


async def test_it_becomes_streams_of_asyncio(upstream: Upstream) -> None:
    wire = await open_wire(upstream.target)
    reader, writer, rest = await wire.as_streams()
    assert rest == b""
    writer.write(REQUEST)

    assert await reader.readexactly(len(OK)) == OK
    writer.close()
    await writer.wait_closed()


async def test_what_has_come_is_handed_over_too(upstream: Upstream) -> None:
    wire = await open_wire(upstream.target)
    await wire.send(REQUEST)
    await until(lambda: not wire.is_quiet())
    await asyncio.sleep(0)  # for the loop to receive it
    reader, writer, rest = await wire.as_streams()

    assert rest + await reader.readexactly(len(OK) - len(rest)) == OK
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("target", [Target(unix_socket="/nowhere"), Target(port=1)], ids=str)
async def test_nobody_listens(target: Target) -> None:
    with pytest.raises(OSError, match=r"No such file|failed"):
        await open_wire(target)


async def test_a_name_that_is_unknown() -> None:
    with pytest.raises(OSError, match=r".+"):
        await open_wire(Target(host="unknown.invalid", port=80))


@pytest.mark.parametrize("upstream", ["tcp"], indirect=True)
async def test_each_address_of_a_name_is_tried(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def addresses(host: str, port: int) -> list[object]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
        return [(*kind, ("127.0.0.1", 1)), (*kind, ("127.0.0.1", port))]

    monkeypatch.setattr(wires, "_addresses", addresses)
    wire = await open_wire(upstream.target)

    assert wire.is_quiet()
    wire.close()


async def test_a_full_queue_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX) as server:
        path = f"{directory}/app.sock"
        server.bind(path)
        server.listen(0)
        server.setblocking(False)
        first = await open_wire(Target(unix_socket=path))
        second = asyncio.create_task(open_wire(Target(unix_socket=path)))
        done, _ = await asyncio.wait({second}, timeout=0.1)
        assert not done
        accepted = [server.accept()[0]]
        wire = await asyncio.wait_for(second, 30)
        accepted.append(server.accept()[0])
        monkeypatch.setattr(wires, "CONNECT_TIMEOUT", 0.1)
        third = await open_wire(Target(unix_socket=path))
        with pytest.raises(TimeoutError, match=r"no connection in 0\.1 s"):
            await open_wire(Target(unix_socket=path))
        for open_one in (first, wire, third):
            open_one.close()
        for sock in accepted:
            sock.close()


class TestTLS:
    @pytest.fixture
    async def secure(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upstream:
        server, authority = make_server_context(tmp_path, "localhost")
        upstream = Upstream()
        await upstream.start(tls=server)
        client = ssl.create_default_context(cafile=authority)
        monkeypatch.setattr(targets, "client_tls", lambda: client)
        return upstream

    async def test_bytes_go_both_ways(self, secure: Upstream) -> None:
        wire = await open_wire(secure.target)
        assert not isinstance(wire, SocketWire)
        assert wire.is_quiet()
        await wire.send(REQUEST)
        assert await wire.receive() == OK
        assert wire.is_quiet()
        wire.close()
        await until(lambda: not wire.is_quiet())
        await secure.stop()

    async def test_what_nobody_asked_for_is_seen(self, secure: Upstream) -> None:
        async def script(call: Call) -> None:
            await call.send(OK + b"more")

        secure.script = script
        wire = await open_wire(secure.target)
        await wire.send(REQUEST)
        await until(lambda: not wire.is_quiet())
        reader, writer, _ = await wire.as_streams()
        assert await reader.read(100) == OK + b"more"
        writer.close()
        await secure.stop()

    async def test_a_certificate_that_is_not_valid(
        self, secure: Upstream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(targets, "client_tls", ssl.create_default_context)

        with pytest.raises(ssl.SSLCertVerificationError):
            await open_wire(secure.target)
        await secure.stop()
