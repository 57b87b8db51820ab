"""The whole self-check, and how it runs in the background of a service."""

import asyncio
import io
import logging
from dataclasses import replace

import pytest

from tests.selfcheck.conftest import SERVICE
from tests.support.streaming import until
from tornado_service import ServiceApp
from tornado_service.app import TornadoService
from tornado_service.selfcheck import CheckedSetup, checks, monitor, run_checks
from tornado_service.testing import PREFIX, SERVICE_TOKEN, NewVisitor, StandInHub


def test_the_key_of_cookies(setup: CheckedSetup) -> None:
    secrets = [b"short", b"x" * 32, checks.derive_cookie_secret(SERVICE_TOKEN)]
    findings = [checks.check_cookie_secret(replace(setup, cookie_secret=key)) for key in secrets]

    assert [finding.state for finding in findings] == ["wrong", "ok", "ok"]
    assert "TORNADO_SERVICE_COOKIE_SECRET" in findings[0].key


@pytest.mark.parametrize(
    ("url", "states"),
    [
        ("", []),
        ("https://hub.example.org/services/x/", ["ok"]),
        ("http://127.0.0.1:8000/services/x/", ["ok"]),
        ("http://hub.example.org/services/x/", ["unknown"]),
    ],
)
def test_the_public_url(setup: CheckedSetup, url: str, states: list) -> None:
    findings = checks.check_public_url(replace(setup, public_url=url))

    assert [finding.state for finding in findings] == states


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({}, None),  # no request has arrived yet
        ({"seen_origin": "http://hub.example.org"}, "note"),
        ({"public_url": "http://hub.example.org/services/x/"}, "note"),
        ({"hub_host": "http://hub.example.org"}, "note"),
        ({"seen_origin": "http://192.168.0.7:8000"}, "note"),
        # a service may have its callback's URL set in full
        (
            {"seen_origin": "http://hub.example.org", "callback_url": "http://hub.example.org/x"},
            "note",
        ),
        ({"seen_origin": "https://hub.example.org"}, "ok"),
        ({"public_url": "https://h.org/services/x/", "seen_origin": "http://h.org"}, "ok"),
        ({"hub_host": "http://h.org", "callback_url": "http://x--service.h.org/x"}, "ok"),
        # this machine alone: a hub for trials
        ({"seen_origin": "http://127.0.0.1:8000"}, "ok"),
        ({"seen_origin": "http://localhost:8000"}, "ok"),
        ({"seen_origin": "http://[::1]:8000"}, "ok"),
    ],
)
def test_a_hub_with_neither_subdomains_nor_https(
    setup: CheckedSetup, given: dict[str, str], state: str | None
) -> None:
    findings = checks.check_origin(replace(setup, **given))

    assert [finding.state for finding in findings] == ([state] if state else [])
    for finding in findings:
        assert ("subdomain_host" in finding.key) == (state == "note")


async def test_no_secret_is_reported(here: CheckedSetup) -> None:
    here = replace(here, cookie_secret=b"a-secret" * 4)
    reported = repr(here) + "".join(map(str, await run_checks(here, include_proxy=True)))

    assert SERVICE_TOKEN not in reported
    assert "a-secret" not in reported


class NeedsServers(ServiceApp):
    name = "needs-servers"
    service_scopes = frozenset({"read:servers"})


class Lines(logging.Handler):
    """The log, as text."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname[0]} {record.getMessage()}")

    def about(self, text: str) -> list[str]:
        return [line for line in self.lines if text in line]


class TestSelfCheck:
    @pytest.fixture
    def log(self, hub: StandInHub, service: TornadoService, here: CheckedSetup) -> Lines:
        """The log of a healthy service."""
        hub.users[SERVICE_TOKEN] = SERVICE
        lines = Lines()
        service.log.addHandler(lines)
        return lines

    async def test_all_is_well_is_one_line(self, service: TornadoService, log: Lines) -> None:
        service.selfcheck.findings = []

        running = asyncio.create_task(service.selfcheck.run())
        await until(lambda: bool(log.about("Self-check")))
        running.cancel()

        assert log.about("Self-check") == ["I Self-check: nothing is wrong"]

    async def test_each_change_is_logged_once(self, hub, service, log: Lines) -> None:
        await hub.stop()
        for _ in range(3):
            await service.selfcheck.refresh()
        first = log.about("hub-api")
        await hub.start()
        for _ in range(2):
            await service.selfcheck.refresh()

        assert len(first) == 1
        assert first[0].startswith("W Self-check, hub-api: The Hub API at ")
        assert "JUPYTERHUB_API_URL" in first[0]
        assert len(log.about("hub-api")) == 2
        assert log.about("hub-api")[1].startswith("I Self-check, hub-api: JupyterHub ")

    async def test_it_checks_until_all_is_well(self, hub, service, log, monkeypatch) -> None:
        monkeypatch.setattr(monitor, "RETRY_DELAYS", (0.01,))
        await hub.stop()
        running = asyncio.create_task(service.selfcheck.run())
        while not log.about("hub-api"):
            await asyncio.sleep(0.01)

        await hub.start()
        await until(lambda: bool(log.about("Self-check: nothing is wrong")))
        running.cancel()

        assert log.lines[-1] == "I Self-check: nothing is wrong"

    async def test_scopes_that_apps_need_are_checked_when_the_hub_is_back(
        self, hub, start_service, monkeypatch
    ) -> None:
        monkeypatch.setattr(monitor, "RETRY_DELAYS", (0.01,))
        hub.users[SERVICE_TOKEN] = SERVICE
        service = await start_service(
            load=False, TornadoService={"apps": [f"{__name__}:NeedsServers"]}
        )
        service.log.addHandler(log := Lines())
        await hub.stop()
        loading = asyncio.create_task(service._load_apps_and_check())
        await until(lambda: bool(log.about("hub-api")))

        await hub.start()
        await until(lambda: bool(log.about("lacks scopes that it needs: read:servers")))

        loading.cancel()

    async def test_a_shared_origin_without_https_is_logged_once(
        self, service: TornadoService, log: Lines, new_visitor: NewVisitor
    ) -> None:
        """As detected with the first browser that signs in; the service is healthy."""
        await service.selfcheck.refresh()
        before = log.about("Self-check")
        for name in ("ada", "bob"):
            await new_visitor(name).open(PREFIX)
            await service.selfcheck.refresh()

        (line,) = log.about("Self-check, origin")
        assert before == []
        assert line.startswith("W Self-check, origin: The hub has neither ")
        assert "c.JupyterHub.subdomain_host" in line
        assert service.selfcheck.is_healthy

    async def test_the_sign_in_is_checked_as_long_as_the_service_runs(
        self, hub, service, log: Lines, monkeypatch
    ) -> None:
        """A rotation of the service's token at the hub shows nowhere else."""
        monkeypatch.setattr(monitor, "SIGN_IN_INTERVAL", 0.01)
        monkeypatch.setattr(monitor, "SIGN_IN_RETRY_INTERVAL", 0.01)
        service.selfcheck.findings = []
        running = asyncio.create_task(service.selfcheck.run())
        await until(lambda: bool(log.about("nothing is wrong")))
        hub.client_secret = "another"
        await until(lambda: not service.selfcheck.is_sign_in_ok)
        hub.client_secret = SERVICE_TOKEN
        await until(lambda: service.selfcheck.is_sign_in_ok)
        running.cancel()

        wrong, right = log.about("Self-check, sign-in")
        assert wrong.startswith("W Self-check, sign-in: No user can sign in: ")
        assert right.startswith("I Self-check, sign-in: The hub accepts the OAuth client ")
        assert hub.calls["/hub/api/user"] == 1, "other checks do not run again"

    async def test_many_failed_sign_ins_are_one_check(
        self, hub, service, log: Lines, monkeypatch
    ) -> None:
        monkeypatch.setattr(monitor, "MAX_FINDINGS_AGE", 0.2)
        running = asyncio.create_task(service.selfcheck.run())
        await until(lambda: bool(service.selfcheck.findings))
        hub.client_secret = "another"
        before = hub.calls["/hub/api/oauth2/token"]
        for _ in range(20):
            service.selfcheck.check_soon()
        await until(lambda: not service.selfcheck.is_sign_in_ok)
        running.cancel()

        assert hub.calls["/hub/api/oauth2/token"] == before + 1

    async def test_a_successful_sign_in_ends_a_doubt(
        self, hub, service: TornadoService, log: Lines, new_visitor: NewVisitor
    ) -> None:
        url = f"http://127.0.0.1:{service.port}{PREFIX}oauth_callback"
        service.auth.oauth_redirect_uri = url
        service.auth.sign_ins.repeated = 1
        await service.selfcheck.refresh()
        doubted = service.selfcheck.is_sign_in_ok

        await new_visitor("ada").open(PREFIX)

        assert (doubted, service.selfcheck.is_sign_in_ok) == (False, True)
        wrong, right = log.about("Self-check, redirect")
        assert "Fix: no ServiceAuth.oauth_redirect_uri" in wrong
        assert right.startswith("I Self-check, redirect: After sign-in ")
        assert right.endswith(f" to {url}; they come back from there.")

    async def test_a_line_of_the_log_has_all_of_a_finding(
        self, hub: StandInHub, service: TornadoService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It resembles a line with secrets: what follows "token:" and "oauth_callback:" is one."""
        log = io.StringIO()
        monkeypatch.setattr(service.log.handlers[0], "stream", log)
        hub.users[SERVICE_TOKEN] = {**SERVICE, "name": "another"}
        service.auth.oauth_redirect_uri = "/services/another/oauth_callback"

        await service.selfcheck.refresh()

        findings = [item for item in service.selfcheck.findings if item.state == "wrong"]
        assert {"token", "redirect"} <= {finding.name for finding in findings}
        for finding in findings:
            assert f"Self-check, {finding.name}: {finding}\n" in log.getvalue()

    async def test_the_log_has_no_password_of_a_url(
        self, service: TornadoService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log = io.StringIO()
        monkeypatch.setattr(service.log.handlers[0], "stream", log)
        monkeypatch.setenv("JUPYTERHUB_PUBLIC_URL", "https://name:a-password@hub.example.org/")
        service.auth.api_url = "http://name:a-password@hub:1/hub/api"

        await service.selfcheck.refresh()

        assert "Self-check, hub-api: " in log.getvalue()
        assert "a-password" not in log.getvalue()

    async def test_its_own_errors_stay_within_it(self, service, log: Lines, monkeypatch) -> None:
        monkeypatch.setattr(monitor, "run_checks", None)

        assert await service.selfcheck.refresh() == []
        assert not service.selfcheck.is_healthy
        assert log.about("The self-check failed") == ["E The self-check failed"]

    async def test_concurrent_requests_run_one_check(self, hub, service, log: Lines) -> None:
        await asyncio.gather(*(service.selfcheck.refresh(max_age=60) for _ in range(20)))

        assert hub.calls["/hub/api/user"] == 1
