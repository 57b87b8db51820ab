"""One run of a command: when it is ready, and what is wrong with it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.proxy.process.conftest import MakeSupervisor
from tests.support.web_processes import PREFIX, PROGRAM, is_running, until
from tornado_service.proxy.process.supervisor import State


async def test_a_command_that_does_not_listen_in_time_is_ended_and_named(
    supervise: MakeSupervisor,
) -> None:
    app = supervise("--after=60", start_timeout=0.5)
    app.request_start()
    pid = int(await until(lambda: app.details["pid"]))

    await until(lambda: app.state is State.RESTARTING)

    assert not is_running(pid)
    assert app.problem.startswith("The command does not listen on ")
    assert '["start_timeout"]. Last line of output: leader' in app.problem


async def test_an_app_that_no_longer_listens_is_not_ready(supervise: MakeSupervisor) -> None:
    app = supervise(start_timeout=6)
    await app.wait_ready()
    os.unlink(app.target.unix_socket)

    app.report_unreachable()
    await until(lambda: app.state is State.RESTARTING)

    assert app.problem.startswith("The command does not listen on ")
    await until(lambda: app.is_ready)


async def test_a_report_about_an_app_that_listens_changes_nothing(
    supervise: MakeSupervisor,
) -> None:
    app = supervise()
    await app.wait_ready()
    pid = app.details["pid"]

    app.report_unreachable()
    await asyncio.sleep(0.1)

    assert (app.is_ready, app.details["pid"]) == (True, pid)


async def test_an_app_at_the_root_only_is_named(supervise: MakeSupervisor) -> None:
    app = supervise("--served-at=/")
    await app.wait_ready()

    problem = await until(lambda: app.problem)

    assert problem.startswith("The app responds only at /, not at /services/tornado-service/sales/")


async def test_a_restart_takes_another_port(supervise: MakeSupervisor) -> None:
    app = supervise("--port={port}")
    await app.wait_ready()
    port = app.target.port

    os.kill(int(app.details["pid"]), signal.SIGKILL)
    await until(lambda: not app.is_ready)
    await until(lambda: app.is_ready)

    assert app.target.port != port


async def test_secrets_of_the_service_are_not_in_the_environment(
    supervise: MakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret-token")
    app = supervise(environment={"WHERE": "{prefix}/{name}"})
    await app.wait_ready()

    environ = Path(f"/proc/{app.details['pid']}/environ").read_bytes()

    assert b"WHERE=/services/tornado-service/sales/sales\0" in environ
    assert b"JUPYTERHUB" not in environ
    assert b"secret-token" not in environ


async def test_a_command_that_listens_on_a_port_of_its_own_is_named(
    supervise: MakeSupervisor,
) -> None:
    code = (
        "import socket, time; listener = socket.create_server(('127.0.0.1', 0));"
        " print(listener.getsockname()[1], flush=True); time.sleep(60)"
    )
    app = supervise(command=(sys.executable, "-S", "-c", code, "{port}"), start_timeout=2)
    app.request_start()

    problem = await until(lambda: app.problem)

    port = app.details["output"]
    assert problem.startswith(f"The command listens on port {port} instead of 127.0.0.1:")


async def test_a_command_that_listens_on_another_address_is_named(
    supervise: MakeSupervisor,
) -> None:
    app = supervise("--host=127.0.0.2", "--port={port}", start_timeout=2)
    app.request_start()
    address = await until(lambda: app.details["pid"] and app.details["listens on"])

    assert await until(lambda: app.problem) == (
        f"The command does not listen on {address}, but on this port of another address: pass its"
        " option for the address, such as --host=127.0.0.1, in"
        ' c.TornadoService.web_apps["sales"]["command"].'
    )


async def test_a_command_that_does_not_speak_http_is_named(supervise: MakeSupervisor) -> None:
    code = (
        "import socket, sys; listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
        "while True: listener.accept()[0].sendall(b'SSH-2.0\\r\\n\\r\\n')"
    )
    app = supervise(command=(sys.executable, "-S", "-c", code, "{port}"), start_timeout=2)
    app.request_start()

    problem = await until(lambda: app.problem)

    assert "does not respond to HTTP requests within 2 s: no valid HTTP response" in problem


@pytest.mark.parametrize(
    ("arguments", "strip_prefix", "text"),
    [
        (["--served-at=/"], False, "The app responds only at /, not at "),
        ([f"--served-at={PREFIX}{PREFIX}/"], False, "so the prefix is set twice: set "),
        ([f"--redirect-to={PREFIX}/"], True, "by itself, so the prefix is set twice: remove "),
        ([f"--served-at={PREFIX}/"], True, "but not at /: remove "),
    ],
)
async def test_a_wrong_prefix_is_named(
    supervise: MakeSupervisor, arguments: list[str], strip_prefix: bool, text: str
) -> None:
    app = supervise(*arguments, strip_prefix=strip_prefix)
    await app.wait_ready()

    assert text in await until(lambda: app.problem)


@pytest.mark.parametrize(
    ("argument", "strip_prefix"), [(f"--served-at={PREFIX}/", False), ("--served-at=/", True)]
)
async def test_a_right_prefix_is_no_problem(
    supervise: MakeSupervisor, argument: str, strip_prefix: bool
) -> None:
    app = supervise(argument, strip_prefix=strip_prefix)
    await app.wait_ready()

    assert app.problem == ""


async def test_a_page_with_links_out_of_the_app_is_named(supervise: MakeSupervisor) -> None:
    app = supervise("--page=<link rel=stylesheet href=/app.css>", strip_prefix=True)
    await app.wait_ready()

    assert await until(lambda: app.problem) == (
        f"The app's page links to /app.css, which is not below {PREFIX}/: pass {{prefix}} to the"
        ' app\'s option for its path in c.TornadoService.web_apps["sales"]["command"] or'
        ' c.TornadoService.web_apps["sales"]["environment"], or make the links relative.'
    )


async def test_a_working_directory_that_does_not_exist_is_named(
    supervise: MakeSupervisor,
) -> None:
    app = supervise(working_directory="/there/is/none")
    app.request_start()

    assert await until(lambda: app.problem) == (
        "Cannot use the directory /there/is/none (No such file or directory): change"
        ' c.TornadoService.web_apps["sales"]["working_directory"].'
    )


async def test_relative_programs_are_in_the_working_directory(
    supervise: MakeSupervisor, tmp_path: Path
) -> None:
    (tmp_path / "run").symlink_to(sys.executable)
    command = ("./run", "-S", str(PROGRAM), "--port={port}")
    app = supervise(command=command, working_directory=str(tmp_path))

    await app.wait_ready()

    assert Path(f"/proc/{app.details['pid']}/cwd").readlink() == tmp_path


async def test_an_app_that_listens_on_all_interfaces_is_named(supervise: MakeSupervisor) -> None:
    app = supervise("--host=0.0.0.0", "--port={port}")
    await app.wait_ready()

    problem = await until(lambda: app.problem)

    assert "of all interfaces, so clients can reach it without signing in" in problem
    assert '["command"]' in problem
