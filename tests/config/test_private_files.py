"""Files that commands create are private to their owner: config files will hold secrets."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.launched import run
from tornado_service.demo.hub import ThrowAwayHub


@pytest.fixture
def umask() -> Iterator[None]:
    """A umask that excludes no other user."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_a_config_file_is_its_owners(tmp_path: Path) -> None:
    assert run("--generate-config", cwd=tmp_path).returncode == 0

    assert mode(tmp_path / "tornado_service_config.py") == 0o600


@pytest.mark.usefixtures("umask")
def test_values_files_and_their_directory_are_their_owners(tmp_path: Path) -> None:
    before = tmp_path / "a" / "b" / "image.yaml"
    assert run("values", "--output-dir=a/b", cwd=tmp_path).returncode == 0
    assert {mode(tmp_path / "a"), mode(tmp_path / "a" / "b")} == {0o700}
    assert {mode(entry) for entry in before.parent.iterdir()} == {0o600}

    before.chmod(0o664)
    assert run("values", "--output-dir=a/b", cwd=tmp_path).returncode == 0
    assert mode(before) == 0o660


@pytest.mark.usefixtures("umask")
def test_the_files_of_a_throw_away_hub_are_its_owners() -> None:
    with ThrowAwayHub(with_service=False) as hub:
        assert mode(hub.directory) == 0o700
        files = {entry.name: mode(entry) for entry in hub.directory.rglob("*") if entry.is_file()}
        assert {"jupyterhub_config.py", "hub.log", "jupyterhub.sqlite"} <= files.keys()
        assert set(files.values()) == {0o600}
