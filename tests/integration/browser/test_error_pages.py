"""Error pages, and how they recover, with a hub that can be cut off."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect

from tests.integration.browser.page_checks import assert_accessible, renderings
from tests.support import ROOT
from tests.support.relay import Relay
from tornado_service.demo.processes import free_ports
from tornado_service.testing import RealHub
from tornado_service.testing.playwright import OpenPage
from tornado_service.testing.real_hub import SERVICE_COMMAND

#: Seconds; a page retries every few, and a busy machine is slow at times.
PATIENCE = 60

Misbehave = Callable[[str | None], None]


@contextmanager
def running_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread of its own, as Playwright has this one's."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def is_well(hub: RealHub) -> bool:
    """Whether the service reaches the hub: it then refuses a random token with 401."""
    request = Request(
        f"{hub.service_url}{hub.service_prefix}api/user",
        headers={"Authorization": f"token {secrets.token_hex(8)}"},
    )
    with pytest.raises(HTTPError) as refused:
        urlopen(request, timeout=PATIENCE)
    refused.value.close()
    return refused.value.code == 401


@pytest.fixture(scope="module")
def wishes_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wishes") / "wishes.sqlite"


@pytest.fixture(scope="module")
def relayed(wishes_file: Path) -> Iterator[tuple[RealHub, Misbehave]]:
    """A hub whose service reaches it by a relay, and a function that injects faults there."""
    (port,) = free_ports(1)
    hub = RealHub(
        service_environment={
            "JUPYTERHUB_API_URL": f"http://127.0.0.1:{port}/hub/api",
            "PYTHONPATH": os.fspath(ROOT),
        },
        service_command=[
            *SERVICE_COMMAND,
            "--HubClient.breaker_failures=1",
            "--HubClient.breaker_pause=0.3",
            "--TornadoService.apps=tests.integration.browser.failing_apps:Raises",
            "--TornadoService.apps=tests.integration.browser.failing_apps:Broken",
            "--TornadoService.apps=tests.integration.browser.failing_apps:LongWord",
            "--TornadoService.apps=tests.integration.browser.failing_apps:Waits",
            "--TornadoService.apps=tests.support.wishes:Wishes",
            f"--Wishes.database_url=sqlite:///{wishes_file}",
        ],
    )
    with running_loop() as loop:
        relay = Relay(hub.hub_port, port)

        def do(coroutine: Coroutine[Any, Any, None]) -> None:
            asyncio.run_coroutine_threadsafe(coroutine, loop).result()

        def misbehave(fault: str | None) -> None:
            do(relay.misbehave(fault))
            while is_well(hub) == bool(fault):
                time.sleep(0.05)

        do(relay.start())
        with hub:
            yield hub, misbehave
        do(relay.stop())


@pytest.fixture
def real_hub(relayed: tuple[RealHub, Misbehave]) -> RealHub:
    return relayed[0]


@pytest.fixture
def misbehave(relayed: tuple[RealHub, Misbehave]) -> Iterator[Misbehave]:
    """Begin a fault of the Hub API, or end it (``None``); it ends with the test."""
    yield relayed[1]
    relayed[1](None)


ERRORS = (
    "the hub is unavailable",
    "a page raises",
    "no access",
    "an app has failed",
    "a web app has failed",
)


@pytest.fixture(params=ERRORS)
def open_error(request, open_page: OpenPage, real_hub: RealHub, misbehave: Misbehave):
    """Open a page with this error; returns it and the heading it should have."""

    def open_error() -> tuple[Page, str]:
        if request.param == "the hub is unavailable":
            misbehave("error")
            return open_page(""), "503 : Service Unavailable"
        if request.param == "no access":
            # the hub itself refuses a sign-in, the service refuses a token
            token = {"Authorization": f"token {real_hub.token_for('guest')}"}
            return open_page("", extra_http_headers=token), "403 : Forbidden"
        if request.param == "a web app has failed":
            page = open_page("long-word/", "ada")
            expect(page.get_by_role("main")).to_contain_text(
                "exit status 1", timeout=PATIENCE * 1000
            )
            return page, "long-word is not available"
        page = open_page("", "sam")
        if request.param == "a page raises":
            page.goto("raises/")
            return page, "500 : Internal Server Error"
        page.goto("broken/")
        # before, it is starting, and the page retries
        expect(page.get_by_role("main")).to_contain_text("unavailable", timeout=PATIENCE * 1000)
        return page, "503 : Service Unavailable"

    return open_error


def test_every_error_page_is_accessible_and_fits(open_error, complaints) -> None:
    page, title = open_error()

    def load() -> None:
        page.reload(wait_until="networkidle")
        # the error stays during the check
        page.evaluate("for (let id = setTimeout(() => {}); id > 0; id--) clearTimeout(id)")

    for scheme, _ in renderings(page, load):
        assert page.get_by_role("heading", level=1).inner_text() == title
        assert_accessible(page, complaints, scheme)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_page_recovers_when_the_hub_does(
    open_page: OpenPage, misbehave: Misbehave, scripts: bool
) -> None:
    misbehave("error")
    page = open_page("", java_script_enabled=scripts)
    expect(page.get_by_role("status")).to_contain_text("This page reloads every")

    misbehave(None)

    expect(page.get_by_label("Username")).to_be_visible(timeout=PATIENCE * 1000)


def test_a_page_loads_when_the_database_of_its_app_becomes_available(
    open_page: OpenPage, real_hub: RealHub
) -> None:
    page = open_page("", "sam")
    page.goto("waits/")
    expect(page.get_by_role("main")).to_contain_text("cannot start yet")
    expect(page.get_by_role("status")).to_contain_text("This page reloads every")

    (real_hub.directory / "later").mkdir()

    expect(page.get_by_role("heading", name="Here it is")).to_be_visible(timeout=PATIENCE * 1000)


def test_a_page_recovers_when_the_database_of_its_app_does(
    open_page: OpenPage, wishes_file: Path
) -> None:
    page = open_page("", "sam")
    page.goto("wishes/")
    expect(page.get_by_role("heading")).to_have_text("0 wishes")
    away = wishes_file.rename(wishes_file.with_suffix(".away"))

    page.goto("wishes/")
    expect(page.get_by_role("main")).to_contain_text("database of this app is not available")
    expect(page.get_by_role("status")).to_contain_text("This page reloads every")
    away.rename(wishes_file)

    expect(page.get_by_role("heading")).to_have_text("0 wishes")
