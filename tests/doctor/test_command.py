"""The doctor finds the running service, and reports its problems without secrets."""

import os
import pwd
import secrets
from pathlib import Path

import pytest

from tests.support.launched import ENVIRONMENT, doctor, wait_for_line
from tornado_service.doctor.command import format_findings
from tornado_service.doctor.processes import (
    ServiceProcess,
    environment_of,
    other_users,
    read_settings,
    running_services,
    service_arguments,
)
from tornado_service.selfcheck import Finding

#: Other services may run on this machine at the same time, also those of this test.
NAME = f"patient-{secrets.token_hex(4)}"


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("python3 -m tornado_service", []),
        ("python3 -u -m tornado_service --port=1 --debug", ["--port=1", "--debug"]),
        ("/usr/bin/python3 /opt/venv/bin/tornado-service --port=1", ["--port=1"]),
        ("python3 /usr/local/share/tornado_service/tornado_service.pyz --port=1", ["--port=1"]),
        ("python3 -m tornado_service doctor --name=x", None),
        ("python3 -m tornado_service demo", None),
        ("python3 -m tornado_service.values", None),
        ("python3 -m jupyterhub --config /etc/tornado_service/config/application.py", None),
        ("vim tornado_service", None),
        ("", None),
    ],
)
def test_it_knows_a_service_by_its_command_line(command: str, arguments) -> None:
    assert service_arguments(command.split()) == arguments


def process(proc: Path, pid: int, command: list[str], environment: dict[str, str]) -> None:
    """An entry of Linux's table of processes."""
    entry = proc / str(pid)
    entry.mkdir()
    (entry / "cmdline").write_text("".join(f"{word}\0" for word in command))
    (entry / "environ").write_text("".join(f"{name}={environment[name]}\0" for name in environment))
    (entry / "cwd").symlink_to(proc)


def test_it_takes_the_settings_of_the_process_and_nothing_else(tmp_path: Path) -> None:
    ours = {"JUPYTERHUB_SERVICE_NAME": "a", "TORNADO_SERVICE_X": "y=z", "HOME": "/root"}
    command = ["python3", "-m", "tornado_service", "--port=1"]
    process(tmp_path, 7, command, ours)
    process(tmp_path, 8, ["python3", "-m", "jupyterhub"], ours)
    process(tmp_path, 9, command, {"HOME": "/root"})
    process(tmp_path, os.getpid(), command, ours)
    (tmp_path / "10").mkdir()  # it has ended meanwhile
    (tmp_path / "self").symlink_to("9")

    (found,) = running_services(tmp_path)

    assert found.environment == {"JUPYTERHUB_SERVICE_NAME": "a", "TORNADO_SERVICE_X": "y=z"}
    assert (found.pid, found.arguments, found.directory) == (7, ["--port=1"], str(tmp_path))


def test_processes_of_other_users_are_left_alone(tmp_path: Path, monkeypatch) -> None:
    process(tmp_path, 7, ["python3", "-m", "tornado_service"], {"JUPYTERHUB_SERVICE_NAME": "a"})
    process(tmp_path, 8, ["python3", "-m", "jupyterhub"], {})
    assert other_users(tmp_path) == []
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    assert running_services(tmp_path) == []
    assert other_users(tmp_path) == [pwd.getpwuid(os.getuid()).pw_name]
    assert running_services(tmp_path / "nowhere") == []


def test_settings_are_read_as_the_process_has_read_them(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_PUBLIC_URL", "https://of-the-doctor.example")
    (tmp_path / "settings.py").write_text("c.TornadoService.shutdown_grace = 1\n")
    given = {
        **ENVIRONMENT,
        "JUPYTERHUB_SERVICE_URL": "http://hub:8181",
        "JUPYTERHUB_SERVICE_PREFIX": "/base/services/tornado-service/",
        "TORNADO_SERVICE_COOKIE_SECRET": "s" * 40,
    }
    target = ServiceProcess(given, ["--config=settings.py", "--port=8282"], 1, str(tmp_path))
    before = dict(os.environ)

    with environment_of(target):
        service = read_settings(target)

        assert (service.port, service.ip, service.shutdown_grace) == (8282, "", 1)
        assert service.cookie_secret == b"s" * 40
        assert service.auth.api_url == ENVIRONMENT["JUPYTERHUB_API_URL"]
        assert service.prefix == "/base/services/tornado-service/"
        assert "JUPYTERHUB_PUBLIC_URL" not in os.environ
    assert dict(os.environ) == before


def test_a_report_is_a_line_for_each_finding_and_one_for_its_key() -> None:
    lines = format_findings(
        [
            Finding("url", "wrong", "It does not respond.", "extraPorts"),
            Finding("token", "ok", "Known."),
        ]
    ).splitlines()

    assert [line.split() for line in lines] == [
        ["wrong", "url:", "It", "does", "not", "respond."],
        ["Fix:", "extraPorts"],
        ["ok", "token:", "Known."],
    ]


def test_if_nothing_runs_it_names_where_to_look() -> None:
    result = doctor(f"--name={NAME}")

    assert result.returncode == 1
    assert "runs here" in result.stderr


def test_a_wrong_option_is_reported() -> None:
    result = doctor("--nam=x")

    assert (result.returncode, "Did you mean --name?" in result.stderr) == (2, True)


def test_the_environment_of_a_service_will_do(port: int) -> None:
    environment = {name: value.format(port=port) for name, value in ENVIRONMENT.items()}

    result = doctor(f"--name={NAME}", **{**environment, "JUPYTERHUB_SERVICE_NAME": NAME})

    assert result.returncode == 1
    assert f"{NAME} (no process, only its environment)" in result.stdout
    assert "unknown  process:" in result.stdout
    assert "wrong    hub-api:" in result.stdout
    assert "wrong    url:" in result.stdout
    assert ENVIRONMENT["JUPYTERHUB_API_TOKEN"] not in result.stdout + result.stderr


def test_the_environment_of_an_external_service_will_do(port: int) -> None:
    """It has few variables, and its settings have other names than those of Helm values."""
    names = ("JUPYTERHUB_SERVICE_URL", "JUPYTERHUB_API_TOKEN", "JUPYTERHUB_API_URL")
    environment = {name: ENVIRONMENT[name].format(port=port) for name in names}

    result = doctor(f"--name={NAME}", **environment, JUPYTERHUB_SERVICE_NAME=NAME)

    assert result.returncode == 1
    assert "wrong    hub-api:" in result.stdout
    assert "Fix: JUPYTERHUB_API_URL=http://" in result.stdout
    assert f"redirects browsers to /services/{NAME}/oauth_callback," in result.stdout
    assert f"hub.services.{NAME}.environment" not in result.stdout


def test_settings_that_cannot_be_are_a_finding(port: int) -> None:
    environment = {name: value.format(port=port) for name, value in ENVIRONMENT.items()}
    environment |= {"JUPYTERHUB_SERVICE_NAME": NAME, "TORNADO_SERVICE_COOKIE_SECRET": "too-short"}

    result = doctor(f"--name={NAME}", **environment)

    assert result.returncode == 1
    assert "wrong    settings:" in result.stdout
    assert "shorter than 32 bytes" in result.stdout
    assert "too-short" not in result.stdout + result.stderr


def test_it_finds_the_process_and_its_problems(launch, port: int) -> None:
    """The doctor reports the problem of the service's log, too."""
    url = f"http://127.0.0.2:{port}"
    running = launch("--ip=127.0.0.1", JUPYTERHUB_SERVICE_NAME=NAME, JUPYTERHUB_SERVICE_URL=url)
    logged = wait_for_line(running, "Self-check, url:")
    message, _, key = logged.partition("url: ")[2].strip().partition(" Fix: ")

    result = doctor(f"--name={NAME}")

    assert result.returncode == 1
    assert f"{NAME} (process {running.pid})" in result.stdout
    assert f"Process {running.pid} responds at port {port}." in result.stdout
    assert f"wrong    url:           {message}" in result.stdout
    assert f"Fix: {key}" in result.stdout
    assert ENVIRONMENT["JUPYTERHUB_API_TOKEN"] not in result.stdout + result.stderr
