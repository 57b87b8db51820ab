"""Web apps of the settings and of authors, with real processes, behind the sign-in."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders

from tornado_service import AppError, PageHandler, WebApp
from tornado_service.app import TornadoService
from tornado_service.testing import (
    BROWSER,
    PREFIX,
    Fetch,
    NewVisitor,
    ServiceConfig,
    StandInHub,
    StartService,
)

#: Responds with the path and the headers that it has got.
ECHO = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({"path": self.path, "headers": dict(self.headers)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

print("listening on port", sys.argv[1], flush=True)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

COMMAND = [sys.executable, "-c", ECHO, "{port}", "{prefix}", "{name}"]

BROKEN = {"command": ["no-such-program", "{port}"], "title": "Broken"}


class Reports(WebApp):
    """A web app of an author, who changes headers."""

    name = "reports"
    command = COMMAND
    start_mode = "always"

    def change_request_headers(self, handler: PageHandler, headers: HTTPHeaders) -> None:
        headers["X-Full-Name"] = handler.current_user["name"].title()

    def change_response_headers(self, handler: PageHandler, headers: HTTPHeaders) -> None:
        headers["X-Robots-Tag"] = "noindex"


@pytest.fixture
def service_config(tmp_path: Path) -> ServiceConfig:
    return {
        "TornadoService": {
            "apps": [f"{__name__}:Reports"],
            "web_apps": {
                "sales": {
                    "command": COMMAND,
                    "title": "Sales",
                    "description": "Of this year.",
                    "allowed_groups": ["analysts"],
                    "allowed_users": ["kim"],
                },
                "broken": BROKEN,
            },
        }
    }


async def response_of(fetch: Fetch, path: str, token: str, **headers: str) -> Any:
    """The response of an app, once it runs."""
    while True:
        response = await fetch(path, token=token, headers=headers)
        if response.code != 503:
            return response
        assert response.headers["Retry-After"]
        await asyncio.sleep(0.05)


async def test_an_app_gets_its_paths_and_who_the_visitor_is(hub: StandInHub, fetch: Fetch) -> None:
    hub.directory.add_user("sam", groups=["analysts", "b, c", "é"])

    response = await response_of(fetch, "sales/a%2Fb?x=%20;+", hub.token_for("sam"))

    got = json.loads(response.body)
    assert got["path"] == f"{PREFIX}sales/a%2Fb?x=%20;+"
    assert got["headers"]["X-Forwarded-User"] == "sam"
    assert got["headers"]["X-Forwarded-Groups"] == "analysts,b%2C%20c,%C3%A9"
    assert got["headers"]["X-Forwarded-Prefix"] == f"{PREFIX}sales"
    assert "Authorization" not in got["headers"]


async def test_only_those_who_are_named_may_open_it(
    hub: StandInHub, fetch: Fetch, new_visitor: NewVisitor
) -> None:
    hub.directory.add_user("sam", groups=["analysts"])
    hub.directory.add_user("kim")
    hub.directory.add_user("bob", groups=["guests"])

    for name in ("sam", "kim"):
        assert (await response_of(fetch, "sales/", hub.token_for(name))).code == 200
    refused = await fetch("sales/", token=hub.token_for("bob"), headers=BROWSER)

    assert refused.code == 403
    assert b"bob is signed in, but may not open Sales" in refused.body
    cards = {}
    for name in ("sam", "bob"):
        visitor = new_visitor(name)
        await visitor.open("home")
        cards[name] = re.findall(rf'href="{PREFIX}([a-z]+)/"', visitor.page.partition("<main")[2])
    assert cards == {"sam": ["reports", "sales", "broken"], "bob": ["reports", "broken"]}


async def test_a_class_of_an_author_changes_headers(hub: StandInHub, fetch: Fetch) -> None:
    response = await response_of(fetch, "reports/", hub.token_for("sam"))

    assert json.loads(response.body)["headers"]["X-Full-Name"] == "Sam"
    assert response.headers["X-Robots-Tag"] == "noindex"


async def test_a_broken_app_fails_alone_and_admins_see_what_to_change(
    service: TornadoService, hub: StandInHub, fetch: Fetch
) -> None:
    hub.directory.add_user("root", admin=True)
    token = hub.token_for("root", ("read:hub",))

    assert (await response_of(fetch, "sales/", hub.token_for("kim"))).code == 200
    while not (await apps(fetch, token))["broken"]["reason"]:
        assert (await fetch("broken/", token=token)).code == 503
        await asyncio.sleep(0.05)

    found = await apps(fetch, token)
    assert found["sales"]["state"] == found["broken"]["state"] == "ready"
    assert found["sales"]["reason"] == ""
    assert found["sales"]["details"]["state"] == "running"
    assert "listening on port" in found["sales"]["details"]["output"]
    assert "no-such-program" in found["broken"]["reason"]
    assert 'web_apps["broken"]["command"]' in found["broken"]["reason"]


async def apps(fetch: Fetch, token: str) -> dict[str, Any]:
    """The apps in the status, by name."""
    response = await fetch("api/status", token=token)
    assert response.code == 200, response.body
    return {app["name"]: app for app in json.loads(response.body)["apps"]}


@pytest.mark.parametrize(
    ("name", "entry", "said"),
    [
        ("sales", {"comand": COMMAND}, "has an unknown key comand: did you mean command?"),
        ("Sales", {"command": COMMAND}, "is 'Sales': it takes a-z, 0-9 and - only."),
        ("api", {"command": COMMAND}, "is 'api', a path of the service itself."),
    ],
)
async def test_an_invalid_entry_says_what_to_change(
    start_service: StartService, name: str, entry: dict[str, Any], said: str
) -> None:
    with pytest.raises(AppError) as raised:
        await start_service(TornadoService={"web_apps": {name: entry}})

    assert f'web_apps["{name}"]' in str(raised.value)
    assert said in str(raised.value)


async def test_without_its_library_a_web_app_says_what_to_install(
    start_service: StartService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tornado_service.proxy.web_app.find_spec", lambda name: None)

    with pytest.raises(AppError, match=r"h11: pip install 'tornado-service\[web-apps\]'$"):
        await start_service(TornadoService={"web_apps": {"sales": {"url": "http://x"}}})
