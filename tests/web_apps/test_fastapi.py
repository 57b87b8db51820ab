"""FastAPI under its ``root_path``: Swagger UI, and JupyterHub's example without OAuth."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import Request, urlopen

from playwright.sync_api import Page, Route, expect

import tornado_service
from tests.web_apps.conftest import OpenApp
from tornado_service.testing import RealHub

SWAGGER = Path(tornado_service.__file__).parent / "static/swagger"


def serve_swagger(page: Page) -> None:
    """Swagger UI of the app's page is from the internet; here it is our own copy."""

    def fulfil(route: Route) -> None:
        route.fulfill(path=SWAGGER / route.request.url.rpartition("/")[2])

    page.route("https://cdn.jsdelivr.net/**", fulfil)


def test_swagger_ui_calls_the_app(open_app: OpenApp, errors: list[str]) -> None:
    page = open_app("fastapi", path="me")
    serve_swagger(page)
    page.goto("fastapi/docs")
    page.get_by_role("button", name="GET /me", exact=False).first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()

    answer = page.locator(".live-responses-table .response .response-col_description")
    expect(answer).to_contain_text('"name": "sam"')
    expect(page.locator(".request-url")).to_contain_text("/fastapi/me")
    assert errors == []


def test_a_token_shows_whose_it_is(open_app: OpenApp, real_hub: RealHub) -> None:
    open_app("fastapi", path="me")
    headers = {
        "Authorization": f"token {real_hub.token_for('kim')}",
        "X-Forwarded-User": "ada",
        "X_Forwarded_User": "ada",
    }
    with urlopen(Request(f"{real_hub.service_public_url}fastapi/me", headers=headers)) as response:
        assert json.load(response)["name"] == "kim"
