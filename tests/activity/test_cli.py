"""The command for privacy requests, as an admin runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.commands import run_command


@pytest.fixture
def database(tmp_path: Path, history: Path) -> Path:
    return Path(shutil.copy(history, tmp_path))


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_command("activity", *arguments, cwd=directory)


def test_stored_data_of_a_user_is_shown_and_then_removed(database: Path) -> None:
    shown = run(database.parent, "export", "ada")
    assert shown.returncode == 0, shown.stderr
    kept = json.loads(shown.stdout)
    assert kept["name"] == "ada"
    assert [day["seconds"] for day in kept["days"]] == [3 * 3600, 2 * 3600]

    assert run(database.parent, "forget", "ada").returncode == 0

    gone = run(database.parent, "export", "ada")
    assert gone.returncode == 1
    assert gone.stderr == "Nothing is kept of 'ada'.\n"
    assert run(database.parent, "export", "alan").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        ((), "A command is required: export USER, forget USER, report, or copy."),
        (("forget",), "A command is required: export USER, forget USER, report, or copy."),
        (("remove", "ada"), "A command is required: export USER, forget USER, report, or copy."),
        (("export", "nosuch"), "Nothing is kept of 'nosuch'."),
        (("--database=sqlite:////nosuch/x", "export", "ada"), "There is no database '/nosuch/x'"),
        (("--database=nonsense", "export", "ada"), "is no URL of a database"),
        (("--database=postgresql://host:port/x", "export", "ada"), "is no URL of a database"),
    ],
)
def test_errors_are_reported_in_one_line(
    database: Path, arguments: tuple[str, ...], reported: str
) -> None:
    ended = run(database.parent, *arguments)

    assert ended.returncode == 1
    assert reported in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "mistake", ["--databse=other", "--Activity.databse_url=other", "-d=other", "--config=none.py"]
)
def test_a_mistake_in_an_option_erases_nothing(database: Path, mistake: str) -> None:
    """The default database in this directory is not the intended one."""
    before = database.read_bytes()

    ended = run(database.parent, mistake, "forget", "ada")

    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert database.read_bytes() == before


def test_no_database_is_made_where_there_is_none(tmp_path: Path) -> None:
    assert run(tmp_path, "export", "ada").returncode == 1
    assert not list(tmp_path.iterdir())
