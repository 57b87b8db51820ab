"""The API's page in a real browser: read, tried in the session, tried with a token."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.integration.browser.page_checks import (
    PHONE,
    WIDE,
    fits,
    of_pages,
    renderings,
    violations,
)
from tornado_service.testing import ServiceConfig


@pytest.fixture
def service_config() -> ServiceConfig:
    return {"TornadoService": {"apps": ["tests.support.typed_app:Typed"]}}


def operation(page: Page, name: str) -> Locator:
    block = page.locator(f"#operations-{name}")
    block.locator(".opblock-summary-control").click()
    return block


def response(block: Locator) -> tuple[str, Any]:
    """Send the request; the status and body that the page shows."""
    block.get_by_role("button", name="Execute").click()
    shown = block.locator(".live-responses-table .response").first
    expect(shown).to_be_visible()
    status = shown.locator(".response-col_status").inner_text().strip()
    return status.split()[0], shown.locator(".highlight-code").first.inner_text()


def test_it_is_tried_in_the_current_session(open_page, complaints) -> None:
    page = open_page("docs", "ada")

    user = operation(page, "service-get_user")
    user.get_by_role("button", name="Try it out").click()
    status, body = response(user)

    assert status == "200"
    assert '"name": "ada"' in body
    assert complaints == []


def test_a_change_is_allowed_in_the_session(open_page, complaints) -> None:
    page = open_page("docs", "ada")

    post = operation(page, "typed-typed_Reports_post")
    post.get_by_role("button", name="Try it out").click()
    post.locator("textarea.body-param__text").fill(json.dumps({"title": "from a browser"}))
    status, body = response(post)

    assert status == "201", body
    assert "from a browser" in body
    assert complaints == []


def test_a_token_takes_precedence_over_the_session(open_page, real_hub) -> None:
    token = real_hub.token_for("kim")
    page = open_page("docs", "ada")

    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_label("auth-bearer-value").fill(token)
    page.locator(".modal-ux").get_by_role("button", name="Apply credentials").first.click()
    page.locator(".modal-ux").get_by_role("button", name="Close").last.click()
    user = operation(page, "service-get_user")
    user.get_by_role("button", name="Try it out").click()
    status, body = response(user)

    assert status == "200"
    assert '"name": "kim"' in body


def test_it_is_accessible_and_fits(open_page, complaints) -> None:
    page = open_page("docs", "ada")

    def load() -> None:
        page.goto("docs", wait_until="networkidle")
        operation(page, "typed-typed_Reports_get")

    for rendering in renderings(page, load, (WIDE, PHONE)):
        assert fits(page), rendering
        # Swagger UI logs each format without a field of its own
        unexpected = [text for text in of_pages(complaints) if "Could not find" not in text]
        assert unexpected == [], rendering
        # Swagger UI has a <main> of its own, and lists of values that have no names
        theirs = ("landmark-", "select-name")
        assert [text for text in violations(page) if not text.startswith(theirs)] == [], rendering


def test_it_is_found_in_the_menu(open_page) -> None:
    page = open_page("", "sam")

    page.get_by_role("link", name="API", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("API of")
    expect(page.locator(".opblock").first).to_be_visible()
