"""What the documentation tells authors of apps to write, in a real hub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.pip import install
from tests.support.writing_an_app import FILES, write
from tornado_service.demo.processes import free_ports
from tornado_service.testing import Fetch, RealHub, StartHub
from tornado_service.testing.http_browser import Browse


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The folder where pip installed the page's package."""
    write(tmp_path / "project")
    site = tmp_path / "site"
    install(tmp_path / "project", site)
    return site


@pytest.fixture
def their_hub(start_hub: StartHub, installed: Path, monkeypatch: pytest.MonkeyPatch) -> RealHub:
    """A hub with the page's configuration; the app is ready."""
    (port,) = free_ports(1)
    config = FILES["jupyterhub_config.py"].replace("8181", str(port))
    monkeypatch.setenv("PYTHONPATH", str(installed))
    hub = start_hub(with_service=False, extra_config=config)
    deadline = time.monotonic() + 40
    while hub._get(f"services/{hub.service_name}/reports/api/reports")[0] != 401:
        assert time.monotonic() < deadline, hub.log
        time.sleep(0.2)
    return hub


async def test_a_page_a_form_an_api_and_a_stream(
    their_hub: RealHub, browse: Browse, client
) -> None:
    hub = their_hub
    page = hub.service_prefix + "reports/"
    program = Fetch(client, f"http://127.0.0.1:{hub.port}", hub.service_prefix)
    ada, sam = browse(hub), browse(hub)
    assert (await ada.sign_in(page, "ada")).code == 200
    assert (await sam.sign_in(page, "sam")).code == 200
    assert ['name="title"' in visitor.page for visitor in (ada, sam)] == [True, False]

    async with sam.listen("reports/api/news") as events:
        assert (await ada.post(page, {"title": "Disk <full>"})).code == 200
        (event,) = await events.read(1)
    assert event.json == "Disk <full>"
    assert "<li>Disk &lt;full&gt;</li>" in ada.page

    assert (await sam.post(page, {"title": "x"})).code == 403
    assert (await ada.get(page, method="POST", body="title=x")).code == 403, "it has no XSRF token"
    report = {"path": "reports/api/reports", "method": "POST", "json": {"title": "by a program"}}
    writer = hub.token_for("ada", ["custom:reports:write"])
    assert (await program(token=hub.token_for("ada", ["self"]), **report)).code == 403
    assert (await program(token=writer, **report)).code == 204
    await sam.open(f"{hub.service_prefix}home")
    assert f'href="{page}">reports</a>' in sam.page
    reports = json.loads((await sam.fetch("reports/api/reports")).body)
    assert reports == [{"title": "Disk <full>"}, {"title": "by a program"}]


@pytest.mark.browser
def test_the_test_in_a_browser_passes(tmp_path: Path) -> None:
    write(tmp_path)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-W", "error"],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_ADDOPTS": "-p no:cacheprovider"},
        capture_output=True,
        text=True,
        timeout=180,
    )

    assert "3 passed" in done.stdout, done.stdout + done.stderr
