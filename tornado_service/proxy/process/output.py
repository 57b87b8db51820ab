"""The output of a web app's command: to the log, line by line, within limits."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable
from logging import Logger

#: Characters of a line; the rest is left out.
MAX_LINE = 1000

#: Bytes of a line that are kept until it ends: UTF-8 has up to four for each character.
MAX_BYTES = 4 * MAX_LINE

#: Lines that the log gets in a second; the others are counted.
LINES_PER_SECOND = 100

#: Bytes that are read in a second; a command that writes more has to wait.
BYTES_PER_SECOND = 1024 * 1024

#: Latest lines that administrators see.
KEPT_LINES = 20

#: Colours and other control sequences of terminals, ECMA-48 5.4 and 5.6.
_CONTROL_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)")

#: Progress bars return to the beginning of their line.
_LINE_END = re.compile(rb"[\r\n]+")


def printable(line: bytes) -> str:
    """A line of output, without control characters and colours, of limited length."""
    text = _CONTROL_SEQUENCE.sub("", line[:MAX_BYTES].decode("utf-8", "replace")).rstrip()
    if len(text) > MAX_LINE or len(line) > MAX_BYTES:
        text = text[:MAX_LINE] + "…"
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text.replace("\t", "    ")
    )


class OutputLog:
    """Writes the output of a command to the log, and keeps its latest lines.

    Args:
        name: the app's name, before each line.
        log: where the lines go, with level info.
        on_line: called with each line, logged or not.
    """

    def __init__(
        self, name: str, log: Logger, on_line: Callable[[str], None] = lambda line: None
    ) -> None:
        self.latest: deque[str] = deque(maxlen=KEPT_LINES)
        self._name = name
        self._log = log
        self._on_line = on_line
        self._second = 0
        self._lines = 0
        self._left_out = 0

    async def read(self, stream: asyncio.StreamReader) -> None:
        """Read the output until its end, in bounded memory and time."""
        pending = b""
        second, size = time.monotonic(), 0
        while chunk := await stream.read(65536):
            *lines, rest = _LINE_END.split(pending + chunk)
            if self._lines > LINES_PER_SECOND:  # of a flood, only the latest lines are decoded
                self._leave_out(len(lines[:-KEPT_LINES]))
                lines = lines[-KEPT_LINES:]
            for line in lines:
                self.write(line)
            pending = rest[: MAX_BYTES + 1]
            now = time.monotonic()
            if now >= second + 1:
                second, size = now, 0
            size += len(chunk)
            # other requests are served in between; at the limit, the command waits
            await asyncio.sleep(second + 1 - now if size > BYTES_PER_SECOND else 0)
        self.write(pending)
        self._report_left_out()

    def write(self, line: bytes) -> None:
        """Add a line, unless it is empty."""
        text = printable(line)
        if not text:
            return
        self.latest.append(text)
        self._on_line(text)
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines > LINES_PER_SECOND:
            self._leave_out(1)
        else:
            self._log.info("%s: %s", self._name, text)

    def _leave_out(self, number: int) -> None:
        if number and not self._left_out:
            asyncio.get_running_loop().call_later(1, self._report_left_out)
        self._left_out += number

    def _report_left_out(self) -> None:
        if self._left_out:
            self._log.info("%s: … %d lines left out", self._name, self._left_out)
            self._left_out = 0
