"""Whether users can sign in, by what the hub says and by what their browsers do."""

from dataclasses import replace

import pytest

from tests.support.selfcheck import by_name, refusing
from tornado_service.auth.login_state import SignIns
from tornado_service.selfcheck import CheckedSetup, Finding
from tornado_service.selfcheck.hub import check_hub
from tornado_service.selfcheck.sign_in import check_client, check_redirect
from tornado_service.testing import PREFIX, SERVICE_TOKEN, StandInHub

CALLBACK = f"{PREFIX}oauth_callback"


@pytest.fixture
def launched(setup: CheckedSetup) -> CheckedSetup:
    """A service that the stand-in hub has launched."""
    return replace(setup, client_id="service-tornado-service", callback_url=CALLBACK)


@pytest.fixture
def external(launched: CheckedSetup) -> CheckedSetup:
    return replace(launched, is_external=True, in_pod=False)


def redirect_of(setup: CheckedSetup, **sign_ins: int) -> Finding:
    (finding,) = check_redirect(replace(setup, sign_ins=SignIns(**sign_ins)))
    return finding


async def test_the_hub_accepts_client_and_secret(hub: StandInHub, launched: CheckedSetup) -> None:
    found = by_name(await check_hub(launched))

    assert (found["sign-in"].state, found["redirect"].state) == ("ok", "ok")
    assert hub.calls["/hub/api/oauth2/token"] == 1


async def test_another_token_at_the_hub(
    hub: StandInHub, launched: CheckedSetup, external: CheckedSetup
) -> None:
    """As after a rotation: the hub's API still accepts the former token."""
    hub.client_secret = "another"

    found = by_name(await check_hub(launched))
    outside = await check_client(external)
    with_file = await check_client(replace(external, token_file="/run/secrets/token"))

    assert (found["token"].state, found["sign-in"].state) == ("ok", "wrong")
    assert "No user can sign in" in found["sign-in"].message
    key = "no JUPYTERHUB_API_TOKEN in hub.services.tornado-service.environment"
    assert found["sign-in"].key.startswith(key)
    assert outside.state == with_file.state == "wrong"
    assert outside.key.startswith("in JUPYTERHUB_API_TOKEN the token that the hub has")
    assert "hub.services.tornado-service.apiToken" in outside.key
    assert outside.key.endswith("restart the service")
    assert with_file.key.startswith("in /run/secrets/token the token that the hub has")
    assert "restart" not in with_file.key
    in_pod = await check_client(replace(external, token_file="/run/secrets/token", in_pod=True))
    assert "(in the service's chart: token.existingSecret)" in in_pod.key
    assert SERVICE_TOKEN not in str([*found.values(), outside, with_file])


async def test_another_client(launched: CheckedSetup, external: CheckedSetup) -> None:
    inside = await check_client(replace(launched, client_id="service-other"))
    outside = await check_client(replace(external, client_id="service-other"))

    assert inside.state == outside.state == "wrong"
    variable = "hub.services.tornado-service.environment.JUPYTERHUB_CLIENT_ID"
    assert inside.key == f"{variable}: service-tornado-service"
    assert outside.key == "JUPYTERHUB_CLIENT_ID=service-tornado-service"


@pytest.mark.parametrize("fault", ["error", "garbage", "redirect", "huge", "cut", "limited"])
async def test_a_hub_in_trouble_refuses_no_client(
    hub: StandInHub, launched: CheckedSetup, fault: str
) -> None:
    hub.fault = fault

    assert (await check_client(launched)).state == "unknown"


async def test_an_unreachable_hub_refuses_no_client(launched: CheckedSetup) -> None:
    with refusing() as port:
        found = await check_client(replace(launched, api_url=f"http://127.0.0.1:{port}/hub/api"))
        all_of_it = by_name(
            await check_hub(replace(launched, api_url=f"http://127.0.0.1:{port}/hub/api"))
        )

    assert (found.state, all_of_it["sign-in"].state) == ("unknown", "unknown")


class TestRedirect:
    def test_another_path_is_not_ours(self, launched: CheckedSetup, external: CheckedSetup) -> None:
        for url in ("/services/other/oauth_callback", "https://hub.example.org/oauth_callback"):
            inside = redirect_of(replace(launched, callback_url=url), finished=1)
            outside = redirect_of(replace(external, callback_url=url))

            assert inside.state == outside.state == "wrong"
            assert url in inside.message
            assert CALLBACK in inside.message
            assert "hub.services.tornado-service.environment.JUPYTERHUB_OAUTH" in inside.key
            assert outside.key.endswith("no JUPYTERHUB_OAUTH_CALLBACK_URL")

    def test_an_absolute_url_of_an_external_service_has_to_prove_itself(
        self, external: CheckedSetup
    ) -> None:
        setup = replace(external, callback_url=f"https://hub.example.org{CALLBACK}")

        assert redirect_of(setup).state == "unknown"
        tried_again = redirect_of(setup, repeated=1)
        assert (tried_again.state, "Mismatching" in tried_again.message) == ("wrong", True)
        assert "JUPYTERHUB_OAUTH_CALLBACK_URL" in tried_again.key
        assert redirect_of(setup, repeated=1, finished=1).state == "ok"

    def test_subdomains_have_absolute_urls(
        self, launched: CheckedSetup, external: CheckedSetup
    ) -> None:
        url = f"https://x--service.hub.example.org{CALLBACK}"
        for setup, state in ((launched, "ok"), (external, "unknown")):
            setup = replace(setup, callback_url=url, hub_host="https://hub.example.org")

            assert redirect_of(setup).state == state

    def test_a_callback_without_the_subdomain(self, external: CheckedSetup) -> None:
        setup = replace(external, hub_host="https://hub.example.org:8443")

        for found in (redirect_of(setup), redirect_of(setup, repeated=3)):
            host = "tornado-service--service.hub.example.org:8443"
            assert f"JUPYTERHUB_OAUTH_CALLBACK_URL=https://{host}{CALLBACK}, if" in found.key

    def test_the_default_of_an_external_service_is_unknown_until_a_user_has_signed_in(
        self, external: CheckedSetup
    ) -> None:
        """The hub's own entry may have another one."""
        before = redirect_of(external)

        assert (before.state, before.key) == ("unknown", "")
        assert "No user has signed in since the start" in before.message
        assert redirect_of(external, finished=1).state == "ok"

    def test_browsers_that_do_not_come_back_are_a_note(
        self, launched: CheckedSetup, external: CheckedSetup
    ) -> None:
        """The hub's settings may have another URL, which only they show."""
        for setup, state in ((launched, "ok"), (external, "unknown")):
            few, many = redirect_of(setup, repeated=2), redirect_of(setup, repeated=3)

            assert (few.state, many.state) == (state, "note")
            assert "no oauth_redirect_uri in hub.services.tornado-service" in many.key
            assert "access:services!service=tornado-service" in many.key
            assert redirect_of(setup, repeated=3, finished=1).state == "ok"
            # a line for each further browser would fill the log
            assert redirect_of(setup, repeated=4) == many
