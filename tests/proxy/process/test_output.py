"""Output of a command: in the log line by line, within limits."""

from __future__ import annotations

import asyncio
import logging
import tracemalloc

import pytest

from tornado_service.proxy.process import output
from tornado_service.proxy.process.output import OutputLog, printable

LOG = logging.getLogger("tests.output")


@pytest.fixture(autouse=True)
def all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tests.output")


async def read(log: OutputLog, *chunks: bytes) -> None:
    stream = asyncio.StreamReader()
    for chunk in chunks:
        stream.feed_data(chunk)
    stream.feed_eof()
    await log.read(stream)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"plain", "plain"),
        ("Zürich ✓".encode(), "Zürich ✓"),
        (b"caf\xe9", "caf�"),
        (b"\x1b[1;32mINFO\x1b[0m ready", "INFO ready"),
        (b"\x1b]8;;http://hub\x1b\\link\x1b]8;;\x07", "link"),
        (b"a\x00b\x07c\x1bd", "a\\x00b\\x07c\\x1bd"),
        ("a\u2028b\u202ec".encode(), "a\\u2028b\\u202ec"),
        (b"a\tb", "a    b"),
        (b"trailing  ", "trailing"),
        (b"x" * 1000, "x" * 1000),
        (b"x" * 1001, "x" * 1000 + "…"),
        ("€".encode() * 2000, "€" * 1000 + "…"),
    ],
)
def test_a_line_is_printable_and_short(line: bytes, text: str) -> None:
    assert printable(line) == text


async def test_lines_are_logged_with_the_name(caplog: pytest.LogCaptureFixture) -> None:
    log = OutputLog("sales", LOG)

    await read(log, b"one\ntw", b"o\r\n\n", b"progress 1 %\rprogress 2 %", b"\nlast")

    assert caplog.messages == [
        "sales: one",
        "sales: two",
        "sales: progress 1 %",
        "sales: progress 2 %",
        "sales: last",
    ]


async def test_the_latest_lines_are_kept() -> None:
    log = OutputLog("sales", LOG)

    await read(log, b"".join(b"line %d\n" % number for number in range(50)))

    assert list(log.latest) == [f"line {number}" for number in range(30, 50)]


async def test_a_flood_of_lines_is_counted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output.time, "monotonic", lambda: 1000.0)
    monkeypatch.setattr(output, "BYTES_PER_SECOND", 1 << 30)
    log = OutputLog("sales", LOG)

    await read(log, *(b"y\n" * 10_000 for _ in range(50)))

    assert caplog.messages[:100] == ["sales: y"] * 100
    assert caplog.messages[100:] == ["sales: … 499900 lines left out"]


async def test_a_command_that_writes_too_much_has_to_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(output.asyncio, "sleep", note)
    monkeypatch.setattr(output, "BYTES_PER_SECOND", 100_000)

    await read(OutputLog("sales", LOG), *(b"y\n" * 30_000 for _ in range(4)))

    assert 0 < max(pauses) <= 1


async def test_output_without_a_line_end_takes_no_memory() -> None:
    log = OutputLog("sales", LOG)
    stream = asyncio.StreamReader()
    reading = asyncio.ensure_future(log.read(stream))
    chunk = b"x" * 10_000
    tracemalloc.start()
    for _ in range(100):
        stream.feed_data(chunk)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    stream.feed_eof()
    await reading

    assert size < 200_000
    assert list(log.latest) == ["x" * 1000 + "…"]


async def test_each_line_is_passed_on() -> None:
    lines: list[str] = []

    await read(OutputLog("sales", LOG, lines.append), b"one\ntwo\n")

    assert lines == ["one", "two"]
