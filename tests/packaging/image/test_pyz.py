"""The single file needs only the chart's own image of the hub."""

import ast
import asyncio
import bz2
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.packaging.image.service import Service, running
from tests.support import ROOT
from tests.support.activity import course
from tests.support.launched import ENVIRONMENT, only_line
from tornado_service.activity import Activity
from tornado_service.app import TornadoService
from tornado_service.demo.hub import ThrowAwayHub
from tornado_service.testing import Fetch, StandInHub, StartService, Visitor
from tornado_service.values.check.delivery import LARGEST_FILE

Pack = Callable[[Path], None]

ACTIVITY = "--TornadoService.apps=activity"
STARTED = "2026-01-05T08:00:00+00:00"

#: Commands that are not run in a pod.
LEFT_OUT = ("values", "demo")

EVERY_MODULE = """
import pkgutil, runpy, sys
sys.path.insert(0, runpy.run_path(sys.argv[1])["unpack"](sys.argv[2]))
import tornado_service
for module in pkgutil.walk_packages(tornado_service.__path__, "tornado_service."):
    # the first would start, the second is for an app's own tests
    if module.name.rpartition(".")[2] not in ("__main__", "testing"):
        __import__(module.name)
        print(module.name)
"""


def test_it_fits_into_a_release_of_helm(pyz: Path) -> None:
    assert pyz.stat().st_size < LARGEST_FILE


def test_it_leaves_out_what_is_large_and_what_tests_need(pyz: Path) -> None:
    with ZipFile(pyz) as packed:
        index = bz2.decompress(packed.read("code.bz2")).partition(b"\n")[0]
    names = [name for name, _ in json.loads(index)]

    left_out = re.compile(
        r"swagger|static/(d3|plot|charts?)[._/]|/(testing|values|proxy)/|demo|synthetic"
        r"|shared_|replicas/(stores|session)"
    )
    assert not [name for name in names if left_out.search(name)]
    assert "tornado_service/static/docs.js" in names
    assert "tornado_service/activity/static/live.js" in names
    for name in ("report.html", "report.css"):
        assert f"tornado_service/activity/templates/{name}" in names


def test_the_same_wheel_gives_the_same_bytes(pyz: Path, pack: Pack, tmp_path: Path) -> None:
    pack(tmp_path / "again.pyz")

    assert (tmp_path / "again.pyz").read_bytes() == pyz.read_bytes()


def test_every_module_needs_only_the_hubs_packages(hub_python: str, pyz: Path) -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        command = [hub_python, "-W", "error", "-c", *args]
        return subprocess.run(command, cwd=pyz.parent, capture_output=True, text=True)

    without = run("import tornado_service")
    done = run(EVERY_MODULE, str(ROOT / "image/start.py"), str(pyz))

    assert "No module named 'tornado_service'" in without.stderr
    assert done.returncode == 0, done.stderr
    assert "tornado_service.web.home" in done.stdout.splitlines()


def test_it_is_unpacked_into_memory(pyz: Path) -> None:
    unpack = runpy.run_path(str(ROOT / "image/start.py"))["unpack"]

    path = unpack(str(pyz))

    assert os.readlink(path).startswith("/memfd:")
    os.close(int(Path(path).name))


def test_where_memory_cannot_be_a_file_it_is_unpacked_for_as_long_as_it_runs(
    pyz: Path, tmp_path: Path
) -> None:
    code = "import os, runpy, sys; del os.memfd_create; sys.argv[1:] = ['--version']; "
    code += f"sys.path.insert(0, {str(pyz)!r}); runpy.run_path({str(pyz)!r}, run_name='__main__')"
    command = [sys.executable, "-W", "error", "-c", code]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}

    done = subprocess.run(command, env=environment, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "args",
    ["--version", *(f"{n} --help" for n in TornadoService.subcommands if n not in LEFT_OUT)],
)
def test_commands_run_from_it(
    hub_python: str, pyz: Path, as_jovyan: dict[str, Any], args: str
) -> None:
    command = [hub_python, str(pyz), *shlex.split(args)]
    done = subprocess.run(
        command, cwd=pyz.parent, env={}, capture_output=True, text=True, **as_jovyan
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_command_that_is_left_out_names_where_it_runs(
    hub_python: str, pyz: Path, as_jovyan: dict[str, Any], name: str
) -> None:
    command = [hub_python, str(pyz), name, "--help"]
    done = subprocess.run(
        command, cwd=pyz.parent, env={}, capture_output=True, text=True, **as_jovyan
    )

    assert done.returncode == 2
    assert "run it where the package is installed" in done.stderr
    assert done.stderr.count("\n") == 1


def test_it_serves_pages_and_static_files(
    hub_python: str, pyz: Path, as_jovyan: dict[str, Any]
) -> None:
    with running([hub_python, str(pyz)], cwd=pyz.parent, **as_jovyan) as service:
        service.shows_pages()


async def test_its_home_page_requires_a_sign_in(
    hub: StandInHub, hub_python: str, pyz: Path, as_jovyan: dict[str, Any]
) -> None:
    command = [hub_python, str(pyz)]
    with running(command, hub.api_url, cwd=pyz.parent, **as_jovyan) as service:
        status, headers, _ = await asyncio.to_thread(service.get, service.prefix)

    assert status == 302
    assert "/hub/api/oauth2/authorize" in headers["Location"]


@pytest.fixture
def writable(read_only_directory: Path, as_jovyan: dict[str, Any]) -> Iterator[Path]:
    """The hub's working directory, with its own database."""
    with tempfile.TemporaryDirectory(dir=read_only_directory) as directory:
        if as_jovyan:
            os.chown(directory, 1000, 1000)
        yield Path(directory)


@dataclass(frozen=True)
class Installed:
    """The file, as the hub's user runs it in the hub's working directory."""

    command: list[str]
    options: dict[str, Any]


@pytest.fixture
def installed(hub_python: str, pyz: Path, writable: Path, as_jovyan: dict[str, Any]) -> Installed:
    return Installed([hub_python, str(pyz)], {"cwd": writable, **as_jovyan})


def add_running_user(hub: StandInHub) -> None:
    """Add a user with a server whom the service may see."""
    hub.service_scopes = set(Activity.service_scopes)
    hub.directory.add_user("sam", groups=["class-a"])
    hub.directory.add_server("sam", started=STARTED)


async def summary(service: Service, client: AsyncHTTPClient, token: str) -> dict[str, Any]:
    """Activity's main figures, after the first sample."""
    fetch = Fetch(client, service.origin, service.prefix)
    for _ in range(300):
        response = await fetch("activity/api/summary", token=token)
        found = json.loads(response.body)
        if response.code == 200 and found["as_of"]:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(response.body)


async def test_activity_keeps_its_history_where_the_hub_has_its_database(
    hub: StandInHub, installed: Installed, client: AsyncHTTPClient
) -> None:
    add_running_user(hub)
    with running([*installed.command, ACTIVITY], hub.api_url, **installed.options) as service:
        await summary(service, client, hub.token_for("ada", ("list:users",)))
    activity = [*installed.command, "activity"]
    copy = "sqlite:///copy.sqlite"  # as into the PostgreSQL of the service's own pods
    subprocess.run([*activity, "copy", f"--target={copy}"], check=True, **installed.options)
    export = [*activity, f"--database={copy}", "export", "sam"]
    exported = subprocess.run(export, capture_output=True, **installed.options)

    (session,) = json.loads(exported.stdout)["sessions"]
    assert datetime.fromisoformat(session["started"]) == datetime.fromisoformat(STARTED)


async def test_activity_without_the_chart_library_shows_its_tables(
    hub: StandInHub,
    installed: Installed,
    writable: Path,
    as_jovyan: dict[str, Any],
    client: AsyncHTTPClient,
) -> None:
    course.fill(hub)
    hub.service_scopes = set(Activity.service_scopes)
    history = writable / "activity.sqlite"
    await course.write(history)
    if as_jovyan:
        os.chown(history, 1000, 1000)
    token = hub.token_for("ada", ("list:users",))
    with running([*installed.command, ACTIVITY], hub.api_url, **installed.options) as service:
        await summary(service, client, token)
        fetch = Fetch(client, service.origin, service.prefix)
        response = await fetch("activity/?from=2026-01-05&to=2026-01-07", token=token)
        page = response.body.decode()
        files = re.findall(rf'"({service.prefix}[^"]*static/[^"]+)"', page)
        statuses = [(await asyncio.to_thread(service.get, file))[0] for file in files]

    assert "<table" in page
    assert statuses == [200] * len(files) != []
    assert not [file for file in files if re.search("/(d3|plot|charts)", file)]


async def test_its_api_is_described_as_that_of_the_package(
    hub: StandInHub,
    installed: Installed,
    start_service: StartService,
    client: AsyncHTTPClient,
) -> None:
    add_running_user(hub)
    settings: dict[str, Any] = {
        "TornadoService": {"apps": ["activity"]},
        "Activity": {"database_url": ""},
    }
    here = await start_service(**settings)
    token = hub.token_for("ada", ("list:users",))
    with running([*installed.command, ACTIVITY], hub.api_url, **installed.options) as service:
        await summary(service, client, token)
        described = [
            json.loads((await Fetch(client, origin, here.prefix)("api/openapi.json")).body)
            for origin in (f"http://127.0.0.1:{here.port}", service.origin)
        ]

    assert described[0] == described[1]
    assert "/activity/api/summary" in described[0]["paths"]


@pytest.mark.hub
async def test_a_hub_launches_it(hub_python: str, pyz: Path, client: AsyncHTTPClient) -> None:
    with ThrowAwayHub(service_command=[hub_python, str(pyz)]) as hub:
        visitor = Visitor(client, f"http://127.0.0.1:{hub.port}", host=f"127.0.0.1:{hub.port}")
        response = await visitor.sign_in(hub.service_prefix, "sam")

    assert response.code == 200
    assert "class-a" in visitor.page


def test_its_code_is_the_same_but_for_comments_and_docstrings() -> None:
    """Line by line, so that tracebacks are right."""
    pack = runpy.run_path(str(ROOT / "image/pyz.py"))
    for file in sorted((ROOT / "tornado_service").rglob("*.py")):
        code = file.read_bytes()
        short = pack["without_comments"](pack["without_docstrings"](code))

        assert structure(code) == structure(short), file
        assert b"# noqa" not in short, file


def structure(code: bytes) -> str:
    """A module's nodes and where they are; docstrings are only marked."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        has_docstring = isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        )
        if has_docstring and ast.get_docstring(node, clean=False) is not None:
            place = node.body[0].lineno
            node.body[0] = ast.Expr(ast.Constant(f"docstring in line {place}"))
            node.end_lineno = node.end_col_offset = None  # of one that has nothing else
    return ast.dump(tree, include_attributes=True)


def test_replicas_need_an_image(pyz: Path) -> None:
    environment = {
        **ENVIRONMENT,
        "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:10101",
        "TORNADO_SERVICE_DATABASE_URL": "postgresql+psycopg2://tornado@localhost/tornado",
    }

    done = subprocess.run(
        [sys.executable, str(pyz)], env=environment, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 2
    assert "The single file does without replicas" in only_line(done)
