"""One file, and the chart's own image of the hub: it needs nothing else."""

from __future__ import annotations

import asyncio
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.image.service import running
from tornado_service.app import TornadoService
from tornado_service.demo import ThrowAwayHub
from tornado_service.testing import StandInHub, Visitor
from tornado_service.values.check_delivery import LARGEST_FILE

Pack = Callable[[Path], None]

EVERY_MODULE = """
import pkgutil, sys
sys.path.insert(0, sys.argv[1])
import tornado_service
for module in pkgutil.walk_packages(tornado_service.__path__, "tornado_service."):
    # the first would start, the second is for an app's own tests
    if module.name.rpartition(".")[2] not in ("__main__", "testing"):
        __import__(module.name)
        print(module.name)
"""


@pytest.fixture(scope="module")
def pyz(read_only_directory: Path, pack: Pack) -> Path:
    """The file, as a pod has it."""
    mount = read_only_directory / "share"
    mount.mkdir()
    pack(mount / "tornado_service.pyz")
    (mount / "tornado_service.pyz").chmod(0o444)
    mount.chmod(0o555)
    return mount / "tornado_service.pyz"


def test_it_fits_into_a_release_of_helm(pyz: Path) -> None:
    assert pyz.stat().st_size < LARGEST_FILE


def test_it_leaves_out_what_is_large_and_what_tests_need(pyz: Path) -> None:
    names = ZipFile(pyz).namelist()

    assert not [name for name in names if "swagger" in name or "/testing/" in name]
    assert "tornado_service/static/docs.js" in names


def test_the_same_wheel_gives_the_same_bytes(pyz: Path, pack: Pack, tmp_path: Path) -> None:
    pack(tmp_path / "again.pyz")

    assert (tmp_path / "again.pyz").read_bytes() == pyz.read_bytes()


def test_every_module_needs_only_the_hubs_packages(hub_python: str, pyz: Path) -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        command = [hub_python, "-W", "error", "-c", *args]
        return subprocess.run(command, cwd=pyz.parent, capture_output=True, text=True)

    without = run("import tornado_service")
    done = run(EVERY_MODULE, str(pyz))

    assert "No module named 'tornado_service'" in without.stderr
    assert done.returncode == 0, done.stderr
    assert "tornado_service.handlers.pages" in done.stdout.splitlines()


@pytest.mark.parametrize(
    "args", ["--version", *(f"{n} --help" for n in TornadoService.subcommands)]
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


def test_it_serves_pages_and_static_files(
    hub_python: str, pyz: Path, as_jovyan: dict[str, Any]
) -> None:
    with running([hub_python, str(pyz)], cwd=pyz.parent, **as_jovyan) as service:
        service.shows_pages()


async def test_its_home_page_is_for_who_signs_in(
    hub: StandInHub, hub_python: str, pyz: Path, as_jovyan: dict[str, Any]
) -> None:
    command = [hub_python, str(pyz)]
    with running(command, hub.api_url, cwd=pyz.parent, **as_jovyan) as service:
        status, headers, _ = await asyncio.to_thread(service.get, service.prefix)

    assert status == 302
    assert "/hub/api/oauth2/authorize" in headers["Location"]


@pytest.mark.hub
async def test_a_hub_launches_it(hub_python: str, pyz: Path, client: AsyncHTTPClient) -> None:
    with ThrowAwayHub(service_command=[hub_python, str(pyz)]) as hub:
        visitor = Visitor(client, f"http://127.0.0.1:{hub.port}", host=f"127.0.0.1:{hub.port}")
        answer = await visitor.sign_in(hub.service_prefix, "sam")

    assert answer.code == 200
    assert "class-a" in visitor.page
