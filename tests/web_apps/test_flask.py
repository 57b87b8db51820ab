"""Flask under gunicorn: a form, a redirect, a session's cookie and a static file."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.web_apps.conftest import OpenApp
from tornado_service.testing import RealHub


def test_a_form_changes_the_page(open_app: OpenApp, real_hub: RealHub, errors: list[str]) -> None:
    page = open_app("flask")
    expect(page.get_by_text("Signed in as sam")).to_be_visible()
    expect(page.get_by_role("heading")).to_have_css("color", "rgb(0, 128, 0)")
    for sales in (1, 2):
        page.get_by_role("button", name="Add a sale").click()
        expect(page.get_by_text(f"{sales} sales")).to_be_visible()

    assert page.url == f"{real_hub.service_public_url}flask/"
    (cookie,) = [each for each in page.context.cookies() if each["name"] == "session"]
    assert cookie["path"].startswith(f"{real_hub.service_prefix}flask")
    assert errors == []


def test_the_app_gets_no_cookie_of_the_hub(open_app: OpenApp) -> None:
    page = open_app("flask", path="cookies")
    page.reload()

    expect(page.locator("body")).to_have_text("session")
