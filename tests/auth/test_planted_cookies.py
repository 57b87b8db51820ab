"""Cookies that another page of the origin has set: ours count, without redirect loops."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tornado import version
from tornado.httpclient import HTTPResponse
from tornado.web import create_signed_value

from tests.support.cookie_names import SESSION, STATE, XSRF
from tornado_service import APIHandler, ServiceApp, allow_unauthenticated
from tornado_service.app import TornadoService
from tornado_service.testing import (
    BROWSER,
    PREFIX,
    SCRIPT,
    Fetch,
    NewVisitor,
    ServiceConfig,
    StandInHub,
    Visitor,
)

pytestmark = pytest.mark.library

JUNK = ["x", "", '"', '"' + "\\" * 300 + '"', "2|1:0|10:9999999999|1:a|1:a|" + "0" * 64]


class Caller(APIHandler):
    async def get(self) -> None:
        caller = await self.as_caller().user("ada")
        self.finish(caller.name if caller else "")


class Seen(APIHandler):
    @allow_unauthenticated
    async def get(self) -> None:
        self.finish(self.get_cookie("seen") or "")


class Cookies(ServiceApp):
    name = "cookies"
    user_scopes = frozenset({"read:users:name"})

    def handlers(self) -> list:
        return [("caller", Caller), ("seen", Seen)]


@pytest.fixture
def service_config() -> ServiceConfig:
    return {"TornadoService": {"apps": [f"{__name__}:Cookies"]}}


class Planted:
    """Sends a user's requests with planted cookies before and after theirs."""

    def __init__(self, visitor: Visitor, fetch: Fetch) -> None:
        self.visitor = visitor
        self._fetch = fetch

    async def send(
        self,
        path: str = "",
        *,
        before: tuple[tuple[str, str], ...] = (),
        after: tuple[tuple[str, str], ...] = (),
        headers: Mapping[str, str] = BROWSER,
    ) -> HTTPResponse:
        ours = tuple(self.visitor.cookies.items())
        cookies = "; ".join(f"{name}={value}" for name, value in before + ours + after)
        sent = {"User-Agent": f"Tornado/{version}", **headers, "Cookie": cookies}
        return await self._fetch(path, headers=sent)


@pytest.fixture
async def planted(visitor: Visitor, fetch: Fetch, hub: StandInHub) -> Planted:
    hub.directory.add_user("ada")
    hub.grant("ada", "read:users:name")
    await visitor.open()
    return Planted(visitor, fetch)


async def cookie_of(new_visitor: NewVisitor, name: str) -> str:
    """The session cookie of another user, valid at this service."""
    other = new_visitor(name)
    await other.open()
    return other.cookies[SESSION]


def cleared(response: HTTPResponse) -> bool:
    return any(line.startswith(f"{SESSION}=") for line in response.headers.get_list("Set-Cookie"))


@pytest.mark.parametrize("junk", JUNK)
async def test_a_session_that_we_have_not_signed_is_passed_over(
    planted: Planted, junk: str
) -> None:
    for where in ("before", "after"):
        response = await planted.send(**{where: ((SESSION, junk),)})

        assert response.code == 200
        assert b"<strong>ada</strong>" in response.body
        assert not cleared(response)


async def test_a_session_of_another_user_with_a_shorter_path_does_not_count(
    planted: Planted, new_visitor: NewVisitor
) -> None:
    mallory = await cookie_of(new_visitor, "mallory")

    response = await planted.send(after=((SESSION, mallory),))

    assert b"<strong>ada</strong>" in response.body


async def test_a_session_that_the_hub_has_ended_is_passed_over(
    planted: Planted, service: TornadoService
) -> None:
    ended = create_signed_value(service.cookie_secret, SESSION, "0" * 32).decode()

    for where in ("before", "after"):
        for _ in range(2):
            response = await planted.send(**{where: ((SESSION, ended),)})
            assert b"<strong>ada</strong>" in response.body
            assert not cleared(response)

    lonely = await planted._fetch("", headers={**BROWSER, "Cookie": f"{SESSION}={ended}"})
    assert (lonely.code, cleared(lonely)) == (302, True)


async def test_the_session_that_counts_is_the_one_that_calls_the_hub(
    planted: Planted, service: TornadoService
) -> None:
    """Also for requests whose decision is cached by their headers."""
    ended = create_signed_value(service.cookie_secret, SESSION, "0" * 32).decode()

    for _ in range(2):
        response = await planted.send("cookies/caller", before=((SESSION, ended),))
        assert (response.code, response.body) == (200, b"ada")


async def test_signing_out_ends_every_session_that_came(
    planted: Planted, new_visitor: NewVisitor, fetch: Fetch
) -> None:
    other = await cookie_of(new_visitor, "kim")
    visitor = planted.visitor
    session = visitor.cookies[SESSION]
    visitor.jar[visitor.host, "/services/", SESSION] = other

    await visitor.get("logout")
    await visitor.post("logout")

    for cookie in (session, other):
        response = await fetch("", headers={**BROWSER, "Cookie": f"{SESSION}={cookie}"})
        assert response.code == 302


@pytest.mark.parametrize("junk", JUNK)
async def test_a_token_of_pages_that_we_have_not_signed_is_passed_over(
    planted: Planted, junk: str
) -> None:
    token = {**SCRIPT, "X-XSRFToken": planted.visitor.xsrf_token}

    for where in ("before", "after"):
        response = await planted.send("api/user", **{where: ((XSRF, junk),)}, headers=token)
        assert response.code == 200


async def test_a_token_of_another_users_pages_is_passed_over(
    planted: Planted, new_visitor: NewVisitor
) -> None:
    mallory = new_visitor("mallory")
    await mallory.open()
    theirs = ((XSRF, mallory.cookies[XSRF]),)

    for where in ("before", "after"):
        page = await planted.send(**{where: theirs})
        assert not page.headers.get_list("Set-Cookie")
        ours = {**SCRIPT, "X-XSRFToken": planted.visitor.xsrf_token}
        assert (await planted.send("api/user", **{where: theirs}, headers=ours)).code == 200
        foreign = {**SCRIPT, "X-XSRFToken": mallory.xsrf_token}
        assert (await planted.send("api/user", **{where: theirs}, headers=foreign)).code == 403


class TestASignIn:
    @pytest.mark.parametrize("junk", JUNK)
    async def test_succeeds_in_spite_of_a_state_that_we_have_not_signed(
        self, visitor: Visitor, fetch: Fetch, junk: str
    ) -> None:
        for before, after in ((f"{STATE}={junk}; ", ""), ("", f"; {STATE}={junk}")):
            begun = await visitor.get(PREFIX)
            callback = await visitor.get(begun.headers["Location"])
            state = f"{STATE}={visitor.cookies[STATE]}"

            response = await fetch(
                callback.headers["Location"],
                headers={**BROWSER, "Cookie": f"{before}{state}{after}"},
            )

            assert (response.code, response.headers["Location"]) == (302, PREFIX)
            assert cleared(response)  # set, in fact

    async def test_of_another_browser_does_not_end_here(
        self, visitor: Visitor, new_visitor: NewVisitor, fetch: Fetch
    ) -> None:
        """Its state is valid, and its cookie exists, but at a shorter path than ours."""
        mallory = new_visitor("mallory")
        callback = await mallory.get((await mallory.get(PREFIX)).headers["Location"])
        await visitor.get(PREFIX)
        cookies = f"{STATE}={visitor.cookies[STATE]}; {STATE}={mallory.cookies[STATE]}"

        response = await fetch(callback.headers["Location"], headers={**BROWSER, "Cookie": cookies})

        assert response.headers["Location"].startswith("/hub/api/oauth2/authorize?")
        assert not cleared(response)

    @pytest.mark.parametrize("path", ["/", "/services/", PREFIX + "activity/"])
    async def test_does_not_loop(self, visitor: Visitor, path: str) -> None:
        for name in (SESSION, STATE, XSRF, "jupyterhub-session-id"):
            visitor.jar[visitor.host, path, name] = "x"

        await visitor.open(PREFIX)

        assert "<strong>ada</strong>" in visitor.page


async def test_other_cookies_have_the_value_of_the_longest_path(
    planted: Planted,
) -> None:
    for cookies in ("seen=1; seen=2", 'a=b; seen="1"; seen=2', "seen=1;seen"):
        response = await planted._fetch("cookies/seen", headers={"Cookie": cookies})
        assert response.body == b"1"
