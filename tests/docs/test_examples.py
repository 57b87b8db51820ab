"""The examples of docs/examples, installed by pip, and their own tests."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from traitlets.config import Config

from tests.support import ROOT
from tests.support.pip import install

EXAMPLES = ROOT / "docs/examples"
NOTICES = EXAMPLES / "notices"

#: Runs Python with the example installed, in a folder with only its tests.
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, as pip installs it."""
    target = tmp_path_factory.mktemp("site")
    install(NOTICES, target)
    return target


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Run:
    shutil.copy(NOTICES / "pyproject.toml", tmp_path)
    shutil.copytree(NOTICES / "tests", tmp_path / "tests")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(installed),
                "PYTEST_ADDOPTS": "-p no:schemathesis",  # which loads slowly
                "COLUMNS": "200",
            },
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def run_tests(run: Run, file: str) -> str:
    done = run("-m", "pytest", "-p", "no:cacheprovider", "-rs", f"tests/{file}")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.rstrip().rpartition("\n")[2]


def test_its_tests_pass_where_it_is_installed(run: Run) -> None:
    summary = run_tests(run, "test_notices.py")

    assert re.search(r"\d+ passed", summary)
    assert "skipped" not in summary


@pytest.mark.hub
@pytest.mark.browser
def test_it_is_live_in_a_real_hub(run: Run) -> None:
    assert "2 passed" in run_tests(run, "test_live.py")


def test_its_settings_are_documented(run: Run) -> None:
    shown = run("-m", "tornado_service", "--TornadoService.apps=notices", "--help-all")

    assert "--Notices.database_url=<Unicode>" in shown.stdout
    assert "--Notices.clean_interval=<Float>" in shown.stdout
    assert shown.stderr == ""


def test_its_scopes_are_in_the_values(run: Run) -> None:
    written = run("-m", "tornado_service", "values", "--app=notices")

    assert written.returncode == 0, written.stderr
    assert "--TornadoService.apps=notices" in written.stdout
    assert "custom:notices:write" in written.stdout
    assert "list:users" in written.stdout


def test_its_readme_grants_what_it_declares(run: Run) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (NOTICES / "README.md").read_text(), re.DOTALL)
    c = Config()
    c.JupyterHub.services = [{"name": "tornado-service"}]
    c.JupyterHub.load_roles = []
    exec(compile(block, "README.md", "exec"), {"c": c})
    asks = (
        "from notices import Notices\n"
        "print(sorted(Notices.user_scopes), sorted(Notices.service_scopes))\n"
    )
    declared = run("-c", asks).stdout.strip()

    (service,) = c.JupyterHub.services
    writers, ours = c.JupyterHub.load_roles
    assert f"{service['oauth_client_allowed_scopes']} {ours['scopes']}" == declared
    assert writers["scopes"] == list(c.JupyterHub.custom_scopes)


def test_every_example_is_tested() -> None:
    assert [folder.name for folder in EXAMPLES.iterdir() if folder.is_dir()] == ["notices"]
