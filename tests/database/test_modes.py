"""The files of a database are private to its owner, for any umask and any earlier mode."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from tests.database.conftest import ADA, SCHEMA, notices
from tests.support.databases import Disk
from tornado_service.database.database import open_database


def modes(directory: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()}


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def write(url: str) -> dict[str, int]:
    """The files during a write."""
    opened = open_database(url, SCHEMA)
    try:
        with opened.writing() as connection:
            connection.execute(insert(notices).values(ADA))
        return modes(Path(url.removeprefix("sqlite:///")).parent)
    finally:
        opened.close()


@pytest.mark.usefixtures("umask")
def test_a_new_one_is_its_owners_alone(sqlite_url: str, tmp_path: Path) -> None:
    found = write(sqlite_url)

    assert found == {"data.sqlite": 0o600, "data.sqlite-wal": 0o600, "data.sqlite-shm": 0o600}
    assert modes(tmp_path) == {"data.sqlite": 0o600}


@pytest.mark.usefixtures("umask")
def test_it_is_never_open_to_others_not_even_for_a_moment(
    sqlite_url: str, sqlite_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    connect: Any = sqlite3.dbapi2.connect

    def inspect_mode(*args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)
        seen.append(stat.S_IMODE(sqlite_file.stat().st_mode) if sqlite_file.exists() else None)
        return connection

    monkeypatch.setattr(sqlite3.dbapi2, "connect", inspect_mode)
    open_database(sqlite_url, SCHEMA).close()

    assert set(seen) == {0o600}


@pytest.mark.usefixtures("umask")
def test_one_that_a_link_leads_to_is_its_owners_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "data" / "real.sqlite")

    open_database(f"sqlite:///{tmp_path}/link.sqlite", SCHEMA).close()

    assert modes(tmp_path / "data") == {"real.sqlite": 0o600}


def test_one_of_an_earlier_version_is_closed_to_others_and_this_is_logged_once(
    sqlite_url: str, sqlite_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    open_database(sqlite_url, SCHEMA).close()
    sqlite_file.chmod(0o644)
    with closing(sqlite3.connect(sqlite_file)) as reader:
        reader.execute("SELECT * FROM notices").fetchall()
        assert modes(sqlite_file.parent)["data.sqlite-wal"] == 0o644

        assert set(write(sqlite_url).values()) == {0o600}
        open_database(sqlite_url, SCHEMA).close()

    lines = [record.getMessage() for record in caplog.records]
    assert lines == [f"{sqlite_file} was open to every user of this machine; it no longer is."]
    assert caplog.records[0].levelno == logging.WARNING


def test_others_are_kept_out_and_a_group_that_may_write_is_not(
    sqlite_url: str, sqlite_file: Path
) -> None:
    open_database(sqlite_url, SCHEMA).close()
    sqlite_file.chmod(0o664)

    assert set(write(sqlite_url).values()) == {0o660}


def test_the_group_that_an_admin_has_let_in_stays(sqlite_url: str, sqlite_file: Path) -> None:
    open_database(sqlite_url, SCHEMA).close()
    sqlite_file.chmod(0o660)

    assert set(write(sqlite_url).values()) == {0o660}


def test_a_damaged_one_is_put_aside_for_its_owner(sqlite_url: str, sqlite_file: Path) -> None:
    sqlite_file.write_bytes(b"damaged" * 100)
    sqlite_file.chmod(0o644)

    opened = open_database(sqlite_url, SCHEMA)
    opened.close()

    assert opened.quarantined_file
    assert modes(sqlite_file.parent) == {"data.sqlite": 0o600, opened.quarantined_file.name: 0o600}


def test_one_of_another_program_keeps_its_mode(sqlite_url: str, sqlite_file: Path) -> None:
    with closing(sqlite3.connect(sqlite_file)) as other:
        other.execute("CREATE TABLE users (id INTEGER)")
    sqlite_file.chmod(0o644)

    with pytest.raises(Exception, match="belongs to another program"):
        open_database(sqlite_url, SCHEMA)

    assert modes(sqlite_file.parent) == {"data.sqlite": 0o644}


def test_one_whose_mode_cannot_be_changed_is_logged_and_used(
    sqlite_url: str,
    sqlite_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    open_database(sqlite_url, SCHEMA).close()
    sqlite_file.chmod(0o666)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refuse)
    write(sqlite_url)

    assert f"{sqlite_file} is open to every user of this machine" in caplog.text
    assert "Operation not permitted" in caplog.text


def test_a_disk_that_is_read_only_is_no_reason_to_fail_in_another_way(disk: Disk) -> None:
    url = f"sqlite:///{disk.path}/data.sqlite"
    open_database(url, SCHEMA).close()
    (disk.path / "data.sqlite").chmod(0o644)
    disk.make_read_only()

    with pytest.raises(Exception, match=r"cannot be used.*c\.Notices\.database_url"):
        open_database(url, SCHEMA)
