"""The log and the doctor report why the hub gives up on the service."""

import re
import secrets
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import jupyterhub
import pytest

from tests.support.documentation import marked_block
from tests.support.launched import doctor
from tests.support.real_hub import service_pids
from tests.support.selfcheck import dropping
from tornado_service.demo.hub import ThrowAwayHub
from tornado_service.demo.processes import free_ports

#: Other hubs may run on this machine at the same time, also those of this test.
NAME = f"patient-{secrets.token_hex(4)}"
GIVEN_UP = f"Cannot connect to {NAME} service managed"


def hub_in_trouble(url: str, *options: str) -> ThrowAwayHub:
    """A hub that cannot reach the service."""
    command = [sys.executable, "-m", "tornado_service", *options]
    # its timeout is configurable since JupyterHub 6
    limit = {"timeout": 10} if jupyterhub.version_info >= (6,) else {}
    return ThrowAwayHub(
        service_name=NAME, service_url=url, service_command=command, service_options=limit
    )


#: The service's URL and options; the finding of the self-check, and its setting.
IN_TROUBLE = [
    (
        "http://hub.invalid:{port}",
        [],
        "the name hub.invalid does not resolve",
        f"hub.services.{NAME}.url",
    ),
    (
        "http://127.0.0.2:{port}",
        ["--ip=127.0.0.1"],
        "connection refused",
        "the service's url in jupyterhub_config.py: http://127.0.0.1:{port}",
    ),
    (
        f"http://{socket.gethostname()}:{{port}}",
        ["--port={other}"],
        "connection refused",
        f"{{{{name: {NAME}, port: {{port}}, targetPort: {{other}}}}}}",
    ),
]


def test_the_reason_is_in_the_log_before_the_hub_gives_up() -> None:
    with ThreadPoolExecutor() as pool:  # the hubs wait at the same time
        for checked in [pool.submit(assert_reason_is_logged, *trouble) for trouble in IN_TROUBLE]:
            checked.result()


def assert_reason_is_logged(url: str, options: list[str], reason: str, key: str) -> None:
    port, other = free_ports(2)
    ports = {"port": port, "other": other}

    hub = hub_in_trouble(url.format(**ports), *(option.format(**ports) for option in options))
    with pytest.raises(RuntimeError):
        hub.start()

    before, given_up, _ = hub.log.partition(GIVEN_UP)
    assert given_up
    (line,) = re.findall(r"\[W .*Self-check, url: (.*)", before)
    assert reason in line
    assert key.format(**ports) in line


def test_packets_that_are_dropped_are_named_within_seconds() -> None:
    """A 5.x hub reports these only after 200 s; the test does not wait for that."""
    with dropping(socket.gethostbyname(socket.gethostname())) as port:
        url = f"http://{socket.gethostname()}:{port}"
        hub = hub_in_trouble(url, f"--port={free_ports(1)[0]}")
        with ThreadPoolExecutor() as pool:
            starting = pool.submit(hub.start, 300)
            while "Self-check, listening" not in hub.log and not starting.done():
                time.sleep(0.1)
            hub.process.terminate()
            assert isinstance(starting.exception(), RuntimeError)

    (line,) = re.findall(r"\[W .*Self-check, url: (.*)", hub.log)
    assert GIVEN_UP not in hub.log
    assert "network policy" in line
    assert "hub.networkPolicy.ingress" in line
    assert "hub.networkPolicy.allowedIngressPorts" in line


def not_ok(report: str) -> list[str]:
    return re.findall("^(?:wrong|unknown) .*", report, re.MULTILINE)


def test_the_doctor_finds_a_healthy_service_without_options(start_hub) -> None:
    hub = start_hub(service_name=NAME, base_url="/base/")
    (pid,) = service_pids(hub.directory)

    result = doctor(f"--name={NAME}")

    assert (result.returncode, not_ok(result.stdout), result.stderr) == (0, [], "")
    assert result.stdout.startswith(f"{NAME} (process {pid})\n")
    assert f"The hub accepts the token of the service {NAME}." in result.stdout
    (line,) = re.findall("Self-check.*", hub.log)
    assert line == "Self-check: nothing is wrong"
    assert hub.service["api_token"] not in result.stdout


async def test_a_hub_with_neither_subdomains_nor_https_is_a_note(start_hub, browse) -> None:
    hub = start_hub(service_name=NAME)
    for name in ("sam", "kim"):
        assert (await browse(hub, "hub.example.org").sign_in(hub.service_prefix, name)).code == 200
    result = doctor(f"--name={NAME}")

    (line,) = re.findall("^note .*", result.stdout, re.MULTILINE)
    assert "origin:" in line
    assert (result.returncode, not_ok(result.stdout)) == (0, [])
    (logged,) = re.findall("Self-check, origin: (.*)", hub.log)
    assert line.split(maxsplit=2)[2] in logged


def test_the_doctor_with_internal_ssl(start_hub) -> None:
    """Only the hub and its proxy may connect; the certificate identifies the service."""
    hub = start_hub(
        service_name=NAME,
        service_url=f"https://127.0.0.1:{free_ports(1)[0]}",
        extra_config=marked_block("how-to/internal-ssl.md", "internal_ssl")
        + """
c.JupyterHub.internal_ssl = True
api = c.ConfigurableHTTPProxy.api_url
c.ConfigurableHTTPProxy.api_url = api.replace("http:", "https:")
""",
    )

    result = doctor(f"--name={NAME}")

    assert (result.returncode, not_ok(result.stdout)) == (0, [])
    assert "Self-check: nothing is wrong" in hub.log


APPS = """
from tornado_service import ServiceApp


class Reports(ServiceApp):
    name = "reports"
    service_scopes = {"list:users", "read:users:activity"}


class Fails(Reports):
    name = "fails"

    async def start(self):
        raise RuntimeError("no database")
"""


@pytest.mark.parametrize("granted", [{"list:users", "read:users:activity"}, {"list:users"}, set()])
def test_the_doctor_checks_the_scopes_that_the_apps_of_the_running_service_declare(
    start_hub, tmp_path, granted
) -> None:
    (tmp_path / "doctors_apps.py").write_text(APPS)
    hub = start_hub(
        service_name=NAME,
        service_command=[
            *(sys.executable, "-m", "tornado_service"),
            "--TornadoService.apps=doctors_apps:Reports",
        ],
        service_environment={"PYTHONPATH": str(tmp_path)},
        service_scopes=sorted(granted),
    )
    wait_until_logged(hub, "App reports is ready")

    result = doctor(f"--name={NAME}")

    assert re.search("ok +apps: +reports is ready.", result.stdout)
    lacking = sorted({"list:users", "read:users:activity"} - granted)
    role = f'hub.loadRoles.{NAME}: {{"scopes": ["list:users", "read:users:activity"]'
    if lacking:
        wait_until_logged(hub, "Self-check, scopes: The service's token lacks scopes")
        (wrong,) = not_ok(result.stdout)
        assert wrong.endswith(f"lacks scopes that it needs: {', '.join(lacking)}.")
        assert f"Fix: {role}" in result.stdout
    else:
        assert (result.returncode, not_ok(result.stdout)) == (0, [])
        assert "has the scopes it needs: list:users, read:users:activity." in result.stdout


def test_the_doctor_reports_which_app_has_failed(start_hub, tmp_path) -> None:
    (tmp_path / "doctors_apps.py").write_text(APPS)
    apps = ["doctors_apps:Fails", "doctors_apps:Missing"]
    hub = start_hub(
        service_name=NAME,
        service_command=[
            *(sys.executable, "-m", "tornado_service"),
            *(f"--TornadoService.apps={app}" for app in apps),
        ],
        service_environment={"PYTHONPATH": str(tmp_path)},
        service_scopes=["list:users", "read:users:activity"],
    )
    for app in apps:
        wait_until_logged(hub, f"App {app} failed")

    result = doctor(f"--name={NAME}")

    (wrong,) = not_ok(result.stdout)
    assert "doctors_apps:Fails failed: RuntimeError: no database; " in wrong
    assert "doctors_apps:Missing failed: " in wrong
    assert result.returncode == 1


def test_the_doctor_reports_the_problems_of_a_running_app(start_hub) -> None:
    hub = start_hub(
        service_name=NAME,
        service_command=[
            *(sys.executable, "-m", "tornado_service"),
            "--TornadoService.apps=activity",
            "--Activity.database_url=sqlite:////no/such/directory/activity.sqlite",
        ],
        service_scopes=["list:users", "read:users", "read:servers"],
    )
    wait_until_logged(hub, "History of activity: live view only")

    result = doctor(f"--name={NAME}")

    (wrong,) = not_ok(result.stdout)
    assert "activity is in trouble: /no/such/directory/activity.sqlite cannot be used" in wrong
    assert "Set c.Activity.database_url" in wrong
    assert result.returncode == 1


def wait_until_logged(hub: ThrowAwayHub, text: str) -> None:
    deadline = time.monotonic() + 30
    while text not in hub.log:
        assert time.monotonic() < deadline, hub.log
        time.sleep(0.1)


async def test_admins_open_the_status_page_and_others_do_not(real_hub, browse) -> None:
    page = real_hub.service_prefix + "status"
    ada, sam = browse(real_hub), browse(real_hub)

    assert (await ada.sign_in(page, "ada")).code == 200
    assert (await sam.sign_in(page, "sam")).code == 403

    assert real_hub.api_url in ada.page
    assert "Only hub admins can open this page. You are signed in as sam." in sam.page
    assert real_hub.api_url not in sam.page
