"""Apps of other frameworks under a real hub, used in a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page

from tests.support.chromium import chromium, chromium_server, connected  # noqa: F401
from tests.web_apps.recipes import guide_settings, is_installed, read_recipes, settings
from tornado_service.testing import RealHub, ServiceConfig
from tornado_service.testing.playwright import OpenPage

#: Errors that are not of the service: there is no internet, and most apps have no favicon.
IGNORED = ("net::ERR_NAME_NOT_RESOLVED", "fonts.googleapis.com", "favicon.ico", "metrics config")

#: Seconds until an app responds: some import for long on a busy machine.
TIMEOUT = 120

#: The fixture ``open_app``.
OpenApp = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "web_apps" in item.path.parts:
            item.add_marker("web_apps")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home directories of the apps."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def service_config(home: Path) -> ServiceConfig:
    """All recipes whose environment is installed, in one service."""
    names = [name for name in read_recipes() if is_installed(name)]
    apps = {name: settings(name, home) for name in names}
    if "streamlit" in apps:
        apps["sales"] = guide_settings(home)
    return {"TornadoService": {"web_apps": apps}}


@pytest.fixture
def errors() -> list[str]:
    """The errors in the console of all pages of ``open_app``."""
    return []


@pytest.fixture
def open_app(real_hub: RealHub, open_page: OpenPage, errors: list[str]) -> OpenApp:
    """Open an app in a new window, signed in as a user, as soon as it has started."""

    def on_console(message: ConsoleMessage) -> None:
        line = f"{message.text} ({message.location.get('url')})"
        if message.type == "error" and not any(text in line for text in IGNORED):
            errors.append(line)

    def open_app(name: str, user: str = "sam", path: str = "") -> Page:
        if name != "sales" and not is_installed(name):
            pytest.fail(f"make .venv-web-apps/{name}/.stamp", pytrace=False)
        page = open_page(f"{name}/", user)
        deadline = time.monotonic() + TIMEOUT
        while not (response := page.goto(f"{name}/")) or response.status == 503:
            assert time.monotonic() < deadline, page.content()
            page.wait_for_timeout(500)
        page.on("console", on_console)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{name}/{path}")
        return page

    return open_app
