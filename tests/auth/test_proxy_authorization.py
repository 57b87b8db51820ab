"""A proxy that adds or relays ``Authorization``: users sign in, programs get an error."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.behind_proxy import JWT, BehindProxy
from tests.support.streaming import (
    APP,
    CLIENT,
    ECHO,
    NEWS,
    UPGRADE,
    ending,
    holding,
    page_headers,
    read_until,
)
from tornado_service.app import TornadoService
from tornado_service.handlers.base import PageHandler
from tornado_service.testing import (
    BROWSER,
    PREFIX,
    SCRIPT,
    Fetch,
    StandInHub,
    Visitor,
)

pytestmark = pytest.mark.library

OF_PROXIES = [
    "Basic YWRhOnNlY3JldA==",
    "Negotiate YIIFxQYGKwYBBQUCoIIFuTCC",
    "NTLM TlRMTVNTUAAB",
    'Digest username="ada", realm="hub"',
    f"Bearer {JWT}",
    f"bearer {JWT}",
    "Bearer",
    "",
]

USER = "/hub/api/user"

#: Headers of browsers over http, without Sec-Fetch-Mode.
OVER_HTTP = {
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Upgrade-Insecure-Requests": "1",
}


class Form(PageHandler):
    """A page with a form."""

    def get(self) -> None:
        self.write_page("page.html")

    def post(self) -> None:
        self.write_json({"name": self.current_user["name"]})


@pytest.fixture
async def service(start_service) -> TornadoService:
    service = await start_service(TornadoService=APP)
    service.web_app.add_handlers(".*", [(f"{PREFIX}form", Form)])
    return service


@pytest.fixture(params=OF_PROXIES)
def proxied(
    request: pytest.FixtureRequest,
    client: AsyncHTTPClient,
    hub: StandInHub,
    service: TornadoService,
) -> BehindProxy:
    visitor = BehindProxy(
        client,
        f"http://127.0.0.1:{hub.port}",
        f"http://127.0.0.1:{service.port}",
        home=PREFIX,
        name="ada",
    )
    visitor.authorization = request.param
    return visitor


async def post(visitor: Visitor, **form: str) -> Any:
    """A browser's request for a form."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://visitor.test"}
    return await visitor.get("form", method="POST", body=urlencode(form), headers=headers)


class TestUsers:
    async def test_a_navigation_signs_in(self, proxied: BehindProxy) -> None:
        first = await proxied.get("home?from=mail")
        response = await proxied.open("home?from=mail")

        assert (first.code, response.code) == (302, 200)
        assert first.headers["Location"].startswith("/hub/api/oauth2/authorize")
        assert proxied.address == f"{PREFIX}home?from=mail"
        assert "<strong>ada</strong>" in proxied.page

    async def test_a_browser_without_navigation_headers_signs_in(
        self, proxied: BehindProxy, fetch: Fetch
    ) -> None:
        """Over http browsers send no Sec-Fetch-Mode."""
        response = await fetch(headers={**OVER_HTTP, "Authorization": proxied.authorization})

        assert response.code == 302

    async def test_an_expired_one_is_started_again(
        self, proxied: BehindProxy, service: TornadoService
    ) -> None:
        begun = await proxied.get("home")
        callback = (await proxied.get(begun.headers["Location"])).headers["Location"]
        service.auth.state_cipher._max_age = -1

        again = await proxied.get(callback)

        assert again.code == 302
        assert again.headers["Location"].startswith("/hub/api/oauth2/authorize")

    async def test_scripts_of_a_page_are_served_with_its_token_only(
        self, proxied: BehindProxy
    ) -> None:
        await proxied.open("home")

        served = await proxied.fetch("api/user")
        refused = await proxied.fetch("api/user", xsrf=False)

        assert json.loads(served.body)["name"] == "ada"
        assert refused.code == 403
        assert "_xsrf" in json.loads(refused.body)["message"]

    async def test_changes_are_made_with_the_pages_token_only(self, proxied: BehindProxy) -> None:
        await proxied.open("home")

        by_form = await post(proxied, _xsrf=proxied.xsrf_token)
        by_script = await proxied.fetch("live/api/send", method="POST", json={})
        refused = await post(proxied, _xsrf="guess")

        assert (by_form.code, by_script.code, refused.code) == (200, 204, 403)
        assert json.loads(by_form.body) == {"name": "ada"}

    async def test_streams_and_sockets_are_open_until_the_sign_out(
        self, proxied: BehindProxy, service: TornadoService
    ) -> None:
        await proxied.open("home")
        path = f"{ECHO}?_xsrf={proxied.xsrf_token}"
        lines = {**page_headers(proxied), **CLIENT, "Authorization": proxied.authorization}
        async with (
            proxied.listen(NEWS) as events,
            holding(service, path, "", {**UPGRADE, **lines}) as socket,
        ):
            assert b"HTTP/1.1 101 " in await read_until(socket, b"\r\n\r\n")

            await proxied.post("logout")

            assert (await ending(events))["reason"] == "signed-out"
            await read_until(socket, b"signed-out")

    async def test_a_sign_out_counts_for_requests_with_and_without_the_header(
        self, proxied: BehindProxy
    ) -> None:
        proxied.jar[proxied.host, "/", "jupyterhub-session-id"] = "first"
        await proxied.open("home")
        before = dict(proxied.jar)

        header, proxied.authorization = proxied.authorization, ""
        await proxied.post("logout")

        proxied.jar = before
        for proxied.authorization in ("", header):
            assert (await proxied.get("home")).code == 302

    async def test_a_revoked_session_ends_whatever_the_proxy_adds(
        self, proxied: BehindProxy, hub: StandInHub
    ) -> None:
        await proxied.open("home")
        hub.users.clear()

        assert (await post(proxied, _xsrf=proxied.xsrf_token)).code == 401
        assert (await proxied.get("home")).code == 302

    async def test_the_hub_is_called_once_for_many_pages(
        self, proxied: BehindProxy, hub: StandInHub
    ) -> None:
        await proxied.open("home")
        asked = hub.calls[USER]
        for _ in range(5):
            assert (await proxied.get("home")).code == 200

        assert hub.calls[USER] == asked

    async def test_a_cached_user_keeps_access_while_the_hub_is_unavailable(
        self, proxied: BehindProxy, hub: StandInHub, service: TornadoService
    ) -> None:
        await proxied.open("home")
        service.auth.identities._max_age = service.auth.identities._refused_max_age = 0
        hub.fault = "error"

        assert (await proxied.get("home")).code == 200
        assert (await post(proxied, _xsrf=proxied.xsrf_token)).code == 503

    async def test_visitors_scripts_and_forms_get_401(self, proxied: BehindProxy) -> None:
        by_script = await proxied.get("api/user", headers=SCRIPT)
        by_form = await post(proxied)

        for response in (by_script, by_form):
            assert response.code == 401
            assert response.headers["WWW-Authenticate"].startswith("Bearer ")
            assert "Set-Cookie" not in response.headers

    async def test_the_same_header_never_returns_another_users_response(
        self, proxied: BehindProxy
    ) -> None:
        """A proxy with one password for all sends the same header for every user."""
        await proxied.open("home")
        await proxied.get("home")

        bob = BehindProxy(proxied.client, proxied.hub, proxied.service, home=PREFIX, name="bob")
        bob.authorization = proxied.authorization

        assert (await bob.get("home")).code == 302
        await bob.open("home")
        assert "<strong>bob</strong>" in bob.page
        await proxied.open("home")
        assert "<strong>ada</strong>" in proxied.page

    async def test_an_error_is_a_page(self, proxied: BehindProxy) -> None:
        response = await proxied.open("nothing")

        assert response.code == 404
        assert response.headers["Content-Type"].startswith("text/html")


class TestPrograms:
    @pytest.mark.parametrize("scheme", ["token", "Token", "TOKEN", "Bearer", "bearer", "BEARER"])
    async def test_the_scheme_is_read_in_any_case(
        self, hub: StandInHub, fetch: Fetch, scheme: str
    ) -> None:
        headers = {"Authorization": f"{scheme} {hub.token_for('alice')}"}

        assert (await fetch("api/user", headers=headers)).code == 200

    @pytest.mark.parametrize("scheme", ["token", "Bearer", "bearer"])
    @pytest.mark.parametrize("path", ["", "api/user", "live/", "live/api/news", "form"])
    @pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html", None])
    async def test_an_invalid_token_is_reported_in_json(
        self, fetch: Fetch, scheme: str, path: str, accept: str | None
    ) -> None:
        headers = {"Authorization": f"{scheme} {JWT}"} | ({"Accept": accept} if accept else {})

        response = await fetch(path, headers=headers)

        assert response.code == 401
        if accept != "text/html" or "api/" in path:
            assert json.loads(response.body)["status"] == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer ")
        assert "Set-Cookie" not in response.headers

    async def test_a_valid_token_takes_precedence_over_the_cookie(
        self, hub: StandInHub, visitor: Visitor
    ) -> None:
        await visitor.open("home")
        headers = {"Authorization": f"token {hub.token_for('robot')}"}

        for _ in range(2):
            response = await visitor.fetch(f"{PREFIX}api/user", xsrf=False, headers=headers)
            assert json.loads(response.body)["name"] == "robot"
        assert "<strong>ada</strong>" in (await visitor.get("home")).body.decode()

    async def test_a_page_that_is_requested_with_a_valid_token_is_shown(
        self, hub: StandInHub, fetch: Fetch
    ) -> None:
        headers = {**BROWSER, "Authorization": f"Bearer {hub.token_for('alice')}"}

        response = await fetch("home", headers=headers)

        assert response.code == 200
        assert b"<strong>alice</strong>" in response.body

    async def test_a_script_of_a_browser_is_never_redirected(self, fetch: Fetch) -> None:
        """Over http only its own headers distinguish it from a navigation."""
        for header in ("X-Requested-With", "X-XSRFToken"):
            assert (await fetch(headers={**OVER_HTTP, header: "x"})).code == 401

    async def test_many_headers_at_once_are_one_call_each(
        self, hub: StandInHub, fetch: Fetch
    ) -> None:
        hub.delay = 0.1
        headers = {"Authorization": f"Bearer {JWT}"}

        responses = await asyncio.gather(*[fetch("api/user", headers=headers) for _ in range(20)])

        assert {response.code for response in responses} == {401}
        assert hub.calls[USER] == 1
