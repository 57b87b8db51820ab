"""Django: its admin pages, signed in by RemoteUserMiddleware, and a form with CSRF token."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.web_apps.conftest import OpenApp
from tornado_service.testing import RealHub


def test_a_user_of_the_hub_is_signed_in_and_adds_a_group(
    open_app: OpenApp, real_hub: RealHub, errors: list[str]
) -> None:
    page = open_app("django")
    assert page.url == f"{real_hub.service_public_url}django/admin/"
    expect(page.locator("#user-tools")).to_contain_text("sam")
    expect(page.locator("#header")).to_have_css("display", "flex")  # the style sheet is loaded
    page.locator(".model-group .addlink").click()
    page.get_by_label("Name:").fill("analysts")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("link", name="analysts", exact=True).first).to_be_visible()
    assert page.url == f"{real_hub.service_public_url}django/admin/auth/group/"
    assert errors == []


def test_each_user_is_signed_in_as_such(open_app: OpenApp) -> None:
    for user in ("kim", "ada"):
        expect(open_app("django", user).locator("#user-tools")).to_contain_text(user)
