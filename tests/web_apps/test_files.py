"""A folder of files, by a server that does not know its prefix."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.web_apps.conftest import OpenApp
from tornado_service.testing import RealHub


def test_links_and_frames_stay_below_the_prefix(
    open_app: OpenApp, real_hub: RealHub, errors: list[str]
) -> None:
    page = open_app("files")
    expect(page.get_by_role("heading")).to_have_css("color", "rgb(0, 128, 0)")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Reports")).to_be_visible()
    page.get_by_role("link", name="Reports").click()
    expect(page.get_by_role("heading", name="Reports")).to_be_visible()
    assert page.url == f"{real_hub.service_public_url}files/reports/"
    page.get_by_role("link", name="Sales").click()

    expect(page.get_by_role("heading", name="Sales")).to_be_visible()
    assert errors == []
