"""Voilà: a kernel of its own for each visit, over Jupyter's WebSocket."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.web_apps.conftest import OpenApp


def test_a_click_changes_the_page_over_a_websocket(open_app: OpenApp, errors: list[str]) -> None:
    page = open_app("voila")
    with page.expect_websocket() as opened:
        page.reload()
    assert "/voila/api/kernels/" in opened.value.url
    for sales in (1, 2):
        page.get_by_role("button", name="Add a sale").click()
        expect(page.get_by_text(f"{sales} sales")).to_be_visible()

    assert not opened.value.is_closed()
    assert errors == []
