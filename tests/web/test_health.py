import asyncio
import gzip
import json

import pytest

from tornado_service import ServiceApp
from tornado_service.app import TornadoService
from tornado_service.hub import client as hub_client
from tornado_service.hub.client import HubUnavailable
from tornado_service.testing import BROWSER, SERVICE_TOKEN, Fetch, StandInHub, StartService


@pytest.mark.parametrize("path", ["health", "/health"])
async def test_health_calls_no_other_service(hub: StandInHub, fetch: Fetch, path: str) -> None:
    response = await fetch(path)

    assert response.code == 200
    assert json.loads(response.body) == {"status": "ok"}
    assert not hub.calls


@pytest.mark.parametrize("path", ["health/ready", "/health/ready"])
async def test_ready_names_each_check_and_no_detail(
    hub: StandInHub, fetch: Fetch, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    well = await fetch(path)
    monkeypatch.setattr(hub_client, "READY_MAX_AGE", 0)
    hub.fault = "error"
    ill = await fetch(path)

    assert (well.code, json.loads(well.body)["checks"]) == (200, {"hub": "ok", "sign-in": "ok"})
    assert (ill.code, json.loads(ill.body)["checks"]) == (
        503,
        {"hub": "not ready", "sign-in": "ok"},
    )
    assert b"127.0.0.1" not in ill.body


async def test_a_service_without_sign_in_is_not_ready(
    hub: StandInHub, service: TornadoService, fetch: Fetch
) -> None:
    """As after a rotation of its token at the hub."""
    hub.client_secret = "another"
    await service.selfcheck.refresh()
    wrong = await fetch("health/ready")
    hub.client_secret = SERVICE_TOKEN
    await service.selfcheck.refresh()

    assert (wrong.code, json.loads(wrong.body)["checks"]["sign-in"]) == (503, "not ready")
    assert (await fetch("health/ready")).code == 200


@pytest.mark.parametrize("path", ["health/serving", "/health/serving"])
async def test_requests_may_come_though_the_hub_is_away(
    hub: StandInHub, fetch: Fetch, path: str
) -> None:
    """Each replica says so in the same way: no other would be of more use."""
    await hub.stop()

    response = await fetch(path)

    assert (response.code, json.loads(response.body)) == (200, {"status": "ok"})
    assert not hub.calls


class Gated(ServiceApp):
    """Its start waits."""

    name = "gated"
    gate: asyncio.Event
    failure: Exception | None = None

    async def start(self) -> None:
        await self.gate.wait()
        if self.failure:
            raise self.failure


class TestServing:
    @pytest.fixture
    async def service(
        self, start_service: StartService, monkeypatch: pytest.MonkeyPatch
    ) -> TornadoService:
        monkeypatch.setattr(Gated, "gate", asyncio.Event(), raising=False)
        return await start_service(load=False, TornadoService={"apps": [f"{__name__}:Gated"]})

    @pytest.mark.parametrize(
        ("failure", "state"),
        [
            (None, "ready"),
            (ValueError("as a test wants it"), "failed"),
            (HubUnavailable("as a test wants it"), "retrying"),
        ],
    )
    async def test_requests_may_come_when_the_apps_are_loaded(
        self,
        service: TornadoService,
        fetch: Fetch,
        failure: Exception | None,
        state: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(Gated, "failure", failure)
        loading = asyncio.create_task(service.app_manager.load())

        before = await fetch("health/serving")
        Gated.gate.set()
        await loading
        after = await fetch("health/serving")

        assert [mounted.state.value for mounted in service.app_manager] == [state]
        assert (before.code, json.loads(before.body)) == (503, {"status": "loading"})
        assert (after.code, json.loads(after.body)) == (200, {"status": "ok"})


class TestReadyCallsTheHub:
    @pytest.fixture
    async def service(self, start_service: StartService) -> TornadoService:
        """Its circuit breaker stays closed."""
        return await start_service(HubClient={"breaker_failures": 1000})

    @pytest.mark.parametrize("fault", ["", "error", "redirect", "other"])
    async def test_once_in_a_while_whatever_the_hub_returns(
        self, hub: StandInHub, fetch: Fetch, service: TornadoService, fault: str
    ) -> None:
        if fault == "other":
            service.hub.api_url += "/user"  # a URL of the hub that is not its API's root
        else:
            hub.fault = fault
        asked = hub.calls.total()

        together = await asyncio.gather(*[fetch("health/ready") for _ in range(10)])
        one_by_one = [await fetch("health/ready") for _ in range(10)]

        assert {response.code for response in (*together, *one_by_one)} == {503 if fault else 200}
        assert hub.calls.total() - asked <= 1

    async def test_again_when_that_is_too_old(
        self, hub: StandInHub, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hub_client, "READY_MAX_AGE", 0.1)
        codes = []
        for fault in ("", "error", ""):
            hub.fault = fault
            await asyncio.sleep(0.2)
            codes.append((await fetch("health/ready")).code)

        assert codes == [200, 503, 200]


async def test_metrics_need_their_scope(hub: StandInHub, fetch: Fetch) -> None:
    without = await fetch("metrics", token=hub.token_for("alice"))
    filtered = await fetch("metrics", token=hub.token_for("bob", ("read:metrics!user=bob",)))
    granted = await fetch("metrics", token=hub.token_for("prometheus", ("read:metrics",)))

    assert without.code == filtered.code == 403
    assert "read:metrics" in json.loads(without.body)["message"]
    assert granted.code == 200


async def test_metrics_count_requests_hub_calls_and_the_process(
    hub: StandInHub, fetch: Fetch
) -> None:
    token = hub.token_for("prometheus", ("read:metrics",))
    await fetch("api/user", token=token)
    await fetch("api/user", token=token)
    await fetch("nothing/at/all")
    await fetch("api/user", method="BREW")

    text = (await fetch("metrics", token=token)).body.decode()

    handler = 'handler="UserHandler",method="GET",status="200"'
    assert f"tornado_service_requests_total{{{handler}}} 2.0" in text
    assert 'method="OTHER"' in text
    assert 'tornado_service_hub_calls_total{outcome="ok"} 1.0' in text
    assert "process_resident_memory_bytes" in text
    assert "nothing/at/all" not in text


class TestOpenMetrics:
    @pytest.fixture
    async def service(self, start_service):
        return await start_service(TornadoService={"authenticate_prometheus": False})

    async def test_a_hubs_admin_can_open_them(self, fetch: Fetch) -> None:
        assert (await fetch("metrics")).code == 200


async def test_large_responses_are_compressed(hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for("alice", groups=[f"group-{number}" for number in range(200)])

    response = await fetch(
        "api/user", token=token, headers={"Accept-Encoding": "gzip"}, decompress_response=False
    )

    assert response.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(response.body))["name"] == "alice"


async def test_a_body_over_the_limit_is_refused(hub: StandInHub, fetch: Fetch) -> None:
    response = await fetch(
        "api/user",
        method="POST",
        body=b"x" * (1024 * 1024 + 1),
        token=hub.token_for("alice"),
        headers=BROWSER,
    )

    assert response.code in (400, 413, 599)
