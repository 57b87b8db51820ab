from __future__ import annotations

import fcntl
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest

from tests.database.conftest import SCHEMA
from tornado_service.database import sqlite_file
from tornado_service.database.database import open_database
from tornado_service.database.errors import DatabaseUnusable

ROOT = Path(__file__).parents[2]

#: Leaves a log behind, as after a kill.
WRITE_AND_DIE = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA journal_mode=WAL")
connection.execute(sys.argv[2])
connection.commit()
os._exit(0)
"""


def ensure_usable(path: Path, *, thorough: bool = False) -> Path | None:
    return sqlite_file.ensure_usable(path, SCHEMA.is_own_file, thorough=thorough)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a database of ours, with data."""
    path = tmp_path / "some data #1.sqlite"
    open_database(f"sqlite:///{path}", SCHEMA).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO notices (id, text) VALUES (?, ?)",
            ((number, f"user-{number}" * 10) for number in range(1000)),
        )
        connection.commit()
    return path


def write_and_die(path: Path, statement: str) -> None:
    subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(path), statement], check=True)


def contents(path: Path) -> dict[str, bytes]:
    """The contents of the file and those next to it; SQLite rebuilds the index ``-shm``."""
    files = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    return {name: text for name, text in files.items() if text and not name.endswith("-shm")}


def test_no_file_is_fine(tmp_path: Path) -> None:
    assert ensure_usable(tmp_path / "none.sqlite") is None
    assert [*tmp_path.iterdir()] == []


def test_an_empty_file_is_fine(tmp_path: Path) -> None:
    (tmp_path / "empty.sqlite").touch()

    assert ensure_usable(tmp_path / "empty.sqlite") is None


def test_a_sound_file_is_not_touched(path: Path) -> None:
    before = contents(path)

    assert ensure_usable(path) is None
    assert contents(path) == before


def test_one_that_is_refused_for_its_version_is_not_touched(path: Path) -> None:
    def is_own_file(file: sqlite3.Connection, tables: set[str]) -> bool:
        assert file.execute("SELECT count(*) FROM notices").fetchone() == (999,)
        assert "notices" in tables
        raise DatabaseUnusable("of a newer version")

    write_and_die(path, "DELETE FROM notices WHERE id = 3")
    before = contents(path)
    assert len(before) == 2  # its log, too

    with pytest.raises(DatabaseUnusable, match="of a newer version"):
        sqlite_file.ensure_usable(path, is_own_file)
    assert contents(path) == before


def test_one_of_another_program_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "jupyterhub.sqlite"
    write_and_die(path, "CREATE TABLE users (id INTEGER)")
    before = contents(path)

    with pytest.raises(DatabaseUnusable, match="belongs to another program"):
        ensure_usable(path)
    assert contents(path) == before


def nothing_of_ours(path: Path) -> None:
    path.write_bytes(b"these are no tables" * 1000)


def all_zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def pages_overwritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 40_000)


@pytest.fixture(params=[nothing_of_ours, all_zeros, cut_short, pages_overwritten])
def damaged(request: pytest.FixtureRequest, path: Path) -> Path:
    request.param(path)
    return path


def test_a_damaged_one_is_put_aside_as_it_is(damaged: Path) -> None:
    before = damaged.read_bytes()

    quarantined_file = ensure_usable(damaged, thorough=True)

    assert quarantined_file is not None
    assert quarantined_file.name.startswith(f"{damaged.name}.corrupt-20")
    assert quarantined_file.read_bytes() == before
    assert not damaged.exists()


@pytest.mark.parametrize("damage", [nothing_of_ours, all_zeros, cut_short])
def test_damage_of_the_whole_shows_at_once(damage: Callable[[Path], None], path: Path) -> None:
    damage(path)

    assert ensure_usable(path) is not None


def test_its_log_goes_with_it(path: Path) -> None:
    write_and_die(path, "DELETE FROM notices WHERE id = 3")
    log = path.with_name(path.name + "-wal").read_bytes()
    pages_overwritten(path)

    quarantined_file = ensure_usable(path, thorough=True)

    assert quarantined_file is not None
    assert quarantined_file.with_name(quarantined_file.name + "-wal").read_bytes() == log
    assert not path.with_name(path.name + "-wal").exists()


def test_several_of_one_second_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "data.sqlite"
    for number in range(5):
        path.write_bytes(f"damaged {number}".encode() * 100)
        assert ensure_usable(path)

    kept = {file.read_bytes()[:9] for file in tmp_path.iterdir()}
    assert kept == {f"damaged {number}".encode() for number in range(5)}


def test_one_that_another_process_has_replaced_meanwhile_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock

    def wait(file: IO[bytes], operation: int) -> None:
        if (sound := path.with_name("sound")).exists():
            path.rename(path.with_name("put aside"))
            sound.rename(path)
        flock(file, operation)

    path.with_name("sound").write_bytes(path.read_bytes())
    pages_overwritten(path)
    monkeypatch.setattr(fcntl, "flock", wait)

    assert ensure_usable(path, thorough=True) is None
    assert path.exists()


def test_of_several_processes_one_puts_it_aside_and_all_go_on(tmp_path: Path) -> None:
    path = tmp_path / "data.sqlite"
    path.write_bytes(b"damaged" * 100)
    script = "import sys; from tests.database.conftest import SCHEMA, open_database as o"
    script += (
        "; database = o(sys.argv[1], SCHEMA); print(database.quarantined_file); database.close()"
    )

    def start(_: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-c", script, f"sqlite:///{path}"]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    with ThreadPoolExecutor(4) as threads:
        ended = list(threads.map(start, range(3)))

    assert [process.returncode for process in ended] == [0] * 3, ended
    names = [process.stdout.strip() for process in ended if process.stdout.strip() != "None"]
    assert [str(file) for file in tmp_path.glob("*.corrupt-*")] == names
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM notices").fetchall() == []
