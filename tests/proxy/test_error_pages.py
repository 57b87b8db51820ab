"""Errors of the service in place of a response of an app, as pages of the same origin get them."""

from __future__ import annotations

import re

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.proxy import PATH
from tests.support.proxy_fixtures import StartProxy
from tests.support.web_processes import options as process_options
from tornado_service.testing import StandInHub, StartService, Visitor

#: What pages of other users' servers can send, where these share our origin.
BY_SCRIPT = {"Accept": "text/html", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
BY_FRAME = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
BY_WORKER = {**BY_FRAME, "Sec-Fetch-Dest": "empty"}


def token_in(page: bytes) -> str:
    return re.search(rb'data-xsrf-token="([^"]*)"', page)[1].decode()


@pytest.mark.parametrize("options", [{}, {"allowed_groups": {"none"}}])
@pytest.mark.parametrize("headers", [BY_SCRIPT, BY_FRAME, BY_WORKER])
async def test_only_a_page_in_a_window_has_token_and_user(
    start_proxy: StartProxy,
    hub: StandInHub,
    client: AsyncHTTPClient,
    options: dict[str, set[str]],
    headers: dict[str, str],
) -> None:
    proxied = await start_proxy(**options)
    await proxied.upstream.stop()
    origins = f"http://127.0.0.1:{hub.port}", f"http://127.0.0.1:{proxied.service.port}"
    browser = Visitor(client, *origins, home=proxied.service.prefix, name="ada")
    await browser.open()

    window = await browser.get(PATH)
    other = await browser.get(PATH, headers=headers)

    assert window.code == other.code == (403 if options else 503)
    assert len(token_in(window.body)) > 20
    assert b'id="logout-form"' in window.body
    assert window.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    assert token_in(other.body) == ""
    assert token_in(window.body).encode() not in other.body
    assert b'id="logout-form"' not in other.body
    assert other.headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (BY_WORKER, 302),
        ({**BY_WORKER, "Service-Worker-Navigation-Preload": "true"}, 302),
        ({"Service-Worker-Navigation-Preload": "true"}, 302),
        (BY_FRAME, 401),
        (BY_SCRIPT, 401),
        ({**BY_WORKER, "Sec-Fetch-Mode": "same-origin"}, 401),
    ],
)
async def test_a_navigation_that_a_worker_of_the_app_forwards_begins_the_sign_in(
    browser: Visitor, headers: dict[str, str], status: int
) -> None:
    response = await browser.get(PATH, headers=headers)
    core = await browser.get(browser.home, headers=headers)

    assert response.code == status
    assert ("Location" in response.headers) == (status == 302)
    assert core.code == 401


async def test_in_a_frame_the_page_of_an_app_that_starts_reloads(
    start_service: StartService, hub: StandInHub, client: AsyncHTTPClient
) -> None:
    command = list(process_options("--after=60").command)
    service = await start_service(TornadoService={"web_apps": {"slow": {"command": command}}})
    origins = f"http://127.0.0.1:{hub.port}", f"http://127.0.0.1:{service.port}"
    browser = Visitor(client, *origins, home=service.prefix, name="ada")
    await browser.open()

    page = await browser.get(f"{service.prefix}slow/", headers=BY_FRAME)

    assert page.code == 503
    assert b"<h1>slow is starting</h1>" in page.body
    assert b"data-retry-after" in page.body
    assert token_in(page.body) == ""
    assert page.headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")
