"""The end of a sign-in, whatever happened since its start."""

import asyncio
import json
from dataclasses import replace
from math import inf
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.support.cookie_names import SESSION
from tests.support.logs import Listener
from tests.support.streaming import until
from tornado_service.app import TornadoService
from tornado_service.auth.login_state import SignIns
from tornado_service.testing import PREFIX, SCRIPT, StandInHub, Visitor

pytestmark = pytest.mark.library


async def begin(visitor: Visitor, path: str = PREFIX) -> str:
    """Start a sign-in; returns the URL of the callback to which the hub redirects."""
    response = await visitor.get(path)
    assert response.code == 302
    response = await visitor.get(response.headers["Location"])
    return response.headers["Location"]


def with_state(callback: str, state: str) -> str:
    query = {key: values[0] for key, values in parse_qs(urlsplit(callback).query).items()}
    return PREFIX + "oauth_callback?" + urlencode({**query, "state": state})


def state_of(callback: str) -> str:
    return parse_qs(urlsplit(callback).query)["state"][0]


async def test_the_service_may_be_restarted_in_between(
    hub: StandInHub, visitor: Visitor, start_service
) -> None:
    callback = await begin(visitor, PREFIX + "?page=2")
    other = await start_service()
    visitor.service = f"http://127.0.0.1:{other.port}"

    response = await visitor.open(callback)

    assert response.code == 200
    assert visitor.address == PREFIX + "?page=2"
    assert hub.calls["/hub/api/oauth2/authorize"] == 1


async def test_two_tabs_sign_in_at_the_same_time(visitor: Visitor) -> None:
    first = await begin(visitor, PREFIX + "?tab=1")
    second = await begin(visitor, PREFIX + "?tab=2")

    await visitor.open(second)
    assert visitor.address == PREFIX + "?tab=2"
    await visitor.open(first)
    assert visitor.address == PREFIX + "?tab=1"


async def test_many_beginnings_are_one_cookie(visitor: Visitor) -> None:
    for number in range(30):
        await begin(visitor, f"{PREFIX}?tab={number}")

    assert [name for name in visitor.cookies if "state" in name] == [f"{SESSION}-oauth-state"]


async def test_a_page_that_polls_after_its_session_ended_gathers_no_cookies(
    hub: StandInHub, visitor: Visitor, service: TornadoService
) -> None:
    await visitor.open(PREFIX)
    hub.users.clear()
    service.auth.identities._max_age = 0
    await visitor.fetch(PREFIX + "api/user", xsrf=True)
    before = set(visitor.cookies)

    for _ in range(60):
        assert (await visitor.fetch(PREFIX + "api/user", xsrf=True)).code in (401, 403)

    assert set(visitor.cookies) <= before


async def test_a_state_that_another_browser_began_signs_no_user_in(
    visitor: Visitor, hub: StandInHub
) -> None:
    """An attacker's callback, with the attacker's code, opened by another user."""
    attacker = Visitor(visitor.client, visitor.hub, visitor.service)
    attacker.jar[(attacker.host, "/", "hub-user")] = "mallory"
    callback = await begin(attacker)

    response = await visitor.get(callback)

    # it starts the user's own sign-in instead
    assert response.code == 302
    assert response.headers["Location"].startswith("/hub/api/oauth2/authorize")
    assert SESSION not in visitor.cookies
    await visitor.open(response.headers["Location"])
    assert "<strong>ada</strong>" in visitor.page


@pytest.mark.parametrize("state", ["", "x", "gAAAAAB", "%00", "é", "a" * 5000])
async def test_a_state_that_is_not_ours_signs_no_user_in(visitor: Visitor, state: str) -> None:
    callback = await begin(visitor)

    response = await visitor.get(with_state(callback, state))

    assert response.code == 403
    assert SESSION not in visitor.cookies


async def test_a_state_that_was_used_signs_no_user_in_again(
    hub: StandInHub, visitor: Visitor
) -> None:
    callback = await begin(visitor)
    await visitor.open(callback)
    for key in [key for key in visitor.jar if key[2] == SESSION]:
        del visitor.jar[key]

    response = await visitor.get(callback)

    assert response.headers["Location"].startswith("/hub/api/oauth2/authorize")
    assert SESSION not in visitor.cookies


async def test_an_expired_one_is_started_again_once(
    visitor: Visitor, service: TornadoService
) -> None:
    callback = await begin(visitor, PREFIX + "?page=3")
    service.auth.state_cipher._max_age = -1

    response = await visitor.get(callback)
    assert response.headers["Location"].startswith("/hub/api/oauth2/authorize")
    response = await visitor.get(response.headers["Location"])
    second = await visitor.get(response.headers["Location"])
    assert second.code == 403

    service.auth.state_cipher._max_age = 600
    assert (await visitor.open(response.headers["Location"])).code == 200
    assert visitor.address == PREFIX + "?page=3"
    assert service.auth.sign_ins == SignIns(finished=1)


async def test_without_cookies_it_ends_with_an_error_and_no_redirect_loop(visitor: Visitor) -> None:
    callback = await begin(visitor)
    visitor.jar.clear()
    again = await visitor.get(callback)
    visitor.jar.clear()
    response = await visitor.get(again.headers["Location"])
    visitor.jar.clear()

    response = await visitor.get(response.headers["Location"])

    assert response.code == 403
    assert b"cookies" in response.body


async def test_a_script_cannot_begin_a_sign_in_there(visitor: Visitor) -> None:
    callback = await begin(visitor)
    visitor.jar.clear()

    response = await visitor.get(callback, headers=SCRIPT)
    followed = await visitor.get(response.headers["Location"], headers=SCRIPT)

    assert response.headers["Location"].endswith("/oauth_callback"), "without the code"
    assert (response.code, followed.code) == (302, 403)
    assert "Set-Cookie" not in {*response.headers, *followed.headers}


async def test_where_it_ends_is_never_outside(visitor: Visitor, service: TornadoService) -> None:
    """Not even with a state that we encrypted."""
    callback = await begin(visitor)
    state = service.auth.state_cipher.decrypt(state_of(callback))
    assert state is not None
    outside = replace(state, next_url="https://evil.example/")

    response = await visitor.get(with_state(callback, service.auth.state_cipher.encrypt(outside)))

    assert (response.code, response.headers["Location"]) == (302, PREFIX)


async def test_a_sign_in_begun_before_an_upgrade_ends_after_it(
    visitor: Visitor, service: TornadoService
) -> None:
    callback = await begin(visitor, PREFIX + "?page=4")
    cipher = service.auth.state_cipher
    state = cipher.decrypt(state_of(callback))
    assert state is not None
    fields = {
        "browser": state.browser_id,
        "next_url": state.next_url,
        "code_verifier": state.code_verifier,
        "again": False,
    }
    encrypted = cipher._fernet.encrypt(json.dumps(fields).encode()).decode()

    assert (await visitor.open(with_state(callback, encrypted))).code == 200
    assert visitor.address == PREFIX + "?page=4"


async def test_a_state_of_an_unknown_version_signs_no_user_in(
    visitor: Visitor, service: TornadoService
) -> None:
    callback = await begin(visitor)
    other = service.auth.state_cipher._fernet.encrypt(b'{"version": 9}').decode()

    assert (await visitor.get(with_state(callback, other))).code == 403


async def test_a_wrong_code_is_refused(visitor: Visitor) -> None:
    callback = await begin(visitor)

    response = await visitor.get(f"{PREFIX}oauth_callback?code=wrong&state={state_of(callback)}")

    assert response.code == 400
    assert SESSION not in visitor.cookies


async def test_a_client_that_the_hub_refuses_is_checked_at_once(
    hub: StandInHub, visitor: Visitor, service: TornadoService
) -> None:
    """As after a rotation of the service's token: users cannot change it."""
    checking = asyncio.create_task(service.selfcheck.run())
    await until(lambda: bool(service.selfcheck.findings))
    service.selfcheck._checked_at = -inf  # long ago
    hub.client_secret = "another"

    with Listener(service) as log:
        response = await visitor.open(PREFIX)
        await until(lambda: not service.selfcheck.is_sign_in_ok)

    assert (response.code, b"An admin finds the reason" in response.body) == (400, True)
    assert service.auth.sign_ins == SignIns(failed=1)
    assert any(line.startswith("Self-check, sign-in: No user can sign in") for line in log)
    checking.cancel()


async def test_sign_ins_are_counted(visitor: Visitor, service: TornadoService) -> None:
    await begin(visitor)
    callback = await begin(visitor)  # the browser has not come back
    await visitor.open(callback)
    await visitor.open(PREFIX)

    assert service.auth.sign_ins == SignIns(finished=1, repeated=1)


async def test_the_hubs_description_of_an_error_is_not_repeated(visitor: Visitor) -> None:
    response = await visitor.get(
        f"{PREFIX}oauth_callback?error=access_denied&error_description=Call+0900+now"
    )

    assert response.code == 403
    assert b"0900" not in response.body


async def test_many_users_at_once(hub: StandInHub, visitor: Visitor) -> None:
    async def sign_in(name: str) -> str:
        one = Visitor(visitor.client, visitor.hub, visitor.service)
        one.jar[(one.host, "/", "hub-user")] = name
        await one.open(PREFIX + f"?{name}")
        return one.page

    pages = await asyncio.gather(*[sign_in(f"user-{number}") for number in range(12)])

    for number, page in enumerate(pages):
        assert f"<strong>user-{number}</strong>" in page
