"""The end, the freezing and the return of a leader, in a process of its own."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from tests.support import ROOT
from tests.support.databases import POSTGRESQL, new_postgresql, postgresql_socket
from tests.support.replicas import replica
from tests.support.streaming import until
from tornado_service.database.replicas.leadership import Leadership
from tornado_service.streaming.channel import Channel
from tornado_service.streaming.replicas import Replicas

__all__ = ["new_postgresql", "postgresql_socket"]

#: Seconds within which another replica has to lead.
TAKEOVER = 10


@pytest.fixture(params=POSTGRESQL)
def url(request: pytest.FixtureRequest, new_postgresql: Callable[[str], str]) -> str:
    return new_postgresql(request.param)


@pytest.fixture
async def leader(url: str) -> AsyncIterator[Process]:
    """A process that leads."""
    program = [sys.executable, "-m", "tests.support.replica_process", url]
    process = await asyncio.create_subprocess_exec(*program, stdout=PIPE, cwd=ROOT)
    try:
        while not (await next_line(process)).startswith("True"):
            pass
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        await process.communicate()


@pytest.fixture
async def other(url: str, leader: Process) -> AsyncIterator[Replicas]:
    async with replica(url) as replicas:
        yield replicas


@pytest.fixture
async def leadership(other: Replicas) -> Leadership:
    """Of the other replica, which knows the leader."""
    leadership = other.leadership("activity")
    leadership.activate(asyncio.get_running_loop())
    await until(lambda: leadership.leader != "")
    assert not leadership.is_leader
    return leadership


async def next_line(process: Process) -> str:
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 30)
    assert line, "it has ended"
    return line.decode()


def events(channel: Channel) -> list[object]:
    return [event.data for event in channel.read(1, 10**9)]


async def test_another_replica_leads_after_the_leader_was_killed(
    leader: Process, leadership: Leadership
) -> None:
    leader.kill()

    await asyncio.wait_for(leadership.wait_until(), TAKEOVER)


async def test_another_replica_leads_after_the_leader_has_frozen(
    leader: Process, leadership: Leadership, other: Replicas
) -> None:
    written = [await next_line(leader)]
    term = int(written[0].split()[1])
    leader.send_signal(signal.SIGSTOP)

    await asyncio.wait_for(leadership.wait_until(), TAKEOVER)

    assert leadership.term > term
    channel = other.channel("activity", "samples", 10_000)
    await channel.ready("")
    channel.send("the other leads")
    written += await written_lines(leader)
    leader.send_signal(signal.SIGCONT)
    # it may have been frozen right before it wrote the first line
    written.append(await next_line(leader))
    for _ in range(50):
        assert (await next_line(leader)).startswith("False")
    await until(lambda: "the other leads" in events(channel))
    last = max(int(line.split()[2]) for line in written if line.startswith("True"))
    sent = [event for event in events(channel) if isinstance(event, dict)]
    assert {event["term"] for event in sent} == {term}
    assert max(event["number"] for event in sent) <= last
    assert leadership.is_leader


async def written_lines(process: Process) -> list[str]:
    """What a frozen process has written, and nobody has read."""
    lines: list[str] = []
    with suppress(asyncio.TimeoutError):
        while True:
            assert process.stdout is not None
            lines.append((await asyncio.wait_for(process.stdout.readline(), 0.5)).decode())
    return lines
