"""Pages in a browser while the hub hangs: it accepts connections and sends no response."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from playwright.sync_api import Error, Page, expect

from tests.integration.browser.page_checks import NARROW, WIDE
from tests.support import ROOT
from tornado_service.testing import RealHub
from tornado_service.testing.playwright import OpenPage
from tornado_service.testing.real_hub import SERVICE_COMMAND

PATIENCE = 60
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="50" height="20"></svg>'
VISITOR = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}

Switch = Callable[[], None]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    """A hub whose logo a browser revalidates at each page, as it has just been changed."""
    logo = tmp_path_factory.mktemp("hub") / "logo.svg"
    logo.write_text(LOGO)
    os.utime(logo, (time.time() + 3600,) * 2)
    command = [*SERVICE_COMMAND, "--HubClient.breaker_failures=1", "--HubClient.breaker_pause=0.5"]
    with RealHub(
        service_environment={"PYTHONPATH": os.fspath(ROOT)},
        service_command=command,
        extra_config=f"c.JupyterHub.logo_file = {os.fspath(logo)!r}\n",
    ) as running:
        yield running


@pytest.fixture
def real_hub(hub: RealHub) -> RealHub:
    return hub


def status_for_visitors(hub: RealHub) -> int:
    """Status of the home page for a visitor; a redirect is not followed."""
    connection = HTTPConnection("127.0.0.1", hub.port, timeout=PATIENCE)
    try:
        connection.request("GET", hub.service_prefix, headers=VISITOR)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.fixture
def stop(hub: RealHub) -> Iterator[Switch]:
    """Stop the hub's process, and return when the service notices; undone after the test."""

    def stop() -> None:
        hub.process.send_signal(signal.SIGSTOP)
        while status_for_visitors(hub) != 503:
            time.sleep(0.1)

    yield stop
    hub.process.send_signal(signal.SIGCONT)


def assert_painted(page: Page) -> None:
    page.wait_for_function(
        "() => performance.getEntriesByName('first-contentful-paint').length > 0"
    )


def open_while_stopped(page: Page, path: str = "") -> None:
    """Open a page without waiting for resources: those of the hub never arrive."""
    page.goto(path, wait_until="commit")
    assert_painted(page)


def wait_for_load(page: Page, where: str) -> None:
    """Wait for the page's ``load``; without one, fail with what has arrived."""
    try:
        page.wait_for_load_state("load")
    except Error as error:
        arrived = page.evaluate(
            "() => performance.getEntriesByType('resource').map(({name}) => name)"
        )
        state = page.evaluate("document.readyState")
        raise AssertionError(f"{where}: {state}; arrived: {arrived}") from error


@pytest.fixture
def sign_in(
    open_page: OpenPage, chromium: Any, hub: RealHub
) -> Callable[[str, dict[str, int], str], Page]:
    """A page of sam, with a cache that has the pages' resources or is empty."""

    def sign_in(scheme: str, size: dict[str, int], cache: str) -> Page:
        look = {"color_scheme": scheme, "viewport": size}
        page = open_page("", "sam", **look)
        if cache == "warm":
            page.wait_for_load_state("networkidle")  # the hub's own style sheet, too
            return page
        state = page.context.storage_state()
        return chromium.new_context(
            base_url=hub.service_public_url, storage_state=state, **look
        ).new_page()

    return sign_in


def test_a_cached_user_gets_pages_in_the_hubs_style(sign_in: Any, stop: Switch) -> None:
    looks = [
        (scheme, size, cache)
        for scheme, size in (("light", WIDE), ("dark", NARROW))
        for cache in ("cold", "warm")
    ]
    pages = [sign_in(*look) for look in looks]
    stop()

    for page, (scheme, size, cache) in zip(pages, looks, strict=True):
        where = str((scheme, size, cache))
        open_while_stopped(page)

        wait_for_load(page, where)  # the logo, which never arrives, does not keep it busy
        expect(page.get_by_role("heading", level=1), where).to_have_text("tornado-service")
        expect(page.locator("html"), where).to_have_attribute("data-bs-theme", scheme)
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        white, dark = "rgb(255, 255, 255)", "rgb(33, 37, 41)"
        assert background == (white if scheme == "light" else dark), where
        if size == NARROW:  # scripts run, too
            expect(page.get_by_role("button", name="Logout")).to_be_hidden()
            page.get_by_role("button", name="Menu").click()
            expect(page.get_by_role("button", name="Logout")).to_be_visible()


def test_visitors_see_a_page_that_retries_and_continues_when_the_hub_does(
    chromium: Any, stop: Switch, hub: RealHub
) -> None:
    stop()
    pages = []
    for scripts in (True, False):
        context = chromium.new_context(base_url=hub.service_public_url, java_script_enabled=scripts)
        pages.append(page := context.new_page())

        page.goto("", wait_until="commit")

        # without scripts the paint cannot be queried, and only a loaded page reloads
        page.wait_for_load_state("load")
        if scripts:
            assert_painted(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("503 : Service Unavailable")
        expect(page.get_by_role("status")).to_contain_text("This page reloads every")
    for page in pages:
        page.wait_for_event(
            "framenavigated", timeout=PATIENCE * 1000
        )  # it has retried without success

    hub.process.send_signal(signal.SIGCONT)

    for page in pages:
        expect(page.get_by_label("Username")).to_be_visible(timeout=PATIENCE * 1000)


def test_the_hubs_own_style_sheet_is_added_once_the_hub_responds(
    open_page: OpenPage, complaints: list[str]
) -> None:
    page = open_page("", "sam")
    own = (
        "() => [...document.styleSheets].filter(({href}) => href?.includes('/hub/static/')).length"
    )

    page.wait_for_function(f"{own} === 1")

    assert complaints == []


def test_the_hubs_logo_is_shown_with_and_without_scripts(
    open_page: OpenPage, chromium: Any, hub: RealHub
) -> None:
    page = open_page("", "sam")
    state = page.context.storage_state()
    for scripts in (True, False):
        context = chromium.new_context(
            base_url=hub.service_public_url, storage_state=state, java_script_enabled=scripts
        )
        page = context.new_page()
        page.goto("")

        expect(page.get_by_role("img", name="JupyterHub")).to_have_attribute("src", "/hub/logo")
        expect(page.get_by_role("img", name="JupyterHub")).to_have_css("width", "50px")


def test_icons_of_the_hubs_font_are_drawn(open_page: OpenPage, complaints: list[str]) -> None:
    page = open_page("", "sam")

    # the font of the hub's own style sheet, too, once that has been added
    loaded = page.evaluate(
        """async () => {
          document.body.insertAdjacentHTML("beforeend", '<i class="fas fa-trash"></i>');
          await document.fonts.load('900 1em "Font Awesome 7 Free"');
          return performance.getEntriesByType("resource").map(({name}) => name);
        }"""
    )

    assert [url for url in loaded if "/static/jupyterhub/" in url and url.endswith(".woff2")]
    assert complaints == []
