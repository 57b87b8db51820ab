"""The code of the documentation for authors works, with a stand-in hub."""

import json
import os
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

import tornado_service
from tests.support.pip import install
from tests.support.writing_an_app import COMMANDS, FILES, REPORTS, ROOT, TEXT, VALUES, write
from tornado_service.app import TornadoService
from tornado_service.demo.apps import DemoApps
from tornado_service.demo.command import DemoApp
from tornado_service.testing import (
    PREFIX,
    Fetch,
    NewVisitor,
    ServiceConfig,
    StandInHub,
    StartService,
    Visitor,
)

INSTALL = "pip install 'tornado-service[demo,test]'"
DEMOS = [
    "tornado-service demo --app=hello:HelloApp",
    "tornado-service demo --app=reports:Reports",
]
TEST_FIRST = "pytest --asyncio-mode=auto"
HELP = "python3 -m tornado_service --config=tornado_service_config.py --help-all"
TEST_PACKAGE = "pytest"
WRITE_VALUES = (
    "tornado-service values --app=reports --image=quay.io/me/hub:4.4.0-1 > tornado-service.yaml"
)
CHECK_VALUES = "tornado-service values check -f tornado-service.yaml -f config.yaml"

#: Runs a command of the pages.
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The files of the pages, which can be imported."""
    write(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("hello", "reports", "signup", "seats", "wishes", "people", "chat"):
        sys.modules.pop(name, None)
    tornado_service.handlers.static.static_files.cache_clear()


@pytest.fixture
def service_config(folder: Path) -> ServiceConfig:
    names = ["hello:HelloApp", "reports:Reports", "seats:Seats", "wishes:Wishes", "people:People"]
    names += ["signup:SignupApp"]
    return {
        "TornadoService": {"apps": [*names, "chat:Chat"]},
        "Seats": {"seats": 40},
        "Wishes": {"database_url": f"sqlite:///{folder}/wishes.sqlite"},
    }


@pytest.fixture
def run(folder: Path) -> Run:
    def run(command: str, site: Path | str = "") -> subprocess.CompletedProcess[str]:
        assert command in COMMANDS, f"no page says: {command}"
        program, *arguments = shlex.split(command.partition(" > ")[0])
        module = [] if program == "python3" else ["-m", program.replace("-", "_")]
        return subprocess.run(
            [sys.executable, *module, *arguments],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": str(site),
                "PYTEST_ADDOPTS": "-p no:cacheprovider -p no:schemathesis",
            },
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def test_every_block_of_code_is_tried() -> None:
    assert TEXT.count("```") == 2 * (len(FILES) + TEXT.count("```console\n") + 1)
    assert list(FILES) == [
        "hello.py",
        *REPORTS,
        "signup/__init__.py",
        "signup/templates/signup.html",
        "seats.py",
        "tornado_service_config.py",
        "wishes.py",
        "people.py",
        "chat.py",
        "test_seats.py",
        "test_in_a_browser.py",
        "pyproject.toml",
        "jupyterhub_config.py",
    ]
    assert [
        "python3 -m venv .venv && . .venv/bin/activate",
        INSTALL,
        *DEMOS,
        TEST_FIRST,
        HELP,
        "pip install .",
        TEST_PACKAGE,
        WRITE_VALUES,
        CHECK_VALUES,
    ] == COMMANDS


def test_the_app_with_all_of_it_has_fewer_than_sixty_lines() -> None:
    lines = [line for name in REPORTS for line in FILES[name].splitlines() if line.strip()]

    assert len(lines) < 60
    assert max(map(len, lines)) <= 110, "lines are not made longer to have fewer of them"


def test_what_is_installed_can_be() -> None:
    project = (ROOT / "pyproject.toml").read_text()

    for extra in INSTALL.partition("[")[2].partition("]")[0].split(","):
        assert f"\n{extra} = [" in project


@pytest.mark.parametrize("command", DEMOS)
def test_the_demonstrations_know_the_apps(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    demo = DemoApp()
    demo.parse_command_line(shlex.split(command)[2:])
    monkeypatch.chdir(folder)

    apps = DemoApps(demo.apps)

    assert apps.problems == []
    assert len(apps.classes) == 1


def test_its_own_test_passes(run: Run, folder: Path) -> None:
    (folder / "test_in_a_browser.py").unlink()

    assert "2 passed" in run(TEST_FIRST).stdout


@pytest.mark.parametrize("line", ["self.news.send(", "self.reports.append(", "@needs_scopes("])
def test_its_own_test_fails_when_something_is_missing(run: Run, folder: Path, line: str) -> None:
    (folder / "test_in_a_browser.py").unlink()
    code = FILES["reports/__init__.py"].splitlines(keepends=True)
    (folder / "reports/__init__.py").write_text("".join(x for x in code if line not in x))
    impatient = "import tornado_service.testing as t\nt.EventReader.patience = 2\n"
    (folder / "conftest.py").write_text(FILES["conftest.py"] + impatient)

    assert "1 failed" in run(TEST_FIRST).stdout


async def test_the_form_shows_what_is_wrong_and_the_home_page_a_headline(visitor: Visitor) -> None:
    await visitor.open("signup/")

    invalid = await visitor.post("signup/", {"name": "ada", "seats": "9"})
    assert invalid.code == 400
    assert "less than or equal to 5" in visitor.page
    await visitor.post("signup/", {"name": "ada", "seats": "3"})
    again = await visitor.post("signup/", {"name": "ada", "seats": ""})

    assert (again.code, "This name is taken." in visitor.page) == (400, True)
    await visitor.open("home")
    assert "Reserve seats for the excursion." in visitor.page
    assert "3 seats reserved" in visitor.page


async def test_hello(hub: StandInHub, fetch: Fetch) -> None:
    assert (await fetch("hello/")).code == 401
    assert (await fetch("hello/", token=hub.token_for("sam"))).body == b'{"hello":"sam"}'


async def test_what_is_sent_to_the_reports_is_checked(hub: StandInHub, fetch: Fetch) -> None:
    writer, path = hub.token_for("ines", ("custom:reports:write",)), "reports/api/reports"

    for wrong in ({}, {"title": 5}, {"title": None}, []):
        assert (await fetch(path, token=writer, method="POST", json=wrong)).code == 400
    assert (await fetch(path, token=writer, method="POST", json={"title": "<b>"})).code == 204
    assert json.loads((await fetch(path, token=hub.token_for("sam"))).body) == [{"title": "<b>"}]


async def test_a_reader_of_the_reports_sees_no_form_and_no_markup(
    hub: StandInHub, new_visitor: NewVisitor
) -> None:
    hub.grant("ines", "custom:reports:write")
    await new_visitor("ines").post("reports/", {"title": "<b>"})
    sam = new_visitor("sam")

    await sam.open("reports/")

    assert "<li>&lt;b&gt;</li>" in sam.page
    assert 'name="title"' not in sam.page
    assert (await sam.post("reports/", {"title": "x"})).code == 403


async def test_another_page_cannot_report_in_a_writers_name(
    hub: StandInHub, visitor: Visitor
) -> None:
    hub.grant("ada", "custom:reports:write")
    await visitor.open("reports/")

    assert 'name="title"' in visitor.page
    assert (await visitor.get("reports/", method="POST", body="title=x")).code == 403


async def test_seats(hub: StandInHub, fetch: Fetch, service: TornadoService) -> None:
    hub.directory.add_user("sam")
    hub.directory.add_server("sam")
    seats = next(mount.app for mount in service.app_manager if mount.name == "seats")
    await seats.count()

    seen = json.loads((await fetch("seats/api/running", token=hub.token_for("sam"))).body)
    assert seen == {"running": 1, "seats": 40}


async def test_people(hub: StandInHub, fetch: Fetch) -> None:
    hub.directory.add_user("sam", groups=["class-a"])
    hub.directory.add_user("kim", groups=["class-b"])
    sam, ines = hub.token_for("sam"), hub.token_for("ines", ("list:users!group=class-a",))

    all_users = json.loads((await fetch("people/api/all", token=sam)).body)
    assert all_users == len(hub.directory.users)
    assert (await fetch("people/api/mine", token=ines)).body == b'["sam"]'
    refused = await fetch("people/api/mine", token=sam)
    assert refused.code == 403
    assert b"list:users" in refused.body


async def test_wishes_are_kept(
    client: AsyncHTTPClient,
    hub: StandInHub,
    fetch: Fetch,
    service_config: ServiceConfig,
    start_service: StartService,
    folder: Path,
) -> None:
    sam, path = hub.token_for("sam"), "wishes/api/wishes"
    for text in ("more", "less"):
        posted = await fetch(path, token=sam, method="POST", json={"text": text})
        assert posted.code == 204
    assert (await fetch(path, token=sam)).body == b'["more","less"]'

    again = await start_service(**service_config)

    fetch_again = Fetch(client, f"http://127.0.0.1:{again.port}", PREFIX)
    assert (await fetch_again(path, token=sam)).body == b'["more","less"]'
    with closing(sqlite3.connect(folder / "wishes.sqlite")) as connection:
        assert connection.execute("SELECT author, text FROM wishes").fetchone() == ("sam", "more")


async def test_chat(hub: StandInHub, service: TornadoService) -> None:
    url = f"ws://127.0.0.1:{service.port}{PREFIX}chat/api/talk"

    async def join(name: str) -> WebSocketClientConnection:
        headers = {"Authorization": f"token {hub.token_for(name)}"}
        return await websocket_connect(HTTPRequest(url, headers=headers))

    async def heard(connection: WebSocketClientConnection) -> dict[str, str]:
        message: dict[str, str] = json.loads(await connection.read_message() or "{}")
        return message

    sam, kim = await join("sam"), await join("kim")
    await sam.write_message("hello")
    assert await heard(sam) == await heard(kim) == {"from": "sam", "text": "hello"}
    sam.close()
    assert await sam.read_message() is None
    await kim.write_message("anybody?")
    assert await heard(kim) == {"from": "kim", "text": "anybody?"}
    kim.close()


def test_the_settings_are_shown(run: Run) -> None:
    shown = run(HELP)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "How many servers this hub has room for." in shown.stdout


def test_the_package_is_installed_tested_and_in_the_values(
    run: Run, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site = tmp_path_factory.mktemp("site")
    install(folder, site)
    (folder / "reports").rename(folder / "elsewhere")
    (folder / "test_in_a_browser.py").unlink()

    assert "2 passed" in run(TEST_PACKAGE, site).stdout

    written = run(WRITE_VALUES, site)
    assert (written.returncode, written.stderr) == (0, "")
    (folder / "tornado-service.yaml").write_text(written.stdout)
    (folder / "config.yaml").write_text(VALUES)
    checked = run(CHECK_VALUES, site)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    hub = yaml.safe_load(written.stdout)["hub"]
    (scope,) = hub["services"]["tornado-service"]["oauth_client_allowed_scopes"]
    assert scope in hub["config"]["JupyterHub"]["custom_scopes"]
    assert yaml.safe_load(VALUES)["hub"]["loadRoles"]["reporter"]["scopes"] == [scope]
