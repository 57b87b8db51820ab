"""Commands that are started, report how they end, and are ended."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.web_processes import is_running, until
from tornado_service.proxy.process.child import Child, Ended
from tornado_service.proxy.process.environment import MARK

Start = Callable[..., Awaitable[Child]]
ENVIRONMENT = {"PATH": os.defpath, MARK: "test"}


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    children = []

    async def start_child(*command: str, directory: str = "") -> Child:
        children.append(await Child.start(command, ENVIRONMENT, directory))
        return children[-1]

    yield start_child
    for child in children:
        await child.end()
        child.close_output()


async def test_an_exit_status_is_reported(start: Start) -> None:
    child = await start("sh", "-c", "exit 7")

    assert await child.ended == Ended(status=7)


async def test_a_signal_is_reported(start: Start) -> None:
    child = await start("sh", "-c", "kill -SEGV $$")

    assert await child.ended == Ended(signal=11)


async def test_stdout_and_stderr_come_together(start: Start) -> None:
    child = await start("sh", "-c", "echo one; echo two >&2; echo three")

    assert await child.output.read() == b"one\ntwo\nthree\n"


async def test_the_input_of_a_command_is_empty(start: Start) -> None:
    child = await start("sh", "-c", "cat; echo end")

    assert await child.output.read() == b"end\n"


async def test_a_program_that_does_not_exist_is_reported(start: Start) -> None:
    child = await start("there-is-no-such-program")

    assert await child.ended == Ended(failed_step="command", errno=errno.ENOENT)


async def test_a_file_that_is_not_executable_is_reported(start: Start, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")

    child = await start(str(program))

    assert await child.ended == Ended(failed_step="command", errno=errno.EACCES)


async def test_a_directory_that_does_not_exist_is_reported(start: Start) -> None:
    child = await start("pwd", directory="/there/is/none")

    assert await child.ended == Ended(failed_step="directory", errno=errno.ENOENT)


async def test_a_command_runs_in_its_directory(start: Start, tmp_path: Path) -> None:
    child = await start("pwd", directory=str(tmp_path))

    assert await child.output.read() == f"{tmp_path}\n".encode()


async def test_a_command_leads_a_group_and_a_session_of_its_own(start: Start) -> None:
    child = await start("sleep", "61")
    pid = await until(lambda: child.pid)

    assert (os.getpgid(pid), os.getsid(pid)) == (pid, pid)
    assert os.getsid(pid) != os.getsid(0)


async def test_signals_have_their_usual_meaning(start: Start) -> None:
    """Python ignores SIGPIPE, which programs of a pipe need to end; nohup ignores SIGHUP."""
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        child = await start("grep", "SigIgn", "/proc/self/status")
        name, mask = (await child.output.read()).split()
    finally:
        signal.signal(signal.SIGHUP, previous)

    assert name == b"SigIgn:"
    # others are those of the C library, which no program can change
    ignored = {number for number in signal.valid_signals() if int(mask, 16) >> (number - 1) & 1}
    assert ignored == set()


async def test_only_its_own_files_are_open_in_a_command(start: Start) -> None:
    child = await start("ls", "/proc/self/fd")

    # 3 is the directory that ls reads
    assert (await child.output.read()).split() == [b"0", b"1", b"2", b"3"]


async def test_the_end_may_be_requested_several_times(start: Start) -> None:
    child = await start("sleep", "61")
    pid = await until(lambda: child.pid)

    await asyncio.gather(child.end(), child.end())
    await child.end()

    assert not is_running(pid)
    assert await child.ended == Ended(signal=15)


async def test_a_command_can_end_before_it_is_started(start: Start) -> None:
    child = await start("sleep", "61")

    await child.end()

    assert child.ended.done()
    assert not child.pid or not is_running(child.pid)
