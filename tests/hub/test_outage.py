"""Responses while the hub is slow, unavailable or invalid; and afterwards."""

import asyncio
import json
import logging

import pytest

from tornado_service.app import TornadoService
from tornado_service.handlers.base import APIHandler
from tornado_service.hub import client as hub_client
from tornado_service.testing import BROWSER, FAULTS, PREFIX, Fetch, StandInHub, Visitor

pytestmark = pytest.mark.library

USER = "/hub/api/user"


class NotesHandler(APIHandler):
    """A resource to read and to change."""

    def get(self) -> None:
        self.write_json({})

    def post(self) -> None:
        self.write_json({})


@pytest.fixture
async def service(start_service) -> TornadoService:
    service = await start_service(
        HubClient={"hub_timeout": 0.3, "breaker_pause": 0.2, "breaker_failures": 3}
    )
    service.web_app.add_handlers(".*", [(f"{PREFIX}notes", NotesHandler)])
    return service


async def break_hub(hub: StandInHub, fault: str) -> None:
    if fault == "refuse":
        await hub.stop()
    else:
        hub.fault = fault


async def mend_hub(hub: StandInHub, fault: str) -> None:
    if fault == "refuse":
        await hub.start()
    else:
        hub.fault = None


def open_breaker(service: TornadoService) -> None:
    for _ in range(3):
        service.hub.breaker.record_failure("as a test wants it")


async def wait_until_closed(service: TornadoService) -> None:
    while service.hub.breaker.is_open:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("fault", ["refuse", *(fault for fault in FAULTS if fault != "huge")])
async def test_responses_during_and_after_a_fault_of_the_hub(
    hub: StandInHub,
    service: TornadoService,
    fetch: Fetch,
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The table of the outage, a row for each fault."""
    known = hub.token_for("alice")
    newcomer = hub.token_for("bob")
    await fetch("notes", token=known)
    await break_hub(hub, fault)

    for _ in range(2):  # the second time with the breaker open
        read = await fetch("notes", token=known)
        write = await fetch("notes", token=known, method="POST", body="")
        unknown = await fetch("notes", token=newcomer)
        sign_in = await fetch("", headers=BROWSER)
        health = await fetch("health")
        ready = await fetch("health/ready")
        probe = await fetch("")

        assert read.code == 200
        assert write.code == 503
        assert unknown.code == 503
        assert int(unknown.headers["Retry-After"]) > 0
        assert json.loads(unknown.body)["status"] == 503
        assert sign_in.code == 503
        assert b'http-equiv="refresh"' in sign_in.body
        assert health.code == 200
        assert ready.code == 503
        assert probe.code == 302
        for response in (write, unknown, sign_in, ready):
            assert b"127.0.0.1" not in response.body
            assert b"Traceback" not in response.body
        open_breaker(service)

    await mend_hub(hub, fault)
    await wait_until_closed(service)
    monkeypatch.setattr(hub_client, "READY_MAX_AGE", 0)

    assert (await fetch("notes", token=newcomer)).code == 200
    assert (await fetch("notes", token=known, method="POST", body="")).code == 200
    assert (await fetch("", headers=BROWSER)).code == 302
    assert (await fetch("health/ready")).code == 200


class TestAfterTheCache:
    """The hub is unavailable, and the cached identity has expired."""

    async def test_read_access_lasts_for_the_grace_period_and_not_longer(
        self, hub: StandInHub, service: TornadoService, fetch: Fetch
    ) -> None:
        token = hub.token_for("alice")
        await fetch("notes", token=token)
        hub.fault = "error"
        service.auth.identities._max_age = 0

        assert (await fetch("notes", token=token)).code == 200
        assert (await fetch("notes", token=token, method="POST", body="")).code == 503

        service.auth.identities._grace = 0

        assert (await fetch("notes", token=token)).code == 503

    async def test_a_user_who_signed_out_has_no_access_any_more(
        self, hub: StandInHub, service: TornadoService, visitor: Visitor
    ) -> None:
        await visitor.open(PREFIX)
        jar = dict(visitor.jar)
        hub.fault = "error"
        service.auth.identities._max_age = 0
        assert (await visitor.get(PREFIX)).code == 200

        await visitor.post("logout")
        visitor.jar = jar

        assert (await visitor.get(PREFIX)).code == 503


async def test_with_the_breaker_open_the_hub_is_not_called(
    hub: StandInHub, service: TornadoService, fetch: Fetch
) -> None:
    service.hub.breaker.retry_interval = 60
    open_breaker(service)

    responses = await asyncio.gather(*[fetch("notes", token=f"token-{n}") for n in range(20)])

    assert {response.code for response in responses} == {503}
    assert not hub.calls


async def test_each_change_of_state_is_one_line(
    hub: StandInHub, service: TornadoService, fetch: Fetch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    hub.fault = "error"
    for number in range(20):
        await fetch("notes", token=f"token-{number}")
    hub.fault = None
    await wait_until_closed(service)

    lines = [record.getMessage() for record in caplog.records if record.name == "TornadoService"]
    about = [line for line in lines if line.startswith(("The hub", "Circuit breaker"))]
    assert len(about) == 3
    assert about[0] == "The hub does not respond: it returned 500"
    assert "3 times in a row" in about[1]
    assert about[2] == "Circuit breaker closed: the Hub API responds again"


async def test_the_breaker_shows_in_the_metrics(
    hub: StandInHub, service: TornadoService, fetch: Fetch
) -> None:
    token = hub.token_for("prometheus", ("read:metrics",))
    closed = (await fetch("metrics", token=token)).body.decode()
    open_breaker(service)
    opened = (await fetch("metrics", token=token)).body.decode()

    assert "tornado_service_hub_breaker_open 0.0" in closed
    assert "tornado_service_hub_breaker_open 1.0" in opened
    assert 'tornado_service_identities_asked_total{outcome="known"} 1.0' in closed
    assert 'tornado_service_identities{kind="known"} 1.0' in closed


async def test_a_callback_while_the_hub_is_unavailable_is_a_page_that_retries(
    hub: StandInHub, visitor: Visitor
) -> None:
    response = await visitor.get(PREFIX)
    response = await visitor.get(response.headers["Location"])
    hub.fault = "error"

    callback = response.headers["Location"]
    response = await visitor.get(callback)
    assert response.code == 503
    assert b'http-equiv="refresh"' in response.body

    hub.fault = None
    response = await visitor.open(callback)
    assert response.code == 200
    assert visitor.address == PREFIX


async def test_an_application_in_front_of_the_hub_that_returns_something_else(
    hub: StandInHub, service: TornadoService, fetch: Fetch
) -> None:
    """A user's model without a name or scopes is invalid."""
    token = hub.token_for("alice")
    hub.users[token] = {"hello": "world"}

    assert (await fetch("notes", token=token)).code == 503
