"""What a browser does with a web app: workers, frames, its cache, and other pages of the origin."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tornado_service.testing import RealHub, ServiceConfig
from tornado_service.testing.playwright import OpenPage

#: Serves files and says who visits; it starts when the file "start" is there.
PROGRAM = """
import pathlib, sys, time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

class Handler(SimpleHTTPRequestHandler):
    def do_GET(self):
        files = {"/worker.js": WORKER, "/wide.js": WORKER}
        kind = "text/javascript" if self.path in files else "text/html"
        body = files.get(self.path, "Hello, " + self.headers.get("X-Forwarded-User", "")).encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.path == "/wide.js":
            self.send_header("Service-Worker-Allowed", self.headers["X-Forwarded-Prefix"])
        if self.path == "/report":
            self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(body)

WORKER = '''
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => event.respondWith(fetch(event.request)));
'''
while len(sys.argv) > 2 and not pathlib.Path(sys.argv[2]).exists():
    time.sleep(0.1)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

REGISTER = """async ([script, scope]) => {
  const registration = await navigator.serviceWorker.register(script, { scope });
  await navigator.serviceWorker.ready;
  return registration.scope;
}"""

FRAME = """(url) => {
  document.body.innerHTML = "<iframe></iframe>";
  document.querySelector("iframe").src = url;
}"""


@pytest.fixture(scope="module")
def start_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("late") / "start"


@pytest.fixture
def service_config(start_file: Path) -> ServiceConfig:
    app = {"command": [sys.executable, "-c", PROGRAM, "{port}"], "strip_prefix": True}
    late = {**app, "command": [*app["command"], str(start_file)]}
    closed = {"url": "http://127.0.0.1:1", "allowed_groups": ["none"]}
    never = {**app, "command": [*app["command"], str(start_file.with_name("never"))]}
    apps = {"app": app, "late": late, "never": never, "closed": closed}
    return {"TornadoService": {"web_apps": apps}}


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A page of the app, in the browser of ada."""
    page = open_page("app/", "ada")
    expect(page.locator("body")).to_have_text("Hello, ada")
    return page


def test_an_error_has_no_token_for_a_script(page: Page, real_hub: RealHub) -> None:
    get = (
        "(url) => fetch(url, { headers: { Accept: 'text/html' } }).then((answer) => answer.text())"
    )

    errors = [page.evaluate(get, real_hub.service_prefix + path) for path in ("closed/", "never/")]

    assert "403 : Forbidden" in errors[0]
    assert "This app is starting" in errors[1]
    tokens = [re.findall('data-xsrf-token="(.*?)"', error) for error in errors]
    assert tokens == [[""], [""]], errors


def test_a_frame_shows_that_the_app_starts_and_then_the_app(
    page: Page, real_hub: RealHub, start_file: Path
) -> None:
    page.evaluate(FRAME, f"{real_hub.service_prefix}late/")
    body = page.frame_locator("iframe").locator("body")

    expect(body).to_contain_text("late is starting")
    start_file.touch()
    expect(body).to_have_text("Hello, ada")


def test_an_app_with_a_worker_opens_again_after_the_session(page: Page, real_hub: RealHub) -> None:
    app = f"{real_hub.service_prefix}app/"
    page.evaluate(REGISTER, [f"{app}worker.js", app])
    page.reload()
    for name in (f"service-{real_hub.service_name}", "_xsrf"):
        page.context.clear_cookies(name=name, path=real_hub.service_prefix)

    response = page.goto(f"{app}again")

    assert (response.status, page.url.endswith("/app/again")) == (200, True)
    expect(page.locator("body")).to_have_text("Hello, ada")


def test_a_worker_gets_no_app_with_a_longer_name(page: Page, real_hub: RealHub) -> None:
    app = f"{real_hub.service_prefix}app"

    with pytest.raises(Exception, match="SecurityError"):
        page.evaluate(REGISTER, [f"{app}/wide.js", app])


def test_the_cache_shows_nothing_after_the_session(page: Page, real_hub: RealHub) -> None:
    report = f"{real_hub.service_prefix}app/report"
    page.goto(report)
    expect(page.locator("body")).to_have_text("Hello, ada")
    page.context.clear_cookies()

    page.goto(report)

    expect(page.get_by_label("Username")).to_be_visible()
