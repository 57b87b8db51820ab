"""The API's page: sign-in, its own files only, and its message without them."""

from __future__ import annotations

import re

import pytest

from tornado_service.handlers.static import static_files
from tornado_service.testing import BROWSER, PREFIX, SCRIPT, Fetch, StandInHub

BUNDLE = "swagger/swagger-ui-bundle.js"


async def test_it_requires_a_sign_in(hub: StandInHub, fetch: Fetch) -> None:
    assert (await fetch("docs", headers=SCRIPT)).code == 401
    assert (await fetch("docs", headers=BROWSER)).code == 302
    assert (await fetch("docs", token=hub.token_with("bob", ()))).code == 403
    assert (await fetch("docs", token=hub.token_for("sam"))).code == 200


async def test_it_loads_our_own_files_and_its_policy_is_as_strict_as_any(
    hub: StandInHub, fetch: Fetch
) -> None:
    token = hub.token_for("sam")
    response = await fetch("docs", token=token)
    home = await fetch("", token=token)

    page = response.body.decode()
    assert response.headers["Content-Security-Policy"] == home.headers["Content-Security-Policy"]
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    sources = re.findall(r'<script[^>]* src="([^"]+)"', page)
    assert any("swagger-ui-bundle" in source for source in sources)
    assert all(source.startswith((PREFIX, "/hub/")) for source in sources)
    assert f'href="{PREFIX}api/openapi.json"' in page


async def test_without_swagger_ui_the_page_says_so(
    hub: StandInHub, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(static_files("tornado_service"), BUNDLE)

    page = (await fetch("docs", token=hub.token_for("sam"))).body.decode()

    assert "is not in this copy of the service" in page
    assert f'href="{PREFIX}api/openapi.json"' in page
    assert "swagger" not in page
