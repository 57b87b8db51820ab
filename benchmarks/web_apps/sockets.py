"""WebSockets: echoes per second, and the memory of many that are open."""

from __future__ import annotations

import asyncio
import contextlib
import time

from benchmarks import wire
from benchmarks.web_apps.stage import Proxy

#: A binary message of 64 bytes, and the frames that carry it to the app and back.
MESSAGE = bytes(range(64))
KEY = b"\x01\x02\x03\x04"
MASKED = bytes(byte ^ KEY[index % 4] for index, byte in enumerate(MESSAGE))
REQUEST = bytes((0x82, 0x80 | len(MESSAGE))) + KEY + MASKED
RESPONSE = bytes((0x82, len(MESSAGE))) + MESSAGE


class Client(asyncio.Protocol):
    """Sends a message whenever it has got one back.

    Attributes:
        echoes: the number of messages that have come back.
        is_open: whether the first has.
        error: what came instead.
    """

    def __init__(self, proxy: Proxy) -> None:
        fields = {
            "Host": f"{wire.HOST}:{proxy.port}",
            **proxy.headers,
            "Origin": f"http://{wire.HOST}:{proxy.port}",
            "Sec-Fetch-Site": "same-origin",
            "Sec-Fetch-Mode": "websocket",
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._handshake = f"GET {proxy.prefix}echo HTTP/1.1\r\n{lines}\r\n".encode()
        self._received = b""
        self._is_handshake_over = False
        self.echoes = 0
        self.repeats = False
        self.opened = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._handshake)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._is_handshake_over:
            head, end, self._received = self._received.partition(b"\r\n\r\n")
            if not end:
                self._received = head
                return
            if b" 101 " not in head:
                self.opened.set_exception(RuntimeError(head.decode(errors="replace")))
                return
            self._is_handshake_over = True
            self.transport.write(REQUEST)
        while len(self._received) >= len(RESPONSE):
            if not self._received.startswith(RESPONSE):
                raise RuntimeError(f"no echo: {self._received[:100]!r}")
            self._received = self._received[len(RESPONSE) :]
            self.echoes += 1
            if not self.opened.done():
                self.opened.set_result(None)
            if self.repeats:
                self.transport.write(REQUEST)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(RuntimeError(f"closed: {exc}"))

    def begin(self) -> None:
        """Send messages from now on."""
        self.repeats = True
        self.transport.write(REQUEST)


async def open_all(proxy: Proxy, number: int) -> list[Client]:
    """Open WebSockets; each has got one message back."""
    clients = []
    for _ in range(number):
        _, client = await asyncio.get_running_loop().create_connection(
            lambda: Client(proxy), wire.HOST, proxy.port
        )
        await asyncio.wait_for(client.opened, 30)
        clients.append(client)
    return clients


async def echo_rate(proxy: Proxy, connections: int, seconds: float) -> tuple[int, float]:
    """Echoes, and the seconds that they took."""
    clients = await open_all(proxy, connections)
    before = sum(client.echoes for client in clients)
    started = time.perf_counter()
    for client in clients:
        client.begin()
    await asyncio.sleep(seconds)
    elapsed = time.perf_counter() - started
    echoes = sum(client.echoes for client in clients) - before
    for client in clients:
        client.repeats = False
        client.transport.close()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.sleep(0.1)  # until the other ends have noticed
    return echoes, elapsed
