"""Shiny for Python: an app that does not know its prefix, and a WebSocket."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.web_apps.conftest import OpenApp


def test_a_click_changes_the_page_over_a_websocket(open_app: OpenApp, errors: list[str]) -> None:
    page = open_app("shiny")
    with page.expect_websocket() as opened:
        page.reload()
    assert opened.value.url.endswith("/shiny/websocket/")
    expect(page.get_by_text("Signed in as sam")).to_be_visible()
    for sales in (1, 2):
        page.get_by_role("button", name="Add a sale").click()
        expect(page.get_by_text(f"{sales} sales")).to_be_visible()

    assert not opened.value.is_closed()
    assert errors == []
