"""No process is left behind, whichever is killed: service, launcher, command or worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proxy.process.conftest import MakeSupervisor
from tests.support import ROOT
from tests.support.web_processes import is_running, parent_of, pids_in, until
from tornado_service.proxy.process.supervisor import State, Supervisor

#: A service with one app; it prints the processes of the app.
SERVICE = textwrap.dedent("""
    import asyncio, logging
    from tests.support.web_processes import options, pids_in, until
    from tornado_service.proxy.process.supervisor import Supervisor

    async def main():
        app = Supervisor(options("--workers", "--ignore-sigterm"), logging.getLogger())
        await app.wait_ready()
        await until(lambda: len(pids_in(app.details["output"])["worker"]) == 2)
        print(app.details["output"], f"socket {app.target.unix_socket}", "ready", sep="\\n",
              flush=True)
        await asyncio.sleep(60)

    asyncio.run(main())
""")


async def started(app: Supervisor) -> dict[str, list[int]]:
    """The processes of an app: leader, two workers, launcher."""
    await app.wait_ready()
    await until(lambda: len(pids_in(app.details["output"])["worker"]) == 2)
    pids = pids_in(app.details["output"])
    return {**pids, "launcher": [parent_of(pids["leader"][0])]}


def running(pids: dict[str, list[int]]) -> list[int]:
    return [pid for kind in pids.values() for pid in kind if is_running(pid)]


@pytest.fixture
def service() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVICE], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.wait()
    assert process.stdout
    process.stdout.close()


async def test_nothing_is_left_of_an_app_whose_service_is_killed(
    service: subprocess.Popen[str],
) -> None:
    assert service.stdout
    lines = "".join(iter(service.stdout.readline, "ready\n"))
    pids = pids_in(lines)
    assert len(pids["worker"]) == 2
    assert len(running(pids)) == 3

    service.kill()

    await until(lambda: not running(pids))
    directory = Path(lines.partition("socket ")[2].strip()).parent
    await until(lambda: not directory.exists())


async def test_nothing_is_left_of_an_app_whose_launcher_is_killed(
    supervise: MakeSupervisor,
) -> None:
    app = supervise("--workers", "--ignore-sigterm")
    pids = await started(app)

    os.kill(pids["launcher"][0], signal.SIGKILL)

    await until(lambda: not running(pids))
    await until(lambda: app.state is State.RESTARTING)
    assert app.problem.startswith("The command was ended together with its launcher.")
    await until(lambda: app.is_ready)


async def test_workers_end_with_a_command_that_is_killed(supervise: MakeSupervisor) -> None:
    app = supervise("--workers", "--ignore-sigterm")
    pids = await started(app)

    os.kill(pids["leader"][0], signal.SIGKILL)

    await until(lambda: not running(pids))
    await until(lambda: app.is_ready)


async def test_the_end_of_a_worker_is_the_command_s_own_matter(supervise: MakeSupervisor) -> None:
    app = supervise("--workers")
    pids = await started(app)

    for pid in pids["worker"]:
        os.kill(pid, signal.SIGKILL)
    await until(lambda: running(pids) == [*pids["leader"], *pids["launcher"]])

    assert app.is_ready


async def test_a_launcher_that_hangs_does_not_delay_the_end(supervise: MakeSupervisor) -> None:
    app = supervise("--workers", "--ignore-sigterm")
    pids = await started(app)
    os.kill(pids["launcher"][0], signal.SIGSTOP)

    await app.stop()

    await until(lambda: not running(pids))


async def test_a_command_that_detaches_itself_is_ended(supervise: MakeSupervisor) -> None:
    shell = "setsid sleep 61 & echo worker $!; echo {port}"
    app = supervise(command=("sh", "-c", shell))
    app.request_start()

    await until(lambda: app.problem)

    assert "ended with exit status 0. It must stay in the foreground" in app.problem
    assert running(pids_in(app.details["output"])) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
async def test_a_launcher_ends_its_command_when_it_gets_a_signal(
    supervise: MakeSupervisor, number: signal.Signals
) -> None:
    app = supervise("--workers")
    pids = await started(app)

    os.kill(pids["launcher"][0], number)

    await until(lambda: not running(pids))


async def test_a_launcher_is_small_and_knows_nothing_of_the_service(
    supervise: MakeSupervisor,
) -> None:
    app = supervise()
    await app.wait_ready()
    pid = parent_of(int(app.details["pid"]))

    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/environ") as environment:
        assert "site-packages" not in maps.read()
        assert "JUPYTERHUB" not in environment.read()
