"""Dash: requests for each event, under gunicorn."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.web_apps.conftest import OpenApp


def test_a_click_changes_the_page(open_app: OpenApp, errors: list[str]) -> None:
    page = open_app("dash")
    expect(page.get_by_text("Signed in as sam")).to_be_visible()
    expect(page.locator("#chart .main-svg").first).to_be_visible()
    for sales in (1, 2):
        page.get_by_role("button", name="Add a sale").click()
        expect(page.get_by_text(f"{sales} sales")).to_be_visible()

    assert errors == []
