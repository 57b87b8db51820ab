"""The process of a web app, from the first request to its end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import stat
from pathlib import Path

import pytest

from tests.proxy.process.conftest import MakeSupervisor
from tests.support.web_processes import is_running, pids_in, until
from tornado_service.proxy.process import supervisor as module
from tornado_service.proxy.process.supervisor import NotStarted, State, Supervisor


async def test_nothing_runs_before_the_first_request(supervise: MakeSupervisor) -> None:
    app = supervise()

    await app.start()

    assert (app.state, app.is_ready, app.details["pid"]) == (State.STOPPED, False, "")


async def test_a_command_that_always_runs_starts_with_the_service(
    supervise: MakeSupervisor,
) -> None:
    app = supervise(always=True)

    await app.start()
    await until(lambda: app.is_ready)

    assert is_running(int(app.details["pid"]))


async def test_ten_visitors_start_one_process(
    supervise: MakeSupervisor, caplog: pytest.LogCaptureFixture
) -> None:
    app = supervise()

    await asyncio.gather(*(app.wait_ready() for _ in range(10)))

    assert caplog.text.count("sales: leader") == 1
    assert app.details["restarts"] == "0"


@pytest.mark.parametrize("listens", ["--port={port}", "--unix-socket={unix_socket}"])
async def test_an_app_is_reached_at_its_target(supervise: MakeSupervisor, listens: str) -> None:
    app = supervise(listens)

    await app.wait_ready()
    reader, writer = await app.target.connect()
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    response = await reader.read()
    writer.close()

    assert response.endswith(app.details["pid"].encode() + b" /")


async def test_the_socket_is_in_a_private_directory_that_is_removed(
    supervise: MakeSupervisor,
) -> None:
    app = supervise()
    await app.wait_ready()
    directory = Path(app.target.unix_socket).parent

    mode = stat.S_IMODE(directory.stat().st_mode)
    await app.stop()

    assert (mode, directory.exists()) == (0o700, False)


async def test_stop_ends_everything_even_if_it_ignores_sigterm(supervise: MakeSupervisor) -> None:
    app = supervise("--workers", "--ignore-sigterm")
    await app.wait_ready()
    await until(lambda: len(pids_in(app.details["output"])["worker"]) == 2)
    pids = pids_in(app.details["output"])

    await app.stop()

    assert app.state is State.STOPPED
    assert [pid for pid in pids["leader"] + pids["worker"] if is_running(pid)] == []


async def test_after_stop_nothing_starts(supervise: MakeSupervisor) -> None:
    app = supervise()
    await app.stop()

    app.request_start()
    with pytest.raises(NotStarted, match="not available"):
        await app.wait_ready()

    assert app.state is State.STOPPED


async def test_stop_ends_a_command_that_is_just_starting(supervise: MakeSupervisor) -> None:
    app = supervise("--after=60")
    waiting = asyncio.ensure_future(app.wait_ready())
    pid = int(await until(lambda: app.details["pid"]))

    await app.stop()

    with pytest.raises(NotStarted):
        await waiting
    assert not is_running(pid)


async def test_a_command_that_dies_is_restarted_with_growing_pauses(
    supervise: MakeSupervisor, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(module, "MAX_PAUSE", 0.006)
    app = supervise(command=("sh", "-c", "echo broken; exit 3", "{port}"))

    app.request_start()
    await until(lambda: app.restarts >= 4)
    await app.stop()

    reason = (
        "App sales: The command ended with exit status 3. Check"
        ' c.TornadoService.web_apps["sales"]["command"]. Last line of output: broken'
    )
    errors = [line for line in caplog.messages if line.startswith(reason)]
    assert [line.removeprefix(reason) for line in errors[:4]] == [
        f" (restarting in {seconds} s)" for seconds in (0.001, 0.002, 0.004, 0.006)
    ]


async def test_an_app_that_dies_once_is_back_after_a_second(supervise: MakeSupervisor) -> None:
    app = supervise()
    await app.wait_ready()
    first = int(app.details["pid"])

    os.kill(first, signal.SIGKILL)
    await until(lambda: app.state is State.RESTARTING)
    problem = app.problem
    await until(lambda: app.is_ready)

    assert problem.startswith("The command was killed (SIGKILL), perhaps because memory ran out.")
    assert app.details["pid"] != str(first)
    assert app.details["restarts"] == "1"


async def test_websockets_are_refused_when_the_start_has_failed(
    supervise: MakeSupervisor,
) -> None:
    app = supervise(command=("/nonexistent/streamlit", "{port}"))

    with pytest.raises(NotStarted, match="not available"):
        await app.wait_ready()

    assert app.problem == (
        "Command not found: /nonexistent/streamlit. Install the program (or the interpreter that"
        " its first line names), or set its full path in"
        ' c.TornadoService.web_apps["sales"]["command"].'
    )


async def test_websockets_do_not_wait_for_a_distant_restart(
    supervise: MakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 60)
    app = supervise(command=("sh", "-c", "exit 1", "{port}"))
    app.request_start()
    await until(lambda: app.state is State.RESTARTING)

    with pytest.raises(NotStarted):
        await asyncio.wait_for(app.wait_ready(), 10)


async def test_an_idle_app_is_ended_and_started_by_the_next_request(
    supervise: MakeSupervisor,
) -> None:
    app = supervise(idle_timeout=0.3)
    await app.wait_ready()
    pid = int(app.details["pid"])
    app.begin_use()
    await asyncio.sleep(0.5)
    assert app.is_ready
    app.end_use()

    await until(lambda: app.state is State.STOPPED)
    was_running = is_running(pid)
    await app.wait_ready()

    assert not was_running
    assert app.details["restarts"] == "0"
    assert app.problem == ""


async def test_a_request_while_an_idle_app_ends_starts_it_again(
    supervise: MakeSupervisor,
) -> None:
    app = supervise("--ignore-sigterm", idle_timeout=0.3)
    await app.wait_ready()
    pid = app.details["pid"]
    await until(lambda: not app.is_ready)

    await app.wait_ready()

    assert app.details["pid"] != pid


async def test_refused_origins_are_named(
    supervise: MakeSupervisor, caplog: pytest.LogCaptureFixture
) -> None:
    app = supervise("--say=Refusing websocket connection from Origin 'http://hub'; …")
    await app.wait_ready()
    from_output = await until(lambda: app.problem)

    app.report_response(
        403, {}, b"To allow it, add it to `server.allowedHosts` in vite.config.js.", False
    )

    assert "--allow-websocket-origin" in from_output
    assert "Vite refuses this host" in app.problem
    assert "Vite refuses this host" in caplog.text


async def test_output_and_state_are_for_administrators(
    supervise: MakeSupervisor, caplog: pytest.LogCaptureFixture
) -> None:
    app = supervise("--say=hello", "--port={port}")
    await app.wait_ready()
    await until(lambda: "hello" in app.details["output"])
    details = app.details

    assert list(details) == ["state", "pid", "restarts", "listens on", "output"]
    assert details["state"] == "running"
    assert details["listens on"] == f"127.0.0.1:{app.target.port}"
    assert ("tests.web_apps", logging.INFO, "sales: hello") in caplog.record_tuples


async def test_many_starts_leave_no_file_open(supervise: MakeSupervisor) -> None:
    app: Supervisor = supervise(idle_timeout=0.01)
    await app.wait_ready()
    await until(lambda: app.state is State.STOPPED)
    before = len(os.listdir("/proc/self/fd"))

    for _ in range(5):
        await app.wait_ready()
        await until(lambda: app.state is State.STOPPED)

    assert len(os.listdir("/proc/self/fd")) <= before
