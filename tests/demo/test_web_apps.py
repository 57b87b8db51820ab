"""Web apps in the demonstration: commands on its command line."""

import asyncio
import json
import re
import sys
import time
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support import ROOT
from tests.support.demonstration import Demonstration
from tests.support.values import stop
from tornado_service.demo import web_apps
from tornado_service.demo.command import DemoApp
from tornado_service.demo.web_apps import LISTEN_OPTIONS, WebAppError, config_text, parse_web_apps
from tornado_service.testing import Visitor

PYTHON = sys.executable
PREFIX = "/services/tornado-service/"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of programs that exist, in the PATH."""
    for name in ("streamlit", "static", "my_Tool.sh", "env", "uvicorn", "...", "other"):
        file = tmp_path / name
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("streamlit run app.py --server.port={port}", "streamlit"),
        ("sales=streamlit run app.py --server.port={port}", "sales"),
        ("  2-b=streamlit {port}", "2-b"),
        ("./streamlit {port}", "streamlit"),
        ("static {port}", "static-app"),
        ("my_Tool.sh {port}", "my-tool"),
        ("... {port}", "app"),
        ("env A={port} B=1 streamlit", "streamlit"),
        ("env A={port}", "env"),
        ("streamlit run 'a b.py' --name=x --server.port={port}", "streamlit"),
        (f"{PYTHON} -m http.server {{port}}", "http-server"),
        (f"{PYTHON} 'my app.py' --port={{port}}", "my-app"),
        (f"{PYTHON} -c '' {{port}}", "python"),
    ],
)
def test_name_of_a_command(programs: Path, text: str, name: str) -> None:
    (app,) = parse_web_apps([text])

    assert app.name == name.replace("python", Path(PYTHON).stem.replace(".", "-"))


def test_entry_of_a_command(programs: Path) -> None:
    apps = parse_web_apps(["streamlit run 'my app.py' --port={port}", "streamlit -p {unix_socket}"])

    assert json.loads(config_text(apps)) == {
        "TornadoService": {
            "web_apps": {
                "streamlit": {
                    "command": [f"{programs}/streamlit", "run", "my app.py", "--port={port}"],
                    "working_directory": str(programs),
                    "strip_prefix": True,
                },
                "streamlit-2": {
                    "command": [f"{programs}/streamlit", "-p", "{unix_socket}"],
                    "working_directory": str(programs),
                    "strip_prefix": True,
                },
            }
        }
    }


@pytest.mark.parametrize(
    ("options", "is_stripped"),
    [
        ("{port}", True),
        ("{port} --baseUrlPath={prefix}", False),
        ("--uds={unix_socket} --root-path={prefix}", True),
    ],
)
def test_an_app_that_is_told_its_prefix_gets_it(
    programs: Path, options: str, is_stripped: bool
) -> None:
    (app,) = parse_web_apps([f"other {options}"])

    assert app.entry["strip_prefix"] is is_stripped


def test_a_root_path_may_need_the_prefix(programs: Path) -> None:
    """Hypercorn finds static files of Starlette only with it."""
    command = f"{PYTHON} -m hypercorn app:app --bind=unix:{{unix_socket}} --root-path={{prefix}}"

    (app,) = parse_web_apps([command])

    assert app.entry["strip_prefix"] is False


def test_a_program_next_to_this_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the command need not be activated."""
    monkeypatch.setenv("PATH", str(tmp_path))

    (app,) = parse_web_apps([f"{Path(PYTHON).name} -m http.server {{port}}"])

    assert app.entry["command"][0] == PYTHON


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["nosuch --port={port}"], "there is no command nosuch. Install it, or write its path"),
        (["./nosuch --port={port}"], "there is no command ./nosuch."),
        ([""], "has no command"),
        (["a="], "has no command"),
        (["other '{port}"], "No closing quotation"),
        (["streamlit run app.py"], "Add --server.port={port} --server.address=127.0.0.1"),
        (["uvicorn app:app"], "Add --uds={unix_socket} --root-path={prefix}"),
        (["other --port=8000"], "the app is not told where to listen. Add --port={port}"),
        (["other {port} {prot}"], "{prot}"),
        (["My_App=other {port}"], "'My_App' cannot be the name of an app"),
        (["static=other {port}"], "'static' cannot be the name of an app"),
        (["a=other {port}", "a=other {port}"], "another app has the name a"),
    ],
)
def test_a_command_that_cannot_be_a_web_app(programs: Path, texts: list[str], message: str) -> None:
    with pytest.raises(WebAppError) as error:
        parse_web_apps(texts)

    assert message in str(error.value)
    assert str(error.value).startswith(f"--web-app={texts[-1]}")
    assert "\n" not in str(error.value)


def test_without_the_library_one_line_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_apps, "find_spec", lambda name: None)

    with pytest.raises(WebAppError, match=r"pip install 'tornado-service\[web-apps\]'"):
        parse_web_apps(["any"])


def test_the_command_ends_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert stop(DemoApp, ["--web-app=nosuch {port}"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tornado-service demo: --web-app=nosuch {port}: there is no command")


@pytest.mark.hub
async def test_a_web_app_runs_in_the_demonstration(tmp_path: Path, client: AsyncHTTPClient) -> None:
    folder = f"--web-app=folder={PYTHON} -m http.server --bind 127.0.0.1 {{port}}"
    demonstration = Demonstration(tmp_path, folder, f"--web-app={PYTHON} app.py {{port}}")
    (demonstration.here / "figures.txt").write_text("of this folder")
    address = f"127.0.0.1:{demonstration.port}"
    sam = Visitor(client, f"http://{address}", host=address)
    guest = Visitor(client, f"http://{address}", host=address)
    with demonstration.running() as process:
        welcome = demonstration.welcome(process)
        assert f"Open http://{address}{PREFIX}folder/ or http://{address}{PREFIX}app/" in welcome
        assert f"http://{address}{PREFIX}home" in welcome

        await sam.sign_in(f"{PREFIX}home", "sam")
        assert all(f'href="{PREFIX}{name}/"' in sam.page for name in ("folder", "app"))
        assert (await guest.sign_in(f"{PREFIX}home", "guest")).code == 403

        deadline = time.monotonic() + 30
        while (response := await sam.get(f"{PREFIX}folder/figures.txt")).code == 503:
            assert time.monotonic() < deadline, demonstration.errors.read_text()
            await asyncio.sleep(0.1)
        assert (response.code, response.body) == (200, b"of this folder")


@pytest.mark.parametrize("page", ["README.md", "docs/tutorials/try-it.md"])
def test_the_documented_command_is_right(programs: Path, page: str) -> None:
    (text,) = re.findall(r'--web-app="([^"]+)"', (ROOT / page).read_text())

    (app,) = parse_web_apps([text])

    assert app.name == "streamlit"
    assert " ".join(app.entry["command"]).endswith(LISTEN_OPTIONS["streamlit"])
    assert not app.entry["strip_prefix"]
