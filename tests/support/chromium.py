"""One Chromium for all tests of a process: a conftest.py imports these fixtures."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tornado_service.testing.playwright import CHROMIUM_COMMANDS

expect.set_options(timeout=30_000)  # a busy machine is slow at times


@pytest.fixture(scope="session")
def chromium_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Chromium that runs until the last test: starting one takes a second."""
    system = next(filter(None, map(shutil.which, CHROMIUM_COMMANDS)), None)
    options = {"args": ["--no-sandbox", "--disable-background-networking"]}
    config = tmp_path_factory.mktemp("chromium") / "config.json"
    config.write_text(json.dumps(options | ({"executablePath": system} if system else {})))
    launch = [sys.executable, "-m", "playwright", "launch-server", "--browser=chromium"]
    with subprocess.Popen(
        [*launch, f"--config={config}"],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # the browser is a process of Playwright's own process
    ) as server:
        yield server.stdout.readline().strip()
        os.killpg(server.pid, signal.SIGTERM)


@pytest.fixture(scope="module")
def connected(chromium_server: str) -> Iterator[Browser]:
    """Connected once for each file, which takes a second: its tests share Playwright's loop."""
    with sync_playwright() as playwright:
        yield (browser := playwright.chromium.connect(chromium_server))
        browser.close()


@pytest.fixture
def chromium(connected: Browser) -> Iterator[Browser]:
    """Overrides the fixture for authors; the test's windows are closed after it."""
    yield connected
    for context in connected.contexts:
        context.close()
