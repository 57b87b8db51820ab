"""WebSocket frames as bytes, https://www.rfc-editor.org/rfc/rfc6455#section-5.2 ."""

from __future__ import annotations

import asyncio
import struct
from typing import NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

#: The mask of visitors' frames.
KEY = b"abcd"


class Frame(NamedTuple):
    opcode: int
    payload: bytes = b""
    is_final: bool = True
    key: bytes = b""  # of the mask, if it has one
    length_size: int = 0  # bytes of the extended length; 0: as many as needed
    reserved: int = 0  # three bits

    def encode(self) -> bytes:
        size = len(self.payload)
        extended = self.length_size or (0 if size < 126 else 2 if size < 65536 else 8)
        short = {0: size, 2: 126, 8: 127}[extended]
        head = struct.pack(
            ">BB",
            self.opcode | self.reserved << 4 | self.is_final << 7,
            short | bool(self.key) << 7,
        )
        head += {0: b"", 2: struct.pack(">H", size & 0xFFFF), 8: struct.pack(">Q", size)}[extended]
        if not self.key:
            return head + self.payload
        return head + self.key + mask(self.payload, self.key)


def mask(payload: bytes, key: bytes) -> bytes:
    repeated = (key * (len(payload) // 4 + 1))[: len(payload)]
    number = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return number.to_bytes(len(payload), "big")


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    """The next frame, without its mask."""
    first, second = await reader.readexactly(2)
    size = second & 127
    if size > 125:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
    key = await reader.readexactly(4) if second & 128 else b""
    payload = await reader.readexactly(size)
    if key:
        payload = mask(payload, key)
    return Frame(first & 15, payload, bool(first & 128), key, reserved=first >> 4 & 7)


def close_payload(code: int, reason: str) -> bytes:
    return struct.pack(">H", code) + reason.encode()
