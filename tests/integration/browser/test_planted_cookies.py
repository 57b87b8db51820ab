"""Cookies that a page of the same host has set under our names, in a real browser."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from tests.support.cookie_names import SESSION, STATE, XSRF
from tornado_service.testing import RealHub

NAMES = (SESSION, STATE, XSRF)

#: Below the service's prefix, where ours are; the last is longer.
PATHS = ("/", "/services/", "{prefix}", "{prefix}docs")

#: Sets cookies in a browser: the window, and the cookies in the syntax of ``Set-Cookie``.
Plant = Callable[[Page, list[str]], None]


@pytest.fixture
def evil() -> Iterator[str]:
    """Another user's server on the hub's host; cookies ignore its port.

    It sets the cookies of its query.
    """

    class Evil(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            cookies = self.headers.get("X-Cookies", "").split("|")
            self.send_response(200)
            for cookie in cookies:
                self.send_header("Set-Cookie", cookie)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Evil)
    server.daemon_threads = True
    server.block_on_close = False  # browsers open connections in advance
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["script", "server"])
def plant(request: pytest.FixtureRequest, evil: str, real_hub: RealHub) -> Plant:
    """Set cookies as a script of the origin does, or as a server does by its headers."""

    def by_script(page: Page, cookies: list[str]) -> None:
        page.goto("/hub/home")
        page.evaluate(
            "cookies => { for (const cookie of cookies) document.cookie = cookie }", cookies
        )

    def by_server(page: Page, cookies: list[str]) -> None:
        page.context.set_extra_http_headers({"X-Cookies": "|".join(cookies)})
        page.goto(evil)
        page.context.set_extra_http_headers({})

    return by_script if request.param == "script" else by_server


def sign_in(page: Page, name: str) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("x")
    page.locator("#login_submit").click()
    page.wait_for_url(lambda url: "/hub/" not in url)


def expect_sam(page: Page, home: str) -> None:
    """Sam is signed in, on every page, and the pages' scripts work."""
    # it takes a second to run, and has tests of its own
    page.route("**/swagger-ui-*", lambda route: route.abort())
    for path in ("", "docs"):
        page.goto(home + path)
        expect(page.locator("body")).to_contain_text("sam")
        assert page.url.endswith(home + path)
        asked = page.evaluate(
            "serviceFetch('api/user').then(async (response) => (await response.json()).name)"
        )
        assert asked == "sam"


def session_of(page: Page) -> str:
    (value,) = (cookie["value"] for cookie in page.context.cookies() if cookie["name"] == SESSION)
    return value


def everywhere(home: str, name: str, value: str) -> list[str]:
    return [f"{name}={value}; path={path.format(prefix=home)}" for path in PATHS]


def test_junk_leaves_a_user_signed_in(open_page, real_hub, plant: Plant) -> None:
    """A server can replace our cookie; then the sign-in is repeated, once."""
    home = real_hub.service_prefix
    page = open_page(home, "sam")

    plant(page, [cookie for name in NAMES for cookie in everywhere(home, name, "x")])

    expect_sam(page, home)


def test_junk_does_not_keep_a_user_from_signing_in(open_page, real_hub, plant: Plant) -> None:
    home = real_hub.service_prefix
    page = open_page("/hub/login")
    names = (*NAMES, "jupyterhub-session-id")
    plant(page, [cookie for name in names for cookie in everywhere(home, name, "x")])

    page.goto(home)
    sign_in(page, "sam")

    expect_sam(page, home)


@pytest.mark.parametrize("path", ["{prefix}docs", "{prefix}api/"])
def test_a_session_id_of_some_pages_leaves_the_token_good_for_all(
    open_page, real_hub, plant: Plant, path: str
) -> None:
    home = real_hub.service_prefix
    page = open_page(home, "sam")

    plant(page, [f"jupyterhub-session-id=x; path={path.format(prefix=home)}"])

    expect_sam(page, home)


def test_the_session_of_another_user_does_not_become_that_of_the_user(
    open_page, real_hub, plant: Plant
) -> None:
    home = real_hub.service_prefix
    session = session_of(open_page(home, "kim"))
    page = open_page(home, "sam")

    plant(page, [f"{SESSION}={session}; path={path}" for path in ("/", "/services/")])

    expect_sam(page, home)


def test_an_expired_session_leads_to_no_redirect_loop(open_page, real_hub, plant: Plant) -> None:
    home = real_hub.service_prefix
    theirs = open_page(home, "kim")
    session = session_of(theirs)
    theirs.goto("/hub/logout")
    page = open_page(home, "sam")

    plant(page, everywhere(home, SESSION, session))

    expect_sam(page, home)
