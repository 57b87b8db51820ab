"""Authors try an app in the demonstration, change it, and see the change."""

import asyncio
import os
import re
import secrets
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from tests.support.demonstration import Demonstration
from tornado_service.demo.apps import DemoApps
from tornado_service.demo.processes import processes_in
from tornado_service.testing import Visitor

APP = """
from tornado_service import APIHandler, PageHandler, ServiceApp, needs_scopes


class Home(PageHandler):
    def get(self):
        self.write_page("home.html", title="first")


class Notes(APIHandler):
    @needs_scopes("custom:notes:write")
    def get(self):
        self.write_json({"written": True})


class Notebook(ServiceApp):
    name = "notebook"
    service_scopes = {"list:users"}
    user_scopes = {"custom:notes:write", "list:users!group=class-a"}

    def handlers(self):
        return [("", Home), ("api/notes", Notes)]
"""

TEMPLATE = "<p>{{ title }}</p>"

PREFIX = "/services/tornado-service/"
PAGE = f"{PREFIX}notebook/"


class Author:
    """An app's author with a running demonstration."""

    def __init__(self, tmp_path: Path, client: AsyncHTTPClient) -> None:
        self.demonstration = Demonstration(tmp_path, "--app=my_notes:Notebook")
        self.client = client
        self.code = self.demonstration.here / "my_notes.py"
        self.template = self.demonstration.here / "templates" / "home.html"
        self.template.parent.mkdir()
        self.template.write_text(TEMPLATE)

    @property
    def terminal(self) -> str:
        return self.demonstration.errors.read_text()

    def browser(self) -> Visitor:
        address = f"127.0.0.1:{self.demonstration.port}"
        return Visitor(self.client, f"http://{address}", host=address)

    def change(self, before: str, after: str) -> None:
        text = self.code.read_text()
        assert before in text
        self.code.write_text(text.replace(before, after))

    async def until(self, seen: Callable[[], Any]) -> None:
        """Wait for a condition; on a timeout, show the terminal."""
        deadline = time.monotonic() + 30
        while not seen():
            assert time.monotonic() < deadline, self.terminal
            await asyncio.sleep(0.1)

    async def open_until(
        self, visitor: Visitor, seen: Callable[[HTTPResponse], bool]
    ) -> HTTPResponse:
        """Open the page repeatedly in the same session, without a redirect to sign in."""
        deadline = time.monotonic() + 30
        while not seen(response := await visitor.get(PAGE)):
            assert response.code in (200, 503)
            assert time.monotonic() < deadline, self.terminal
            await asyncio.sleep(0.1)
        return response

    def services(self) -> list[int]:
        """The service's process."""
        found = processes_in(self.demonstration.temporary)
        commands = {pid: Path(f"/proc/{pid}/cmdline") for pid in found}
        return [pid for pid, file in commands.items() if b"demo.autoreload" in file.read_bytes()]


@pytest.fixture
def author(tmp_path: Path, client: AsyncHTTPClient) -> Author:
    return Author(tmp_path, client)


@pytest.mark.hub
async def test_an_app_is_reloaded_when_a_file_of_it_changes(author: Author) -> None:
    author.code.write_text(APP)
    ines = author.browser()
    with author.demonstration.running() as process:
        welcome = author.demonstration.welcome(process)
        assert f"http://127.0.0.1:{author.demonstration.port}{PAGE}\n" in welcome
        assert "custom:notes:write: granted to ada and ines." in welcome
        await ines.sign_in(PREFIX, "ines")
        await author.open_until(ines, lambda response: b"<p>first</p>" in response.body)
        pids = author.services()
        assert len(pids) == 1

        author.change("first", "second")
        await author.open_until(ines, lambda response: b"<p>second</p>" in response.body)

        author.template.write_text(TEMPLATE.replace("p>", "b>"))
        await author.open_until(ines, lambda response: b"<b>second</b>" in response.body)

        author.change("class Notebook", "class Notebook(:")
        await author.open_until(
            ines, lambda response: response.code == 503 and b"unavailable" in response.body
        )
        assert "App my_notes:Notebook failed: SyntaxError: " in author.terminal

        author.change("class Notebook(:", "class Notebook")
        await author.open_until(ines, lambda response: b"<b>second</b>" in response.body)

        assert author.services() == pids
        os.kill(min(processes_in(author.demonstration.temporary)), signal.SIGKILL)
        assert process.wait() == 1
    assert author.services() == []


@pytest.mark.hub
async def test_scopes_that_an_app_declares_are_granted(author: Author) -> None:
    author.code.write_text(APP)
    ines, sam = author.browser(), author.browser()
    with author.demonstration.running() as process:
        author.demonstration.welcome(process)
        await ines.sign_in(PREFIX, "ines")
        await sam.sign_in(PREFIX, "sam")
        await author.until(lambda: "App notebook is ready" in author.terminal)

        assert (await ines.get(f"{PAGE}api/notes")).code == 200
        assert (await sam.get(f"{PAGE}api/notes")).code == 403
        assert "declares scopes" not in author.terminal

        author.change('{"list:users"}', '{"list:users", "list:groups"}')
        await author.until(lambda: "declares scopes" in author.terminal)

    (line,) = re.findall(".*declares scopes.*", author.terminal)
    assert "Notebook declares scopes that this hub does not define: list:groups." in line
    assert "start it again" in line


@pytest.mark.hub
async def test_a_broken_app_is_reported_at_once_and_loaded_when_fixed(
    author: Author,
) -> None:
    sam = author.browser()
    with author.demonstration.running() as process:
        await author.until(lambda: "\n" in author.terminal)
        line = author.terminal.splitlines()[0]
        assert line.startswith("--app=my_notes:Notebook: No module named 'my_notes'")
        author.demonstration.welcome(process)
        await sam.sign_in(PREFIX, "sam")
        await author.open_until(sam, lambda response: b"unavailable" in response.body)

        author.code.write_text(APP)

        await author.open_until(sam, lambda response: b"<p>first</p>" in response.body)


@pytest.fixture
def try_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], DemoApps]:
    """The result of an app with this code and the name ``A``."""
    module = f"app_{secrets.token_hex(4)}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def try_app(code: str) -> DemoApps:
        Path(f"{module}.py").write_text(code)
        return DemoApps([f"{module}:A"])

    return try_app


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("", "app_[0-9a-f]*:A: app_[0-9a-f]* has no A."),
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'"),
        ("\n1 / 0", r"app_[0-9a-f]*\.py:2: ZeroDivisionError: division by zero"),
        ("def (", r"app_[0-9a-f]*\.py:1: invalid syntax"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("A = 1", "is no subclass of tornado_service.ServiceApp"),
    ],
)
def test_an_error_of_an_app_is_one_line(try_app, code: str, problem: str) -> None:
    apps = try_app(code)

    (line,) = apps.problems
    assert line.startswith("--app=app_")
    assert re.search(problem, line)
    assert "\n" not in line
    assert apps.classes == []
    assert apps.app_urls("http://x/") == ["http://x/"]


def test_only_running_apps_have_a_url(try_app) -> None:
    apps = try_app("from tornado_service import ServiceApp\nclass A(ServiceApp):\n    name = 'a'\n")

    assert apps.app_urls("http://x/") == ["http://x/a/"]
    assert apps.app_urls("http://x/", ["a"]) == ["http://x/"]


def test_scopes_at_which_a_hub_would_not_start_are_reported_and_not_granted(try_app) -> None:
    apps = try_app(
        "from tornado_service import ServiceApp\n"
        "class A(ServiceApp):\n"
        "    name = 'a'\n"
        "    service_scopes = {'list:userz', 'list:users!group=a'}\n"
        "    user_scopes = {'custom:A!', 'custom:notes:read!group=a', 'write'}\n"
    )

    assert apps.service_scopes == ["list:users!group=a"]
    assert apps.user_scopes == ["custom:notes:read!group=a"]
    assert "{'custom:notes:read': {" in apps.hub_options()["extra_config"]
    assert sorted(line.partition(":")[0] for line in apps.problems) == [
        "A.service_scopes",
        "A.user_scopes",
        "A.user_scopes",
    ]
    assert "A.service_scopes: list:userz: JupyterHub has no such scope" in apps.problems[0]
