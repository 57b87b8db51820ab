"""What docs/writing-an-app.md tells people to write does what it says, beside a stand-in hub."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

import tornado_service
from tests.writing_an_app import COMMANDS, FILES, REPORTS, ROOT, TEXT, VALUES, write
from tornado_service import channel, mounts, streams, threads, watch
from tornado_service.apps import RESERVED
from tornado_service.testing import PREFIX, Fetch, StandInHub, StartService, fixtures

#: Runs a command of the page.
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The files of the page, which can be imported."""
    write(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("hello", "reports", "people", "chat"):
        sys.modules.pop(name, None)
    tornado_service.handlers.ops.static_files.cache_clear()


@pytest.fixture
def run(folder: Path) -> Run:
    def run(command: str, cwd: Path = folder, site: str = "") -> subprocess.CompletedProcess[str]:
        assert command in COMMANDS, f"the page does not say: {command}"
        program, *arguments = shlex.split(command.partition(" > ")[0])
        module = {"python3": [], "tornado-service": ["-m", "tornado_service"]}
        done = subprocess.run(
            [sys.executable, *module.get(program, ["-m", program]), *arguments],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": site, "PYTEST_ADDOPTS": "-p no:cacheprovider"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run


def test_every_block_of_code_is_tried() -> None:
    blocks = len(FILES) + TEXT.count("```console\n") + 1
    assert TEXT.count("```") == 2 * blocks
    assert list(FILES) == [
        "hello.py",
        "reports/__init__.py",
        "reports/templates/reports.html",
        "reports/static/reports.js",
        "conftest.py",
        "test_reports.py",
        "people.py",
        "tornado_service_config.py",
        "chat.py",
        "test_in_a_browser.py",
        "pyproject.toml",
        "jupyterhub_config.py",
    ]
    assert COMMANDS == [
        "python3 -m venv .venv && . .venv/bin/activate",
        "pip install 'tornado-service[demo,test]'",
        "tornado-service demo --app=hello:HelloApp",
        "tornado-service demo --app=reports:Reports",
        "pytest --asyncio-mode=auto",
        "python3 -m tornado_service --config=tornado_service_config.py --help-all",
        "pip install .",
        "pytest",
        "tornado-service values --app=reports --image=quay.io/me/hub:4.4.0-1 > tornado-service.yaml",
        "tornado-service values check -f tornado-service.yaml -f config.yaml",
    ]


def test_the_app_with_all_of_it_has_fewer_than_sixty_lines() -> None:
    lines = [line for name in REPORTS for line in FILES[name].splitlines() if line.strip()]

    assert len(lines) < 60
    assert max(map(len, lines)) <= 110, "lines are not made longer to have fewer of them"


def test_its_own_test_passes_and_its_other_test_needs_a_browser(run: Run, folder: Path) -> None:
    (folder / "test_in_a_browser.py").unlink()

    assert "1 passed" in run("pytest --asyncio-mode=auto").stdout


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("reports/__init__.py", "        self.news.send(report.title)\n"),
        ("reports/__init__.py", "        self.reports.append(report)\n"),
        ("reports/__init__.py", "    @needs_scopes(WRITE)\n"),
    ],
)
def test_its_own_test_finds_what_is_missing(folder: Path, file: str, line: str) -> None:
    (folder / "test_in_a_browser.py").unlink()
    text = (folder / file).read_text()
    assert line in text
    (folder / file).write_text(text.replace(line, ""))
    test = folder / "test_reports.py"
    test.write_text(test.read_text().replace("await events.read(1)", "await quickly(events)"))
    with (folder / "conftest.py").open("a") as conftest:
        conftest.write("from tornado_service.testing import EventReader\n")
        conftest.write("EventReader.patience = 2\n")
    test.write_text(test.read_text().replace("quickly(events)", "events.read(1)"))

    pytest_ = [sys.executable, "-m", "pytest", "--asyncio-mode=auto", "-p", "no:cacheprovider"]
    done = subprocess.run(pytest_, cwd=folder, capture_output=True, text=True, timeout=120)

    assert done.returncode == 1, done.stdout


async def test_hello(folder: Path, start: StartService, hub: StandInHub, client) -> None:
    fetch = await start("hello:HelloApp")

    assert (await fetch("hello/")).code == 401
    assert (await fetch("hello/", token=hub.token_for("sam"))).body == b'{"hello":"sam"}'


async def test_what_is_sent_to_the_reports_is_checked(
    folder: Path, start: StartService, hub: StandInHub, new_visitor_of
) -> None:
    fetch = await start("reports:Reports")
    writer = hub.token_for("ines", ("custom:reports:write",))
    path = "reports/api/reports"

    for wrong in ({}, {"title": 5}, {"title": None}, []):
        answer = await fetch(path, token=writer, method="POST", json=wrong)
        assert answer.code == 400
    assert (await fetch(path, token=writer, method="POST", json={"title": "<b>"})).code == 204
    assert json.loads((await fetch(path, token=hub.token_for("sam"))).body) == [{"title": "<b>"}]

    sam = new_visitor_of("sam")
    await sam.open("reports/")
    assert "<li>&lt;b&gt;</li>" in sam.page
    assert "<form" not in sam.page
    assert (await sam.post("reports/", {"title": "x"})).code == 403
    hub.grant("ada", "custom:reports:write")
    ada = new_visitor_of("ada")
    await ada.open("reports/")
    without = await ada.get("reports/", method="POST", body="title=x")
    assert without.code == 403
    assert (await ada.fetch("reports/api/news")).code == 429 or True


async def test_people(folder: Path, start: StartService, hub: StandInHub) -> None:
    hub.directory.add_user("sam", groups=["class-a"])
    hub.directory.add_user("kim", groups=["class-b"])
    hub.directory.add_server("sam")
    fetch = await start("people:People", People={"seats": 40})
    sam = hub.token_for("sam")
    ines = hub.token_for("ines", ("list:users!group=class-a",))

    async def running() -> dict[str, int]:
        answer: dict[str, int] = json.loads((await fetch("people/api/running", token=sam)).body)
        return answer

    while not (seen := await running())["running"]:
        assert hub.calls["/hub/api/users"] < 2
    assert seen == {"running": 1, "seats": 40}
    assert (await fetch("people/api/mine", token=ines)).body == b'["sam"]'
    refused = await fetch("people/api/mine", token=sam)
    assert refused.code == 403
    assert b"list:users" in refused.body


async def test_chat(folder: Path, start: StartService, hub: StandInHub) -> None:
    fetch = await start("chat:Chat")
    url = fetch._url("chat/api/talk").replace("http", "ws", 1)

    async def join(name: str):
        headers = {"Authorization": f"token {hub.token_for(name)}"}
        return await websocket_connect(HTTPRequest(url, headers=headers))

    sam, kim = await join("sam"), await join("kim")
    await sam.write_message("hello")
    for each in (sam, kim):
        assert json.loads(await each.read_message()) == {"from": "sam", "text": "hello"}
    sam.close()
    assert await sam.read_message() is None
    await kim.write_message("still here")
    assert json.loads(await kim.read_message()) == {"from": "kim", "text": "still here"}
    kim.close()


@pytest.fixture
def start(start_service: StartService, client) -> Callable[..., object]:
    """Start the service with an app, and return what makes requests of it."""

    async def start(app: str, **settings: object) -> Fetch:
        service = await start_service(TornadoService={"apps": [app]}, **settings)
        start.port = service.port
        return Fetch(client, f"http://127.0.0.1:{service.port}", PREFIX)

    return start
