"""`tornado-service activity copy`, as an admin runs it to move a history to PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.activity.course import RUNS
from tests.support.commands import run_command


@pytest.fixture
def database(tmp_path: Path, history: Path) -> Path:
    return Path(shutil.copy(history, tmp_path))


@pytest.fixture
def target(new_postgresql: Callable[[str], str]) -> str:
    return new_postgresql("postgresql+psycopg2")


def run(directory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_command("activity", *arguments, cwd=directory, env={**os.environ, **environment})


def test_the_history_is_in_the_other_database(database: Path, target: str, tmp_path: Path) -> None:
    copied = run(database.parent, "copy", f"--target={target}")

    assert copied.returncode == 0, copied.stderr
    counts = {name: count for count, name in map(str.split, copied.stdout.splitlines()[1:])}
    assert counts["users"] == str(len(RUNS))
    before = run(database.parent, "export", "ada")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # the database of the service's replicas is Activity's by default
    after = run(elsewhere, "export", "ada", TORNADO_SERVICE_DATABASE_URL=target)
    assert after.returncode == 0, after.stderr
    assert after.stdout == before.stdout


def test_the_config_file_names_the_database_of_the_replicas(database: Path, target: str) -> None:
    (database.parent / "config.py").write_text(f"c.TornadoService.database_url = {target!r}\n")
    source = f"--database=sqlite:///{database}"
    assert run(database.parent, source, "copy", f"--target={target}").returncode == 0
    database.unlink()

    shown = run(database.parent, "--config=config.py", "export", "ada")

    assert shown.returncode == 0, shown.stderr
    assert '"name": "ada"' in shown.stdout


def test_it_refuses_in_one_line(database: Path, target: str) -> None:
    to_target = f"--target={target}"
    assert run(database.parent, "copy", to_target).returncode == 0

    for arguments, reported in (
        (["copy"], "Name the database to copy the history to: --target=URL"),
        (["copy", to_target], "The database to copy to already has a history."),
        (["copy", "--target=mysql://x/y"], "--target is neither sqlite:// nor postgresql://."),
        (["copy", "--target=postgresql+psycopg2://u:s3cr3t@127.0.0.1:1/x"],
         "Is --target right?"),
    ):  # fmt: skip
        ended = run(database.parent, *arguments)
        assert ended.returncode == 1
        assert reported in ended.stderr
        assert ended.stderr.count("\n") == 1
        assert "s3cr3t" not in ended.stderr
