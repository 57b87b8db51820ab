"""A new token of the service is used everywhere, while the service runs."""

from __future__ import annotations

import logging

import pytest

from tornado_service import HubRefused
from tornado_service.app import TornadoService
from tornado_service.testing import PREFIX, SERVICE_TOKEN, Fetch, StandInHub, StartService, Visitor

pytestmark = pytest.mark.library

NEW_TOKEN = "fedcba9876543210fedcba9876543210"
OWN_SECRET = "an own cookie secret, which is long enough"


@pytest.fixture
def rotated(hub: StandInHub) -> str:
    """The new token, which the hub accepts."""
    hub.users[NEW_TOKEN] = {"kind": "service", "name": hub.service_name, "scopes": ["list:users"]}
    return NEW_TOKEN


async def test_the_hub_is_called_with_it_at_once(
    hub: StandInHub, service: TornadoService, rotated: str
) -> None:
    hub.directory.add_user("sam")
    for _ in range(2):  # the second is not sent: the scope was refused
        with pytest.raises(HubRefused):
            [user async for user in service.hub.users()]

    service.use_token(rotated)

    assert [user.name async for user in service.hub.users()]
    assert service.hub.api_token == service.auth.api_token == rotated


async def test_a_client_with_the_old_one_is_no_longer_the_service(
    hub: StandInHub, service: TornadoService, fetch: Fetch, rotated: str
) -> None:
    service.use_token(rotated)

    assert (await fetch("api/status", token=rotated)).code == 200
    assert (await fetch("api/status", token=SERVICE_TOKEN)).code == 401


async def test_codes_are_exchanged_with_it(
    hub: StandInHub, service: TornadoService, visitor: Visitor, rotated: str
) -> None:
    """It is the secret of the service's OAuth client."""
    hub.client_secret = rotated
    assert (await visitor.open(PREFIX)).code == 400

    service.use_token(rotated)

    assert (await visitor.open(PREFIX)).code == 200


async def test_both_are_redacted_in_the_log(
    start_service: StartService, rotated: str, capsys: pytest.CaptureFixture[str]
) -> None:
    service = await start_service()
    service.use_token(rotated)

    service.log.error("of old %s, of new %s", SERVICE_TOKEN, rotated)
    service.log.error("derived: %s", service.cookie_secret.hex())

    lines = capsys.readouterr().err
    assert "of old [secret], of new [secret]" in lines
    assert "derived: [secret]" in lines


async def test_a_derived_cookie_secret_changes_with_it(
    service: TornadoService, visitor: Visitor, rotated: str, hub: StandInHub
) -> None:
    await visitor.open(PREFIX)

    hub.client_secret = rotated
    service.use_token(rotated)

    again = await visitor.get(PREFIX)
    assert again.code == 302
    assert "oauth2/authorize" in again.headers["Location"]
    assert (await visitor.open(PREFIX)).code == 200
    assert service.web_app.settings["cookie_secret"] == service.cookie_secret
    assert hub.calls["/hub/api/oauth2/token"] == 2


class TestOwnCookieSecret:
    @pytest.fixture
    async def service(self, start_service: StartService) -> TornadoService:
        return await start_service(TornadoService={"cookie_secret": OWN_SECRET})

    async def test_sessions_last(
        self, service: TornadoService, visitor: Visitor, rotated: str
    ) -> None:
        await visitor.open(PREFIX)

        service.use_token(rotated)

        assert (await visitor.get(PREFIX)).code == 200
        assert service.cookie_secret == OWN_SECRET.encode()

    async def test_a_sign_in_that_has_begun_ends(
        self, hub: StandInHub, service: TornadoService, visitor: Visitor, rotated: str
    ) -> None:
        begun = await visitor.get(PREFIX)

        hub.client_secret = rotated
        service.use_token(rotated)

        response = await visitor.open(begun.headers["Location"])
        assert (response.code, visitor.address) == (200, PREFIX)


async def test_it_is_logged(
    service: TornadoService, rotated: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    service.use_token(rotated)

    assert "Using the new API token" in caplog.text
