"""The hub gets another token for the service: users cannot sign in, and everything says so."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.launched import doctor
from tornado_service.testing import Browse, RealHub

#: Other hubs may run on this machine at the same time, also those of this test.
NAME = f"rotated-{secrets.token_hex(4)}"

NOBODY = "No user can sign in: the hub refuses the OAuth client"


class External:
    """A hub that does not launch the service, and the service with its token in a file."""

    def __init__(self, directory: Path) -> None:
        self.hub = RealHub(service_name=NAME, service_options={"command": []})
        self.token_file = directory / "token"
        self.log_file = directory / "service.log"

    def start(self, **environment: str) -> subprocess.Popen[bytes]:
        self.token_file.write_text(self.hub.service["api_token"])
        with self.log_file.open("wb") as log:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", "tornado_service"),
                    f"--TornadoService.api_token_file={self.token_file}",
                ],
                env={
                    "PATH": "/usr/bin:/bin",
                    "JUPYTERHUB_SERVICE_NAME": NAME,
                    "JUPYTERHUB_SERVICE_URL": self.hub.service_url,
                    "JUPYTERHUB_API_URL": self.hub.api_url,
                    **environment,
                },
                stderr=log,
            )

    def rotate(self) -> None:
        """Give the service another token at the hub, which restarts."""
        self.hub.kill()
        self.hub.service["api_token"] = secrets.token_hex(16)
        self.hub.start()

    def log_lines(self, text: str) -> list[str]:
        return [line for line in self.log_file.read_text().splitlines() if text in line]


@pytest.fixture
def environment() -> dict[str, str]:
    """More variables of the external service."""
    return {}


@pytest.fixture
def external(tmp_path: Path, environment: dict[str, str]) -> Iterator[External]:
    external = External(tmp_path)
    process = external.start(**environment)
    try:
        external.hub.start()
        yield external
    finally:
        process.terminate()
        process.wait()
        external.hub.stop()
        print(external.hub.log, external.log_file.read_text())  # pytest shows it with a failure


async def wait_for_readiness(client, hub: RealHub, status: int) -> dict[str, str]:
    """The checks of ``health/ready``, as soon as it has this status."""
    deadline = time.monotonic() + 60
    while True:
        url = f"{hub.service_url}{hub.service_prefix}health/ready"
        response = await client.fetch(url, raise_error=False)
        if response.code == status:
            return json.loads(response.body)["checks"]
        assert time.monotonic() < deadline, response.body
        time.sleep(0.1)


def not_ok(report: str) -> list[str]:
    return re.findall("^(?:wrong|unknown|note) .*", report, re.MULTILINE)


async def test_an_external_service(external: External, browse: Browse, client) -> None:
    hub, page = external.hub, external.hub.service_prefix
    assert (await browse(hub).sign_in(page, "sam")).code == 200
    before = doctor(f"--name={NAME}")
    assert (before.returncode, not_ok(before.stdout), before.stderr) == (0, [], "")
    assert "ok       base-url:      The hub's base URL is /" in before.stdout

    external.rotate()
    refused = await browse(hub).sign_in(page, "kim")
    checks = await wait_for_readiness(client, hub, 503)
    report = doctor(f"--name={NAME}")

    assert (refused.code, b"tornado-service doctor" in refused.body) == (400, True)
    assert checks == {"hub": "ok", "sign-in": "not ready"}
    (wrong,) = not_ok(report.stdout)
    assert (report.returncode, f"sign-in:       {NOBODY} service-{NAME}" in wrong) == (1, True)
    fix = f"Fix: in {external.token_file} the token that the hub has for the service"
    assert fix in report.stdout
    (logged,) = external.log_lines(f"Self-check, sign-in: {NOBODY}")
    assert fix in logged

    external.token_file.write_text(hub.service["api_token"])
    await wait_for_readiness(client, hub, 200)
    assert (await browse(hub).sign_in(page, "ines")).code == 200
    assert external.log_lines("Self-check, sign-in: The hub accepts the OAuth client")


@pytest.mark.parametrize(
    "environment", [{"JUPYTERHUB_CLIENT_ID": "service-other"}], ids=["client id"]
)
async def test_an_external_service_with_another_client(external: External, client) -> None:
    checks = await wait_for_readiness(client, external.hub, 503)
    report = doctor(f"--name={NAME}")

    assert checks["sign-in"] == "not ready"
    wrong, redirect = not_ok(report.stdout)
    assert f"sign-in:       {NOBODY} service-other" in wrong
    assert re.match("unknown +redirect: .* No user has signed in", redirect)
    assert f"Fix: JUPYTERHUB_CLIENT_ID=service-{NAME}" in report.stdout


@pytest.mark.parametrize(
    "environment",
    [{"JUPYTERHUB_OAUTH_CALLBACK_URL": f"https://hub.example/services/{NAME}/oauth_callback"}],
    ids=["redirect"],
)
async def test_an_external_service_with_an_absolute_redirect(
    external: External, browse: Browse, client
) -> None:
    """The hub judges it in a browser that is signed in; the user opens the page again."""
    await wait_for_readiness(client, external.hub, 200)
    sam = browse(external.hub)
    before = doctor(f"--name={NAME}")
    first = await sam.sign_in(external.hub.service_prefix, "sam")
    again = await sam.open(external.hub.service_prefix)
    report = doctor(f"--name={NAME}")

    assert (first.code, again.code) == (400, 400)
    await wait_for_readiness(client, external.hub, 503)
    (unknown,) = not_ok(before.stdout)
    (wrong,) = not_ok(report.stdout)
    assert re.match("unknown +redirect: ", unknown)
    assert re.match("wrong +redirect: .* Mismatching redirect URI", wrong)
    for text in (before.stdout, report.stdout):
        fix = "Fix: no ServiceAuth.oauth_redirect_uri, and no JUPYTERHUB_OAUTH_CALLBACK_URL"
        assert fix in text


def test_a_service_that_the_hub_launches_with_a_token_set_by_hand(start_hub) -> None:
    """The hub's own is in the variable otherwise."""
    environment = {"JUPYTERHUB_API_TOKEN": secrets.token_hex(16)}
    start_hub(service_name=NAME, service_environment=environment)

    report = doctor(f"--name={NAME}")

    assert report.returncode == 1
    assert re.search(f"^wrong +sign-in: +{NOBODY}", report.stdout, re.MULTILINE)
    assert f"Fix: no JUPYTERHUB_API_TOKEN in hub.services.{NAME}.environment" in report.stdout
