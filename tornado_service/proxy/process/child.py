"""A running command: started by the launcher, watched, and ended with all of its processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .environment import MARK
from .processes import marked_processes

#: Seconds between SIGTERM and SIGKILL.
GRACE = 0.8

#: Seconds after which the processes are killed without the launcher; ``end`` returns in time for
#: an app's ``stop``, which has 2 seconds.
END_TIMEOUT = 1.3

LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True)
class Ended:
    """How a command has ended.

    Attributes:
        status: its exit status, if it has exited.
        signal: the signal that has ended it, or 0.
        failed_step: ``command`` or ``directory`` if it could not be started, else empty.
        errno: why it could not be started.
    """

    status: int | None = None
    signal: int = 0
    failed_step: str = ""
    errno: int = 0


class Child:
    """A command and its launcher.

    Attributes:
        pid: the command's process, and its process group; 0 before it has been started.
        started: set when it has been started.
        output: what the command writes to stdout and stderr.
        mark: the value of ``MARK`` in the environment of its processes.
        ended: how the command has ended; not done while it runs.
    """

    def __init__(
        self,
        launcher: asyncio.subprocess.Process,
        connection: socket.socket,
        output: tuple[asyncio.StreamReader, asyncio.ReadTransport],
        mark: str,
    ) -> None:
        self.pid = 0
        self.started = asyncio.Event()
        self.output, self._output_transport = output
        self.mark = mark
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._launcher = launcher
        self._connection = connection
        self._watcher = asyncio.ensure_future(self._watch())
        self._end: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        environment: Mapping[str, str],
        directory: str = "",
        unix_socket: str = "",
    ) -> Child:
        """Start the launcher, which starts the command.

        Args:
            command: the program and its arguments.
            environment: all of its variables, ``MARK`` included.
            directory: its working directory; empty for ours.
            unix_socket: where it listens; removed with its directory when it has ended.

        Raises:
            OSError: the system cannot start another process.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        output, write_end = await _open_output()
        try:
            with theirs, write_end:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *(
                        "-I",
                        "-S",
                        str(LAUNCHER),
                        str(GRACE),
                        directory or ".",
                        unix_socket,
                        *command,
                    ),
                    stdin=theirs.fileno(),
                    stdout=write_end,
                    stderr=write_end,
                    env=dict(environment),
                    start_new_session=True,
                )
        except BaseException:
            ours.close()
            output[1].close()
            raise
        return cls(process, ours, output, environment[MARK])

    async def _watch(self) -> None:
        """Read what the launcher reports, until it has ended."""
        loop = asyncio.get_running_loop()
        text = b""
        ended = Ended()
        with suppress(OSError):
            while data := await loop.sock_recv(self._connection, 1024):
                *lines, text = (text + data).split(b"\n")
                for line in lines:
                    ended = self._take(line.decode().split(), ended)
        self._resolve(ended)

    def _take(self, report: list[str], ended: Ended) -> Ended:
        kind, *details = report
        number = int(details[-1])
        if kind == "pid":
            self.pid = number
            self.started.set()
            return ended
        if kind == "error":
            ended = Ended(failed_step=details[0], errno=number)
        elif kind == "exit":
            ended = Ended(status=number)
        else:
            ended = Ended(signal=number)
        self._resolve(ended)
        return ended

    def _resolve(self, ended: Ended) -> None:
        if not self.ended.done():
            self.ended.set_result(ended)

    def close_output(self) -> None:
        """Stop reading the output, even if a process still has it open."""
        self._output_transport.close()

    async def end(self) -> None:
        """End all processes of the command, in at most 1.5 seconds. May be called again."""
        if self._end is None:
            self._end = asyncio.ensure_future(self._end_all())
        await asyncio.shield(self._end)

    async def _end_all(self) -> None:
        # the launcher reads the end of the connection; its reports still arrive
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
        try:
            status = await asyncio.wait_for(self._launcher.wait(), END_TIMEOUT)
        except asyncio.TimeoutError:
            status = -1
        if status != 0:  # it was killed, or hangs
            with suppress(ProcessLookupError):
                self._launcher.kill()
            await asyncio.get_running_loop().run_in_executor(None, self._kill_all)
        await asyncio.wait({self._watcher}, timeout=0.1)
        self._watcher.cancel()
        self._connection.close()
        self._resolve(Ended(signal=signal.SIGKILL))

    def _kill_all(self) -> None:
        """Kill what the launcher has left behind."""
        for _ in range(10):  # they may start others meanwhile
            if self.pid:
                with suppress(OSError):
                    os.killpg(self.pid, signal.SIGKILL)
            if not (left := marked_processes(self.mark)):
                return
            for pid in left:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)


async def _open_output() -> tuple[tuple[asyncio.StreamReader, asyncio.ReadTransport], IO[bytes]]:
    """A pipe: its reader, and the end that a process writes to."""
    loop = asyncio.get_running_loop()
    read_end, write_end = os.pipe()
    stream = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(read_end, "rb", 0)
    )
    return (stream, transport), os.fdopen(write_end, "wb", 0)
