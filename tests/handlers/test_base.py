"""Every handler: refusals, errors, security headers, cookies and XSRF tokens."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest
from tornado.httputil import parse_cookie

from tornado_service.app import TornadoService
from tornado_service.handlers.base import PageHandler
from tornado_service.testing import BROWSER, PREFIX, SCRIPT, Fetch, StandInHub, Visitor


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_script_gets_401_and_no_cookie(fetch: Fetch, method: str) -> None:
    body = "" if method == "POST" else None

    response = await fetch("", method=method, headers=SCRIPT, body=body)

    assert response.code in (401, 405)
    assert json.loads(response.body)["status"] == response.code
    assert "Set-Cookie" not in response.headers


async def test_a_page_for_someone_without_access_names_the_scope(
    hub: StandInHub, fetch: Fetch
) -> None:
    token = hub.token_with("bob", ())

    response = await fetch("", token=token, headers={"Accept": "text/html"})

    assert response.code == 403
    assert b"access:services!service=tornado-service" in response.body
    assert b"<h1>403 : Forbidden</h1>" in response.body


async def test_not_found_is_a_page_for_users_and_json_for_programs(fetch: Fetch) -> None:
    page = await fetch("nothing", headers=BROWSER)
    other = await fetch("nothing", headers={"Accept": "application/json"})

    assert page.code == other.code == 404
    assert page.headers["Content-Type"].startswith("text/html")
    assert json.loads(other.body)["status"] == 404


KINDS_OF_RESPONSES = {
    "": 302,
    "nothing": 404,
    "nothing/here": 404,
    "logout": 200,
    "oauth_callback": 403,
    "docs": 302,
    "status": 302,
    "metrics": 302,
    "api": 200,
    "api/user": 302,
    "api/nothing": 404,
    "api/openapi.json": 200,
    "api/debug": 404,  # off
    "health": 200,
    "health/ready": 200,
    "health/serving": 200,
    "static/service.css": 200,
    "static/nothing": 404,
    "static/jupyterhub/nothing": 404,
    PREFIX[:-1]: 302,
    "/health": 200,
    "/nothing": 404,
}


@pytest.mark.parametrize(("path", "status"), KINDS_OF_RESPONSES.items())
async def test_every_response_carries_the_security_headers(
    fetch: Fetch, path: str, status: int
) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "DELETE", "BREW"):
        response = await fetch(path, method=method, headers=BROWSER)
        headers = response.headers
        assert response.code == status or method != "GET"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


class TestXSRF:
    """Cookie sessions need the page's token except for navigations; API tokens do not."""

    async def test_a_script_with_the_pages_token_is_served(self, visitor: Visitor) -> None:
        await visitor.open(PREFIX)

        with_token = await visitor.fetch(PREFIX + "api/user", xsrf=True)
        without = await visitor.fetch(PREFIX + "api/user", xsrf=False)

        assert with_token.code == 200
        assert without.code == 403
        assert "_xsrf" in json.loads(without.body)["message"]

    async def test_another_origin_cannot_use_the_session(self, visitor: Visitor) -> None:
        await visitor.open(PREFIX)
        cross = {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-site"}

        response = await visitor.fetch(PREFIX + "api/user", xsrf=False, headers=cross)
        guess = await visitor.fetch(
            PREFIX + "api/user", headers={**cross, "X-XSRFToken": "MnxndWVzcw"}
        )

        assert response.code == guess.code == 403

    async def test_an_api_token_needs_none(self, hub: StandInHub, fetch: Fetch) -> None:
        response = await fetch("api/user", token=hub.token_for("alice"), headers=SCRIPT)

        assert response.code == 200


class NotesHandler(PageHandler):
    """A page with a form."""

    def get(self) -> None:
        raise RuntimeError("the database's password is 1234")

    def post(self) -> None:
        self.write_json({"text": self.get_body_argument("text", "")})


class TestForms:
    @pytest.fixture
    async def service(self, start_service) -> TornadoService:
        service = await start_service()
        service.web_app.add_handlers(".*", [(f"{PREFIX}notes", NotesHandler)])
        return service

    async def post(self, visitor: Visitor, **form: str):
        """A browser's request for the form of a page."""
        return await visitor.get(
            PREFIX + "notes",
            method="POST",
            body=urlencode(form),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

    async def test_a_form_with_the_pages_token_is_taken(self, visitor: Visitor) -> None:
        await visitor.open(PREFIX)

        response = await self.post(visitor, text="hello", _xsrf=visitor.xsrf_token)

        assert (response.code, response.body) == (200, b'{"text": "hello"}')

    async def test_a_form_of_another_users_page_is_not(self, visitor: Visitor) -> None:
        await visitor.open(PREFIX)

        assert (await self.post(visitor, text="hello")).code == 403
        assert (await self.post(visitor, text="hello", _xsrf="guess")).code == 403

    async def test_a_visitor_gets_an_error_that_says_so(self, visitor: Visitor) -> None:
        response = await self.post(visitor, text="hello")

        assert response.code == 401
        assert "Set-Cookie" not in response.headers

    async def test_a_failure_shows_its_request_id_and_no_details(
        self, visitor: Visitor, caplog: pytest.LogCaptureFixture
    ) -> None:
        await visitor.open(PREFIX)

        page = await visitor.get(PREFIX + "notes")

        assert page.code == 500
        assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert b"1234" not in page.body
        assert b"RuntimeError" not in page.body
        request_id = re.search(r"<code>([0-9a-f]{16})</code>", page.body.decode())[1]
        assert any(request_id in record.getMessage() for record in caplog.records)


async def test_cookies_are_secure_where_the_browser_uses_https(fetch: Fetch) -> None:
    https = await fetch("", headers={**BROWSER, "X-Forwarded-Proto": "https,http"})
    http = await fetch("", headers=BROWSER)

    assert "Secure" in https.headers["Set-Cookie"]
    assert "Secure" not in http.headers["Set-Cookie"]
    for response in (http, https):
        assert "HttpOnly" in response.headers["Set-Cookie"]
        assert "SameSite=Lax" in response.headers["Set-Cookie"]
        assert parse_cookie(response.headers["Set-Cookie"])["Path"] == PREFIX
