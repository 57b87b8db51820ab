"""The tracker of WebSocket frames, against streams that another encoder has made."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.websocket_frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame
from tornado_service.proxy.websocket.frames import FrameTracker, Problem, close_frame

KEYS = st.one_of(st.just(b""), st.binary(min_size=4, max_size=4))
SIZES = st.one_of(st.integers(0, 300), st.sampled_from([125, 126, 127, 65535, 65536, 70000]))


@st.composite
def data_frames(draw: st.DrawFn) -> list[Frame]:
    """Messages in one or more fragments, with control frames in between."""
    frames = []
    for _ in range(draw(st.integers(0, 4))):
        count = draw(st.integers(1, 3))
        for index in range(count):
            if draw(st.booleans()):
                control = draw(st.sampled_from([PING, PONG]))
                frames.append(Frame(control, bytes(draw(st.integers(0, 125))), key=draw(KEYS)))
            size = draw(SIZES)
            frames.append(
                Frame(
                    CONTINUATION if index else draw(st.sampled_from([TEXT, BINARY])),
                    bytes(size),
                    is_final=index == count - 1,
                    key=draw(KEYS),
                    length_size=draw(st.sampled_from([0, 2, 8])) if size < 126 else 0,
                    reserved=draw(st.integers(0, 7)),
                )
            )
    return frames


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    for start, end in pairwise(places):
        yield data[start:end]


CUTS = st.lists(st.integers(0, 1 << 20), max_size=30)


def encoded(frames: list[Frame]) -> bytes:
    return b"".join(frame.encode() for frame in frames)


def boundaries(frames: list[Frame]) -> list[int]:
    ends = [0]
    for frame in frames:
        ends.append(ends[-1] + len(frame.encode()))
    return ends


@given(data_frames(), CUTS)
def test_all_bytes_pass_and_frames_are_followed(frames: list[Frame], cuts: list[int]) -> None:
    tracker = FrameTracker()
    ends = boundaries(frames)
    read = passed = b""
    for piece in pieces(encoded(frames), cuts):
        read += piece
        passed += tracker.feed(piece)

        assert read.startswith(passed)
        assert len(read) - len(passed) < 14
        assert tracker.is_between_frames == (len(passed) in ends)
    assert passed == encoded(frames)
    assert tracker.is_open
    assert not tracker.problem


@given(data_frames(), CUTS)
def test_nothing_passes_after_a_close_frame(frames: list[Frame], cuts: list[int]) -> None:
    tracker = FrameTracker()
    with_close = [*frames, Frame(CLOSE, b"\x03\xf4again", key=b"abcd")]
    stream = encoded(with_close)

    passed = b"".join(tracker.feed(piece) for piece in pieces(stream + stream, cuts))

    assert passed == stream
    assert tracker.has_closed
    assert tracker.has_passed_close
    assert not tracker.is_open


@given(data_frames(), CUTS, st.integers(0, 300))
def test_a_message_over_the_limit_passes_up_to_the_frame_that_exceeds_it(
    frames: list[Frame], cuts: list[int], limit: int
) -> None:
    tracker = FrameTracker(limit)
    ends = boundaries(frames)
    allowed, size = ends[-1], 0
    is_exceeded = False
    for start, frame in zip(ends, frames, strict=False):
        if frame.opcode < CLOSE:
            size = len(frame.payload) + (size if frame.opcode == CONTINUATION else 0)
            if size > limit:
                allowed, is_exceeded = start, True
                break
    close = Frame(CLOSE, b"\x03\xf1").encode()

    passed = b"".join(tracker.feed(piece) for piece in pieces(encoded(frames) + close, cuts))

    assert passed == (encoded(frames)[:allowed] if is_exceeded else encoded(frames) + close)
    assert tracker.problem is (Problem.TOO_LARGE if is_exceeded else None)
    assert tracker.has_closed, "the sender's close frame is noticed all the same"
    assert tracker.has_passed_close is not is_exceeded


@given(data_frames(), CUTS, st.integers(0, 1 << 20))
def test_after_stop_only_the_rest_of_the_frame_passes(
    frames: list[Frame], cuts: list[int], place: int
) -> None:
    tracker = FrameTracker()
    stream = encoded([*frames, Frame(CLOSE)])
    place %= len(encoded(frames)) + 1
    passed = tracker.feed(stream[:place])
    wanted = min(end for end in boundaries(frames) if end >= len(passed))

    tracker.stop()
    assert tracker.is_open is (wanted > len(passed))
    passed += b"".join(tracker.feed(piece) for piece in pieces(stream[place:], cuts))

    assert passed == stream[:wanted]
    assert not tracker.is_open
    assert tracker.has_closed
    assert not tracker.has_passed_close


@given(data_frames(), CUTS)
def test_message_size_is_that_of_the_fragments_together(
    frames: list[Frame], cuts: list[int]
) -> None:
    tracker = FrameTracker()
    sizes = [len(frame.payload) for frame in frames if frame.opcode < CLOSE]
    firsts = [
        index
        for index, frame in enumerate([frame for frame in frames if frame.opcode < CLOSE])
        if frame.opcode != CONTINUATION
    ]

    for piece in pieces(encoded(frames), cuts):
        tracker.feed(piece)

    assert tracker.message_size == (sum(sizes[firsts[-1] :]) if firsts else 0)


INVALID = {
    "reserved data opcode": Frame(3).encode(),
    "reserved control opcode": Frame(11).encode(),
    "long control frame": Frame(PING, bytes(126)).encode(),
    "control frame with an extended length": Frame(PING, b"x", length_size=2).encode(),
    "fragmented control frame": Frame(PING, is_final=False).encode(),
    "fragmented close frame": Frame(CLOSE, is_final=False).encode(),
    "length with the highest bit": struct.pack(">BBQ", 0x82, 127, 1 << 63),
    "continuation of no message": Frame(CONTINUATION).encode(),
    "message within a message": Frame(TEXT, is_final=False).encode() + Frame(TEXT).encode(),
}


@pytest.mark.parametrize("invalid", INVALID.values(), ids=INVALID)
@settings(max_examples=20)
@given(data_frames(), CUTS)
def test_an_invalid_frame_ends_the_stream(
    invalid: bytes, frames: list[Frame], cuts: list[int]
) -> None:
    tracker = FrameTracker()
    start = Frame(TEXT, is_final=False).encode()
    allowed = encoded(frames) + (start if invalid.startswith(start) else b"")
    stream = encoded(frames) + invalid + Frame(TEXT, b"more").encode()

    passed = b"".join(tracker.feed(piece) for piece in pieces(stream, cuts))

    assert passed == allowed
    assert tracker.problem is Problem.INVALID
    assert tracker.is_between_frames
    assert not tracker.is_open
    assert tracker.feed(stream) == b""


@given(st.binary(max_size=400), CUTS, st.one_of(st.none(), st.integers(0, 100)))
def test_no_bytes_raise_and_what_passes_does_not_depend_on_the_pieces(
    stream: bytes, cuts: list[int], limit: int | None
) -> None:
    whole, split = FrameTracker(limit), FrameTracker(limit)

    passed = whole.feed(stream)

    assert stream.startswith(passed)
    assert b"".join(split.feed(piece) for piece in pieces(stream, cuts)) == passed
    assert split.problem is whole.problem
    assert split.has_closed == whole.has_closed
    assert split.is_between_frames == whole.is_between_frames


def test_data_is_passed_on_without_a_copy() -> None:
    tracker = FrameTracker()
    stream = Frame(BINARY, bytes(100_000)).encode() * 3

    first, second = stream[:150_000], stream[150_000:]

    assert tracker.feed(first) is first
    assert tracker.feed(second) is second


@given(st.integers(1000, 4999), st.text(), st.booleans())
def test_close_frames_hold_the_code_and_at_most_123_bytes_of_whole_characters(
    code: int, reason: str, is_masked: bool
) -> None:
    frame = close_frame(code, reason, is_masked=is_masked)
    key = frame[2:6] if is_masked else b""
    text = reason.encode()[:123].decode(errors="ignore").encode()

    assert frame == Frame(CLOSE, struct.pack(">H", code) + text, key=key).encode()
    assert len(text) > 119 or text == reason.encode()


def test_masks_are_random() -> None:
    assert len({close_frame(1001, "", is_masked=True) for _ in range(10)}) > 1
