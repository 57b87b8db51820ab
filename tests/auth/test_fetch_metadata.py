"""The cookie suffices for responses that no script can read; others need the XSRF token."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tornado_service import APIHandler, ServiceApp
from tornado_service.testing import BROWSER, SCRIPT, ServiceConfig, Visitor

SUBRESOURCES = ("image", "script", "style", "font", "audio", "video", "track", "manifest")
FRAMES = ("iframe", "frame", "object", "embed")
NAME = b'"name": "ada"'

READ_BY_A_SCRIPT = [
    *({"Sec-Fetch-Mode": mode} for mode in ("no-cors", "cors", "same-origin")),
    *(
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": destination}
        for destination in ("empty", "", "document", "json", "report", "serviceworker", "Image")
    ),
    *(
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": destination}
        for destination in ("empty", "", *FRAMES, "fencedframe", "image")
    ),
    {**BROWSER, "Service-Worker-Navigation-Preload": "true"},
    {**BROWSER, "Service-Worker-Navigation-Preload": ""},
]


def sent(headers: dict[str, str]) -> dict[str, str]:
    return {"Accept": "*/*", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "", **headers}


@pytest.mark.parametrize("headers", READ_BY_A_SCRIPT, ids=str)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_a_script_may_read_needs_the_pages_token(
    visitor: Visitor, headers: dict[str, str], method: str
) -> None:
    await visitor.open("home")
    before = dict(visitor.jar)
    token = {"X-XSRFToken": visitor.xsrf_token}

    refused = await visitor.get("api/user", method=method, headers=sent(headers))
    page = await visitor.get("", method=method, headers=sent(headers))
    good = await visitor.get("api/user", method=method, headers={**sent(headers), **token})
    by_query = await visitor.get(
        f"api/user?_xsrf={visitor.xsrf_token}", method=method, headers=sent(headers)
    )
    again = await visitor.get("api/user", method=method, headers=sent(headers))

    assert (refused.code, page.code, good.code, by_query.code, again.code) == (
        403, 403, 200, 200, 403,
    )  # fmt: skip
    for response in (refused, page, again):
        assert b"ada" not in response.body
        assert visitor.xsrf_token.encode() not in response.body
        assert "Set-Cookie" not in response.headers
    assert visitor.jar == before


@pytest.mark.parametrize("token", ["guess", "MnxndWVzcw", "é"])
async def test_a_wrong_token_is_none(visitor: Visitor, token: str) -> None:
    await visitor.open("home")
    headers = {**SCRIPT, "Sec-Fetch-Mode": "no-cors"}

    for sent in ({"X-XSRFToken": token.encode().decode("latin-1")}, {"X-CSRFToken": "x"}):
        response = await visitor.get("api/user", headers={**headers, **sent})
        assert response.code == 403
        assert NAME not in response.body


class Kinds(APIHandler):
    """Responds with any content type."""

    async def get(self) -> None:
        self.set_header("Content-Type", self.get_query_argument("type"))
        self.write("ada")
        self.flush()
        self.write("ada")


class Shown(ServiceApp):
    """An app with its own images and scripts."""

    name = "shown"

    def handlers(self) -> list[tuple[Any, ...]]:
        return [("", Kinds)]


@pytest.mark.parametrize("destination", SUBRESOURCES)
async def test_data_is_not_sent_as_what_a_page_shows_or_runs(
    visitor: Visitor, destination: str
) -> None:
    """A service worker may share such a response with the browser, and so read it."""
    await visitor.open("home")
    headers = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": destination}

    response = await visitor.get("api/user", headers=headers)
    assert (response.code, response.body) == (200, b"")
    signed = {**headers, "X-XSRFToken": visitor.xsrf_token}
    assert NAME in (await visitor.get("api/user", headers=signed)).body


async def test_a_user_who_opens_a_url_needs_none(visitor: Visitor) -> None:
    await visitor.open("home")

    for headers in (BROWSER, {**BROWSER, "Sec-Fetch-Site": "none"}):
        assert NAME in (await visitor.get("api/user", headers=headers)).body


async def test_without_these_headers_only_changes_need_it(visitor: Visitor) -> None:
    """Over plain http no browser sends them, and a script's request looks like a navigation."""
    await visitor.open("home")
    url, sent = visitor._request("api/user", {"Accept": "text/html"})

    read = await visitor.client.fetch(url, headers=sent)
    change = await visitor.client.fetch(
        url.replace("api/user", "logout"), method="POST", body="", headers=sent, raise_error=False
    )

    assert NAME in read.body
    assert change.code == 403


async def test_a_token_of_the_hub_needs_none(visitor: Visitor, fetch, hub) -> None:
    token = hub.token_for("ada")
    for headers in READ_BY_A_SCRIPT:
        assert (await fetch("api/user", token=token, headers=sent(headers))).code == 200


async def test_the_decision_for_one_request_does_not_apply_to_another(
    visitor: Visitor,
) -> None:
    """Decisions are cached by headers: the key has each header that matters."""
    await visitor.open("home")
    image = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    for good, bad in (
        (image, {**image, "Sec-Fetch-Dest": "empty"}),
        (BROWSER, {**BROWSER, "Sec-Fetch-Dest": "empty"}),
        (BROWSER, {**BROWSER, "Sec-Fetch-Dest": "iframe"}),
        (BROWSER, {**BROWSER, "Service-Worker-Navigation-Preload": "true"}),
    ):
        codes = [
            (await visitor.get("api/user", headers={**BROWSER, **headers})).code
            for headers in (good, good, bad, good, bad)
        ]
        assert codes == [200, 200, 403, 200, 403]


class TestAnAppWithImages:
    @pytest.fixture
    def service_config(self) -> ServiceConfig:
        return {"TornadoService": {"apps": [f"{__name__}:Shown"]}}

    @pytest.mark.parametrize(
        ("destination", "kind", "is_sent"),
        [
            ("image", "image/png", True),
            ("image", "image/svg+xml", True),
            ("script", "text/javascript", True),
            ("style", "text/css; charset=utf-8", True),
            ("font", "font/woff2", True),
            ("audio", "audio/ogg", True),
            ("video", "application/octet-stream", True),
            ("track", "text/vtt", True),
            ("manifest", "application/manifest+json", True),
            ("image", "text/html; charset=UTF-8", False),
            ("script", "Application/JSON", False),
            ("style", "application/problem+json", False),
            ("font", "text/csv", False),
            ("track", "text/plain", False),
            ("audio", "text/event-stream", False),
            ("empty", "image/png", False),
        ],
    )
    async def test_its_images_and_scripts_are_sent_and_nothing_else(
        self, visitor: Visitor, destination: str, kind: str, is_sent: bool
    ) -> None:
        await visitor.open("home")
        headers = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": destination}
        address = f"shown/?type={quote(kind)}"

        response = await visitor.get(address, headers=headers)
        by_token = await visitor.get(
            address, headers={**headers, "X-XSRFToken": visitor.xsrf_token}
        )

        assert (b"ada" in response.body) is is_sent
        assert by_token.body == b"adaada"


class TestWithFramesThatAnAdminAllows:
    @pytest.fixture
    def service_config(self) -> ServiceConfig:
        return {"TornadoService": {"frame_ancestors": "https://lms.example.org"}}

    @pytest.mark.parametrize("destination", FRAMES)
    async def test_a_frame_needs_none(self, visitor: Visitor, destination: str) -> None:
        """The browser enforces the policy of the response."""
        await visitor.open("home")

        page = await visitor.get("", headers={"Sec-Fetch-Dest": destination})

        assert page.code == 200
        assert "frame-ancestors https://lms.example.org" in page.headers["Content-Security-Policy"]

    async def test_a_request_of_a_service_worker_needs_it(self, visitor: Visitor) -> None:
        """A navigation that a service worker passes on has another destination."""
        await visitor.open("home")
        preload = {"Sec-Fetch-Dest": "iframe", "Service-Worker-Navigation-Preload": "true"}

        for headers in ({"Sec-Fetch-Dest": "empty"}, preload):
            assert (await visitor.get("", headers=headers)).code == 403
