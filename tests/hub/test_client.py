"""Calls of the hub as user or service, refusals, and retries."""

from __future__ import annotations

import json
import logging

import pytest
from tornado.httpclient import AsyncHTTPClient

from tornado_service import APIHandler, HubRefused, HubUnavailable, allow_unauthenticated
from tornado_service.app import TornadoService
from tornado_service.handlers.base import PageHandler
from tornado_service.testing import (
    BROWSER,
    PREFIX,
    SERVICE_TOKEN,
    Fetch,
    StandInHub,
    Visitor,
)

USERS = "/hub/api/users"


class SeenHandler(APIHandler):
    """The users whom the user may see."""

    async def get(self) -> None:
        self.write_json([user.name async for user in self.as_caller().users()])


class AllHandler(PageHandler):
    """The users whom the service may see."""

    async def get(self) -> None:
        self.write_json([user.name async for user in self.context.hub.users()])


class OpenHandler(APIHandler):
    @allow_unauthenticated
    def get(self) -> None:
        self.as_caller()


@pytest.fixture
async def service(start_service, hub: StandInHub) -> TornadoService:
    service = await start_service()
    routes = [("seen", SeenHandler), ("all", AllHandler), ("open", OpenHandler)]
    service.web_app.add_handlers(".*", [(PREFIX + path, handler) for path, handler in routes])
    hub.directory.add_user("sam", groups=["class-a"])
    hub.directory.add_user("kim", groups=["class-b"])
    hub.directory.add_user("ada")
    return service


async def users(service: TornadoService) -> list[str]:
    return [user.name async for user in service.hub.users()]


def retries(service: TornadoService) -> float:
    return service.metrics.registry.get_sample_value("tornado_service_hub_retries_total") or 0


class TestRetry:
    """A call that changes nothing is retried after a transient failure."""

    @pytest.fixture(autouse=True)
    def may_list(self, hub: StandInHub) -> None:
        hub.service_scopes = {"list:users"}

    @pytest.mark.parametrize("fault", ["cut", "busy", "half", "limited"])
    async def test_a_transient_failure_is_hidden(
        self, hub: StandInHub, service: TornadoService, fault: str
    ) -> None:
        hub.faults = [fault]

        assert await users(service) == ["sam", "kim", "ada"]
        assert hub.calls[USERS] == 2
        assert retries(service) == 1

    async def test_after_three_tries_it_is_enough(
        self, hub: StandInHub, service: TornadoService
    ) -> None:
        hub.fault = "busy"

        with pytest.raises(HubUnavailable):
            await users(service)

        assert hub.calls[USERS] == 3
        assert retries(service) == 2

    @pytest.mark.parametrize("fault", ["error", "garbage", "redirect"])
    async def test_a_permanent_failure_is_not_retried(
        self, hub: StandInHub, service: TornadoService, fault: str
    ) -> None:
        hub.faults = [fault]

        with pytest.raises(HubUnavailable):
            await users(service)

        assert hub.calls[USERS] == 1

    @pytest.mark.parametrize("fault", ["silent", "limited"])
    async def test_nothing_is_tried_again_beyond_the_time_of_one_call(
        self, hub: StandInHub, start_service, fault: str
    ) -> None:
        service = await start_service(HubClient={"hub_timeout": 0.5})
        hub.fault = fault

        with pytest.raises(HubUnavailable):
            await users(service)

        assert hub.calls[USERS] == 1

    async def test_no_call_is_made_while_the_breaker_is_open(
        self, hub: StandInHub, start_service
    ) -> None:
        service = await start_service(HubClient={"breaker_failures": 2})
        hub.fault = "busy"

        with pytest.raises(HubUnavailable):
            await users(service)

        assert service.hub.breaker.is_open
        assert hub.calls[USERS] == 2

    async def test_a_sign_in_is_not_tried_again(self, hub: StandInHub, fetch: Fetch) -> None:
        token = hub.token_for("ada")
        hub.faults = ["busy"]

        assert (await fetch("api/user", token=token)).code == 503
        assert hub.calls["/hub/api/user"] == 1

    async def test_too_many_calls_return_retry_after(
        self, hub: StandInHub, start_service, client: AsyncHTTPClient
    ) -> None:
        service = await start_service(HubClient={"hub_timeout": 0.5})
        hub.fault = "limited"

        with pytest.raises(HubUnavailable) as error:
            await users(service)

        assert error.value.hub_retry_after == 1


class TestAsCaller:
    async def test_a_token_sees_what_its_scopes_show(self, hub: StandInHub, fetch: Fetch) -> None:
        teacher = hub.token_for("ines", ("list:users!group=class-a",))
        admin = hub.token_for("ada", ("list:users",))

        assert json.loads((await fetch("seen", token=teacher)).body) == ["sam"]
        assert json.loads((await fetch("seen", token=admin)).body) == ["sam", "kim", "ada"]

    @pytest.mark.parametrize("scheme", ["token", "Bearer"])
    async def test_both_ways_to_send_a_token_count(
        self, hub: StandInHub, fetch: Fetch, scheme: str
    ) -> None:
        token = hub.token_for("ines", ("list:users!group=class-a",))

        response = await fetch("seen", headers={"Authorization": f"{scheme} {token}"})

        assert json.loads(response.body) == ["sam"]

    async def test_a_browser_session_sees_what_its_scopes_show(
        self, hub: StandInHub, visitor: Visitor
    ) -> None:
        hub.grant("ada", "list:users!group=class-b")
        await visitor.open(PREFIX)

        for headers in ({}, {"Authorization": "token wrong"}):  # identified by the cookie
            response = await visitor.get(PREFIX + "seen", headers=headers)
            assert json.loads(response.body) == ["kim"]

    async def test_without_the_scope_the_error_names_it(
        self, hub: StandInHub, fetch: Fetch
    ) -> None:
        hub.service_scopes = {"list:users"}  # of no use to them

        response = await fetch("seen", token=hub.token_for("sam"))

        assert response.code == 403
        assert "list:users" in json.loads(response.body)["message"]

    async def test_an_expired_session_starts_a_new_sign_in(
        self, hub: StandInHub, visitor: Visitor
    ) -> None:
        hub.grant("ada", "list:users")
        await visitor.open(PREFIX)
        hub.users.clear()  # signed out at the hub, but in the cache for a minute

        response = await visitor.get(PREFIX + "seen")
        again = await visitor.get(PREFIX + "seen")

        assert response.code == 401
        assert "sign in" in json.loads(response.body)["message"]
        assert again.code == 302
        assert "oauth2/authorize" in again.headers["Location"]

    async def test_without_a_session_there_is_no_caller(
        self, hub: StandInHub, fetch: Fetch, caplog: pytest.LogCaptureFixture
    ) -> None:
        response = await fetch("open", token=hub.token_for("ada", ("list:users",)))

        assert response.code == 500
        assert "no user is signed in" in caplog.text

    async def test_the_token_is_in_no_log(
        self, hub: StandInHub, fetch: Fetch, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        token = hub.token_for("sam")
        await fetch("seen", token=token)
        hub.fault = "cut"
        await fetch("seen", token=token)

        assert token not in caplog.text


class TestAsService:
    async def test_it_sees_what_its_own_scopes_show(
        self, hub: StandInHub, service: TornadoService
    ) -> None:
        hub.service_scopes = {"list:users!group=class-b"}

        assert await users(service) == ["kim"]

    async def test_without_the_scope_it_is_not_configured_and_the_log_says_why_once(
        self, hub: StandInHub, fetch: Fetch, caplog: pytest.LogCaptureFixture
    ) -> None:
        token = hub.token_for("ada", ("list:users",))  # of no use to the service

        for _ in range(2):
            answer = await fetch("all", token=token)
            page = await fetch("all", token=token, headers=BROWSER)
            for response in (answer, page):
                assert response.code == 503
                assert response.headers["Retry-After"] == "60"
                assert b"not set up" in response.body
                assert b"list:users" not in response.body

        (line,) = [record for record in caplog.records if "list:users" in record.getMessage()]
        assert line.levelno == logging.ERROR

    async def test_a_client_gets_the_name_of_the_scope(
        self, hub: StandInHub, service: TornadoService
    ) -> None:
        with pytest.raises(HubRefused) as error:
            [group async for group in service.hub.groups()]

        assert error.value.scope == "list:groups"

    async def test_a_hub_that_rejects_the_services_token_is_not_configured(
        self, service: TornadoService, caplog: pytest.LogCaptureFixture
    ) -> None:
        service.hub.api_token = "made up"

        with pytest.raises(HubRefused) as error:
            await users(service)

        assert error.value.status_code == 503
        assert "the service's token is invalid" in caplog.text
        assert SERVICE_TOKEN not in caplog.text
        assert "made up" not in caplog.text
