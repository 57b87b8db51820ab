"""A page of another server on the same origin can do nothing with a user's session."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.integration.browser import neighbour
from tornado_service.testing import BROWSER, RealHub
from tornado_service.testing.playwright import OpenPage
from tornado_service.testing.real_hub import SERVICE_COMMAND, SharedHub

EVIL = "/services/evil/"
RACE = f"{EVIL}race.js"
#: Each shows a signed-in user's name, or the XSRF token, or both.
PATHS = ("", "api/user", "docs", "logout", "nothing", "activity/", "activity/nothing",
         "activity/api/people.csv", "activity/api/people", "activity/api/live")  # fmt: skip


@pytest.fixture(scope="module")
def real_hub(shared_hub: SharedHub, request: pytest.FixtureRequest) -> Iterator[RealHub]:
    """A hub with one more service; ``shared_hub`` skips where there can be none.

    Its parameter is one more argument of ours.
    """
    with neighbour.listening() as url:
        more = f'c.JupyterHub.services.append({{"name": "evil", "url": "{url}"}})'
        hub = RealHub(
            service_command=[
                *SERVICE_COMMAND,
                "--TornadoService.apps=tornado_service.activity:Activity",
                *([request.param] if hasattr(request, "param") else ()),
            ],
            service_scopes=["list:users", "read:users:activity", "read:servers"],
            extra_config=more,
        )
        with hub:
            hub.wait_for_apps()
            yield hub


@pytest.fixture
def ours(real_hub: RealHub) -> list[str]:
    return [real_hub.service_prefix + path for path in PATHS]


@pytest.fixture
def victim(open_page: OpenPage) -> Page:
    """A page of the neighbour, in the browser of ada, who is signed in."""
    page = open_page("", "ada")
    page.token = page.locator("body").get_attribute("data-xsrf-token")
    assert len(page.token) > 20
    page.goto(EVIL)
    return page


def assert_nothing_of(page: Page, output: str, ours: list[str]) -> None:
    assert output.count(ours[0]) >= len(ours), "it has tried"
    for secret in ("ada", page.token):
        lines = [line for line in output.split("\n") if secret in line]
        assert lines == [], lines[0][:400]


def test_a_script_reads_no_response(victim: Page, ours: list[str]) -> None:
    assert_nothing_of(victim, victim.evaluate(neighbour.READ, ours), ours)


@pytest.mark.parametrize("script", [f"{EVIL}worker.js", RACE])
def test_a_service_worker_of_its_own_reads_none(victim: Page, ours: list[str], script: str) -> None:
    """It forwards requests of the page, such as images, and gets the response first."""
    output = victim.evaluate(neighbour.BY_A_WORKER, [EVIL, [], script])
    victim.goto(EVIL)
    output = victim.evaluate(neighbour.BY_A_WORKER, [EVIL, ours, script])

    assert " no-cors image " in output
    assert_nothing_of(victim, output, ours)


def test_a_service_worker_of_the_whole_origin_reads_no_response_that_it_passes_on(
    victim: Page, ours: list[str]
) -> None:
    victim.evaluate(neighbour.BY_A_WORKER, ["/", []])
    victim.goto(EVIL)
    output = victim.evaluate(neighbour.BY_A_WORKER, ["/", ours])
    opened = victim.context.new_page()
    for url in ours:
        opened.goto(url)
    output += victim.evaluate("() => new Promise((resolve) => setTimeout(resolve, 300, ''))")

    assert " navigate iframe " in output
    assert_nothing_of(victim, output, ours)
    assert "ada" not in opened.content()


def test_no_script_has_the_xsrf_cookie(victim: Page, real_hub: RealHub) -> None:
    """Not even one of our own pages: they contain the token."""
    read = "async () => [document.cookie, ...(await cookieStore.getAll()).map(({ name }) => name)]"
    home = real_hub.service_prefix

    stolen = victim.evaluate(read)
    victim.evaluate("(url) => history.replaceState(null, '', url)", home)
    stolen += victim.evaluate(read)
    victim.goto(home)
    stolen += victim.evaluate(read)

    kept = {cookie["name"] for cookie in victim.context.cookies(real_hub.service_public_url)}
    assert "_xsrf" in kept
    assert set(stolen) == {""}


def test_another_page_does_not_sign_out(victim: Page, real_hub: RealHub) -> None:
    home = real_hub.service_prefix
    victim.evaluate(neighbour.SIGN_OUT, f"{home}logout")
    for window in victim.context.pages[1:]:
        window.wait_for_load_state()

    assert len(victim.context.pages) == 4, "the windows"
    victim.goto(home)
    expect(victim.get_by_role("main")).to_contain_text("ada")


def test_a_user_signs_out_by_opening_the_url(victim: Page, real_hub: RealHub) -> None:
    victim.goto(f"{real_hub.service_prefix}logout")
    victim.get_by_role("main").get_by_role("button", name="Logout").click()
    victim.wait_for_url("**/hub/**")

    victim.goto(real_hub.service_prefix)
    expect(victim.get_by_label("Username")).to_be_visible()


def test_the_limits_that_security_md_documents(victim: Page, ours: list[str]) -> None:
    """A window, with any policy; a page that a user opens, through a worker of the origin."""
    home = f"{ours[0]}home"
    with victim.expect_popup() as window:
        victim.evaluate("(url) => { window.opened = open(url); }", home)
    window.value.wait_for_load_state()
    token = victim.evaluate("opened.document.body.dataset.xsrfToken")
    victim.evaluate(neighbour.BY_A_WORKER, ["/", [], RACE])
    opened = victim.context.new_page()
    victim.evaluate("""() => { window.found = new Promise((resolve) => {
      navigator.serviceWorker.addEventListener("message", (event) => {
        if (event.data.includes(" navigate document ")) resolve(event.data);
      });
      setTimeout(() => resolve("no navigation"), 20000);
    }) }""")
    opened.goto(home)
    read = victim.evaluate("window.found")

    assert token == victim.token
    assert " navigate document " in read
    assert victim.token in read


@pytest.mark.parametrize("mode", ["no-cors", "cors", "same-origin", "XMLHttpRequest"])
def test_a_script_gets_no_code_for_a_sign_in_of_its_own(
    victim: Page, real_hub: RealHub, mode: str
) -> None:
    """It starts one in its browser, and makes the hub return the victim's code for it."""
    connection = HTTPConnection("127.0.0.1", real_hub.port)
    connection.request("GET", real_hub.service_prefix, headers=BROWSER)
    begun = connection.getresponse()
    connection.close()
    authorize = begun.headers["Location"]
    assert "/oauth2/authorize?" in authorize

    came_to = victim.evaluate(
        """([url, mode]) => new Promise((resolve) => {
          if (mode !== "XMLHttpRequest") {
            fetch(url, { mode }).then((answer) => resolve(answer.url), resolve);
            return;
          }
          const request = new XMLHttpRequest();
          request.onloadend = () => resolve(request.responseURL);
          request.open("GET", url);
          request.send();
        })""",
        [authorize, mode],
    )

    assert came_to.endswith("/oauth_callback")


def test_our_own_pages_read(open_page: OpenPage, ours: list[str]) -> None:
    """Our own pages read what the scripts above must not."""
    page = open_page("", "ada")
    read: Any = page.evaluate("serviceFetch('api/user').then((response) => response.json())")
    assert read["name"] == "ada"


@pytest.mark.parametrize(
    "real_hub", ["--TornadoService.frame_ancestors=https://lms.example.org"], indirect=True
)
def test_a_script_reads_no_frame_that_another_site_may_show(victim: Page, ours: list[str]) -> None:
    assert_nothing_of(victim, victim.evaluate(neighbour.READ, ours), ours)
