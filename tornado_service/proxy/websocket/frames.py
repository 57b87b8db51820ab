"""Frames of one direction of a WebSocket: their headers are read, their payload is not.

https://www.rfc-editor.org/rfc/rfc6455#section-5.2
"""

from __future__ import annotations

import secrets
from enum import Enum

#: Bytes of a close frame's reason, in UTF-8: control frames have 125 bytes, the code takes two.
MAX_REASON = 123

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_OPCODES = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})


class Problem(Enum):
    """Why a stream of frames cannot go on: a close code and a reason.

    https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
    """

    INVALID = (1002, "invalid frame")
    TOO_LARGE = (1009, "message too large")

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason


class FrameTracker:
    """Follows the frames of one direction and says which bytes to pass on.

    It holds back an incomplete header (up to 13 bytes), so that what has been passed on always
    ends within a payload or between two frames.

    Args:
        max_message_size: the largest message, in bytes as they are sent, which is after compression
            where the peers have agreed on it; ``None``: no limit. The fragments of a message
            count together, control frames do not.

    Attributes:
        is_open: whether bytes are passed on; not after a close frame, ``stop``, or a problem.
        has_closed: whether a close frame has been read, passed on or not.
        has_passed_close: whether it has been passed on.
        problem: why nothing more is passed on.
    """

    __slots__ = (
        "_head",
        "_is_fragmented",
        "_is_in_close",
        "_is_stopping",
        "_limit",
        "_message_size",
        "_rest",
        "has_closed",
        "has_passed_close",
        "is_open",
        "problem",
    )

    def __init__(self, max_message_size: int | None = None) -> None:
        self.is_open = True
        self.has_closed = False
        self.has_passed_close = False
        self.problem: Problem | None = None
        self._limit = max_message_size
        self._head = b""  # of the next frame: incomplete, not passed on
        self._rest = 0  # bytes of the present frame's payload that are still to come
        self._message_size = 0
        self._is_fragmented = False  # a message has begun and not ended
        self._is_in_close = False
        self._is_stopping = False

    @property
    def is_between_frames(self) -> bool:
        """Whether the bytes passed on end with a whole frame."""
        return self._rest == 0

    @property
    def message_size(self) -> int:
        """Bytes of the present message, or of the last one, by the headers read."""
        return self._message_size

    def stop(self) -> None:
        """Pass on the rest of the present frame, and nothing after it."""
        self._is_stopping = True
        if self.is_between_frames:
            self.is_open = False

    def feed(self, data: bytes) -> bytes:
        """Read the next bytes of the stream.

        Returns:
            The bytes to pass on: nearly always ``data`` itself.
        """
        if self._head:
            data = self._head + data
            self._head = b""
        size = len(data)
        position = self._rest
        if position > size:
            self._rest = position - size
            return data if self.is_open else b""
        if self.has_closed or self.problem is Problem.INVALID:
            return b""
        passed = size if self.is_open else 0
        while position <= size:  # a frame ends at this position
            if self._is_in_close:
                self.has_closed = True
                if self.is_open:
                    self.has_passed_close = True
                    self.is_open = False
                    passed = position
                position = size
                break
            if self._is_stopping and self.is_open:
                self.is_open = False
                passed = position
            if position == size:
                break
            end = self._read_header(data, position, size)
            if self.problem and self.is_open:
                self.is_open = False
                passed = position
            if end <= 0:
                self._head = b"" if end else data[position:]
                passed = min(passed, position)
                position = size
                break
            position = end
        self._rest = position - size
        return data if passed == size else data[:passed]

    def _read_header(self, data: bytes, start: int, size: int) -> int:
        """The end of the frame that starts here, which may be beyond the data.

        0: the header is incomplete; -1: it is invalid.
        """
        if start + 2 > size:
            return 0
        first, second = data[start], data[start + 1]
        opcode = first & 0x0F
        length = second & 0x7F
        is_control = opcode >= CLOSE
        if opcode not in _OPCODES or (is_control and (length > 125 or first < 0x80)):
            self.problem = Problem.INVALID
            return -1
        payload = start + 2
        if length > 125:
            payload += 2 if length == 126 else 8
            length = int.from_bytes(data[start + 2 : payload], "big")
        if second & 0x80:
            payload += 4
        if payload > size:
            return 0
        if is_control:
            self._is_in_close = opcode == CLOSE
            return payload + length
        if length >> 63 or self._is_fragmented != (opcode == CONTINUATION):
            self.problem = Problem.INVALID
            return -1
        self._message_size = length + (self._message_size if self._is_fragmented else 0)
        self._is_fragmented = first < 0x80
        if self._limit is not None and self._message_size > self._limit:
            self.problem = self.problem or Problem.TOO_LARGE
        return payload + length


def close_frame(code: int, reason: str, *, is_masked: bool) -> bytes:
    """A close frame.

    Args:
        code: a close code that may be sent, such as 1001.
        reason: is cut to 123 bytes of UTF-8.
        is_masked: frames to a server are, with a random key.
    """
    text = reason.encode()[:MAX_REASON].decode(errors="ignore").encode()
    payload = code.to_bytes(2, "big") + text
    if not is_masked:
        return bytes((0x80 | CLOSE, len(payload))) + payload
    key = secrets.token_bytes(4)
    masked = bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
    return bytes((0x80 | CLOSE, 0x80 | len(payload))) + key + masked
