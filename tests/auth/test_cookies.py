"""Cookies have the configured attributes when they are set and when cleared."""

from __future__ import annotations

from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tornado.httpclient import HTTPResponse
from traitlets import TraitError

from tests.support.cookie_names import SESSION, STATE, XSRF
from tests.support.launched import only_line, run
from tornado_service.auth.cookies import cookie_attributes
from tornado_service.handlers.base import BaseHandler
from tornado_service.testing import (
    BROWSER,
    PREFIX,
    Fetch,
    ServiceConfig,
    StandInHub,
    StartService,
    Visitor,
)
from tornado_service.testing.http_browser import FORM_HEADERS

pytestmark = pytest.mark.library

HTTPS = {**BROWSER, "X-Forwarded-Proto": "https,http"}


def cookies_of(response: HTTPResponse) -> dict[str, Morsel[str]]:
    lines = response.headers.get_list("Set-Cookie")
    assert len(lines) == len({line.partition("=")[0] for line in lines})
    return {name: morsel for line in lines for name, morsel in SimpleCookie(line).items()}


async def each_cookie(visitor: Visitor) -> dict[str, Morsel[str]]:
    """The cookies that a sign-in sets and a sign-out clears (as "cleared")."""
    begun = await visitor.get(PREFIX, headers=HTTPS)
    callback = await visitor.get(begun.headers["Location"])
    done = await visitor.get(callback.headers["Location"], headers=HTTPS)
    page = await visitor.open(PREFIX, headers=HTTPS)
    assert page.code == 200
    form = urlencode({"_xsrf": visitor.xsrf_token})
    headers = {**HTTPS, **FORM_HEADERS}
    out = await visitor.get(f"{PREFIX}logout", method="POST", body=form, headers=headers)
    found = {**cookies_of(done), STATE: cookies_of(begun)[STATE]}
    return {**found, "cleared state": cookies_of(done)[STATE], "cleared": cookies_of(out)[SESSION]}


@pytest.mark.parametrize(
    "options",
    [
        {"SameSite": "None", "Secure": True},
        {"samesite": "none", "secure": True},
        {"SAMESITE": "None"},
        {"SameSite": "None", "Secure": False},
    ],
)
class TestOfOtherSites:
    @pytest.fixture
    def service_config(self, options: dict[str, object]) -> ServiceConfig:
        return {"ServiceAuth": {"cookie_options": options}}

    async def test_every_cookie_is_sent_to_frames_of_them(self, visitor: Visitor) -> None:
        cookies = await each_cookie(visitor)

        assert set(cookies) == {STATE, SESSION, XSRF, "cleared state", "cleared"}
        for name, cookie in cookies.items():
            assert cookie["samesite"].lower() == "none", name
            assert cookie["secure"], name

    async def test_over_http_too(self, fetch: Fetch) -> None:
        """A browser may reject it, as it would without `Secure` in any case."""
        cookie = cookies_of(await fetch("", headers=BROWSER))[STATE]

        assert cookie["secure"]


class TestNamesInCapitals:
    @pytest.fixture
    def service_config(self) -> ServiceConfig:
        options = {
            "Path": "/",
            "HttpOnly": False,
            "Max-Age": 5,
            "Expires_Days": 1,
            "Domain": "visitor.test",
            "SameSite": "Strict",
        }
        return {"ServiceAuth": {"cookie_options": options}}

    async def test_the_state_of_a_sign_in_keeps_what_it_needs(self, visitor: Visitor) -> None:
        cookie = (await each_cookie(visitor))[STATE]

        assert (cookie["path"], cookie["max-age"], cookie["expires"]) == (PREFIX, "600", "")
        assert cookie["httponly"]
        assert (cookie["domain"], cookie["samesite"]) == ("visitor.test", "Strict")

    async def test_the_session_has_them_as_with_the_library(self, visitor: Visitor) -> None:
        cookie = (await each_cookie(visitor))[SESSION]

        assert (cookie["path"], cookie["max-age"], cookie["httponly"]) == ("/", "5", "")

    async def test_the_xsrf_cookie_has_them_as_at_the_hub(self, visitor: Visitor) -> None:
        cookie = (await each_cookie(visitor))[XSRF]

        assert (cookie["path"], cookie["domain"], cookie["samesite"]) == (
            PREFIX,
            "visitor.test",
            "Strict",
        )

    async def test_no_script_gets_the_xsrf_cookie(self, visitor: Visitor) -> None:
        """In any configuration: pages contain the token."""
        assert (await each_cookie(visitor))[XSRF]["httponly"]

    async def test_what_is_cleared_is_what_was_set(self, visitor: Visitor) -> None:
        """Browsers identify a cookie by its name, domain and path."""
        cookies = await each_cookie(visitor)

        for was_set, cleared in ((SESSION, "cleared"), (STATE, "cleared state")):
            assert not cookies[cleared].value
            for attribute in ("path", "domain", "samesite", "secure"):
                assert cookies[cleared][attribute] == cookies[was_set][attribute]


class TestWithThePrefixOfHosts:
    @pytest.fixture
    def service_config(self) -> ServiceConfig:
        options = {"Domain": "visitor.test", "Path": "/elsewhere", "Secure": False}
        auth = {"cookie_host_prefix_enabled": True, "cookie_options": options}
        return {"ServiceAuth": auth}

    async def test_browsers_take_the_cookies(self, visitor: Visitor) -> None:
        response = await visitor.get(PREFIX, headers=BROWSER)

        cookie = cookies_of(response)[f"__Host-{STATE}"]
        assert (cookie["path"], cookie["domain"], cookie["secure"]) == ("/", "", True)


class Remember(BaseHandler):
    """An author's handler with a cookie of its own."""

    def get(self) -> None:
        self.set_cookie("seen", "1", SameSite="None", HttpOnly=True)


async def test_an_authors_cookies_may_be_written_in_any_case(
    start_service: StartService, hub: StandInHub, fetch: Fetch
) -> None:
    service = await start_service()
    service.web_app.add_handlers(".*", [(f"{PREFIX}remember", Remember)])
    url = f"http://127.0.0.1:{service.port}{PREFIX}remember"

    response = await fetch._client.fetch(
        url, headers={"Authorization": f"token {hub.token_for('alice')}"}
    )

    cookie = cookies_of(response)["seen"]
    assert (cookie["samesite"], cookie["httponly"], cookie["secure"]) == ("None", True, True)


def test_names_have_no_case() -> None:
    assert cookie_attributes({"HttpOnly": 1, "Max-Age": 2, "EXPIRES_DAYS": 3, "path": "/"}) == {
        "httponly": 1,
        "max_age": 2,
        "expires_days": 3,
        "path": "/",
    }


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        ({"Secured": True}, "Secured is not an attribute"),
        ({"Same Site": "None"}, "Same Site is not an attribute"),
        ({"SameSite": "Never"}, "SameSite is Strict, Lax or None"),
        ({"SameSite": True}, "SameSite is Strict, Lax or None"),
    ],
)
async def test_a_wrong_option_is_named_at_the_start(
    start_service: StartService, options: dict[str, object], reported: str
) -> None:
    with pytest.raises(TraitError, match=reported):
        await start_service(ServiceAuth={"cookie_options": options})


@pytest.mark.parametrize(
    "text", ["SameSite=None; Secure", '["Secure"]', '{"Secured": true}', "None"]
)
def test_a_wrong_option_of_the_environment_is_named_at_the_start(tmp_path: Path, text: str) -> None:
    # ``run`` formats its values
    text = text.replace("{", "{{").replace("}", "}}")

    result = run(cwd=tmp_path, JUPYTERHUB_COOKIE_OPTIONS=text)

    assert result.returncode == 2
    assert "cookie_options" in only_line(result).lower()
