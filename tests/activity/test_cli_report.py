"""The command that writes reports, as cron runs it."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import shutil
import stat
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.support.activity import course
from tests.support.activity.course import HOUR
from tests.support.activity.pages import text_of
from tests.support.commands import run_command
from tornado_service.activity.store.store import Store

SENTENCE = (
    "From 5 to 7 January 2026, 5 users were active and servers ran for 23.0 hours in 7 sessions."
)
DAYS = ("--from=2026-01-05", "--to=2026-01-07")


@pytest.fixture
def directory(tmp_path: Path, history: Path) -> Path:
    shutil.copy(history, tmp_path)
    return tmp_path


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_command("activity", "report", *arguments, cwd=directory)


def text(document: str) -> str:
    return text_of(document).replace("\u00a0", " ")


@pytest.mark.parametrize("output", [(), ("--output=-",), ("--output", "-")])
def test_it_goes_to_standard_output(directory: Path, output: tuple[str, ...]) -> None:
    ended = run(directory, *DAYS, *output)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("<!doctype html>")
    assert ended.stdout.endswith("</html>")
    assert SENTENCE in text(ended.stdout)
    assert "<title>Usage: 5 to 7 January 2026 - JupyterHub</title>" in ended.stdout
    assert "Groups" not in text(ended.stdout)
    assert not (directory / "-").exists()


def test_it_goes_to_a_file(directory: Path) -> None:
    ended = run(directory, "--month", "2026-01", "--output", "report.html")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert "In January 2026, so far, at least 5 users" in text(
        (directory / "report.html").read_text()
    )
    assert {file.name for file in directory.iterdir()} <= {
        "report.html", "activity.sqlite", "activity.sqlite-wal", "activity.sqlite-shm",
    }  # fmt: skip


def test_a_file_is_replaced_as_a_whole_and_keeps_its_mode(directory: Path) -> None:
    file, link = directory / "report.html", directory / "latest.html"
    file.write_text("earlier")
    file.chmod(0o640)
    link.symlink_to(file)
    with file.open() as opened:
        assert run(directory, *DAYS, "--output=latest.html").returncode == 0
        assert opened.read() == "earlier", "whoever reads it reads all of it"

    assert link.is_symlink()
    assert SENTENCE in text(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_what_is_no_file_is_not_replaced(directory: Path) -> None:
    pipe = directory / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    ended = run(directory, *DAYS, "--output=pipe")

    assert ended.returncode == 0, ended.stderr
    with open(reader, encoding="utf-8") as opened:
        assert SENTENCE in text(opened.read())
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (("--month=2026-13",), "--month is '2026-13'; write a month as in 2026-10."),
        (("--month=October",), "--month is 'October'; write a month as in 2026-10."),
        (("--month=2025-10",), "There is no data for October 2025."),
        (("--month=2150-10",), "There is no data for October 2150."),
        ((), "There is no data for "),
        (("--from=2026-01-05",), "a month, or both --from and --to."),
        (("--month=2026-01", *DAYS), "a month, or both --from and --to."),
        (("--from=5.1.2026", "--to=2026-01-07"), "--from is '5.1.2026'; write a date as in"),
        (("--from=2026-01-07", "--to=2026-01-05"), "--from must not be after --to"),
        (("--from=0001-01-01", "--to=0001-01-05"), "must be between 1990 and 2199."),
        (("--database=sqlite:////nosuch/x",), "There is no database '/nosuch/x'"),
        (
            (*DAYS, "--Activity.timezone=Europe/Berlin"),
            "The days of the history are those of UTC: --Activity.timezone=UTC",
        ),
        ((*DAYS, "--output=nosuch/report.html"), "cannot be written to 'nosuch/report.html': No"),
        ((*DAYS, "--output=."), "cannot be written to '.': Is a directory"),
    ],
)
def test_errors_are_reported_in_one_line(
    directory: Path, arguments: tuple[str, ...], reported: str
) -> None:
    earlier = directory / "report.html"
    earlier.write_text("earlier")

    if "--output" not in "".join(arguments):
        arguments = ("--output=report.html", *arguments)

    ended = run(directory, *arguments)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert reported in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert earlier.read_text() == "earlier"


def test_the_settings_of_the_service_apply(directory: Path) -> None:
    (directory / "logo.svg").write_text("<svg/>")
    (directory / "service.py").write_text(
        """
c.TornadoService.apps = ["activity"]
c.Activity.timezone = "UTC"
c.Activity.hub_name = "Example University"
c.Activity.report_logo = "logo.svg"
c.Activity.prices = {"currency": "EUR", "default": 0.5, "profiles": {"small": 1}}
c.Activity.notes = [{"text": "Exams", "first": "2026-01-06"}]
c.Activity.terms = [{"name": "Term 1", "first": "2026-01-05", "last": "2026-01-08"}]
"""
    )

    ended = run(directory, "--config=service.py", "--from=2026-01-05", "--to=2026-01-08")

    assert (ended.returncode, ended.stderr) == (0, "")
    said = text(ended.stdout)
    assert "In Term 1 (5 to 8 January 2026), so far, 5 users were active" in said
    assert "servers ran for 23.0 hours" in said
    assert "at a cost of 14.00 EUR" in said
    assert "6 January 2026: Exams" in said
    assert "Example University</title>" in ended.stdout
    assert f"data:image/svg+xml;base64,{base64.b64encode(b'<svg/>').decode()}" in ended.stdout


@pytest.mark.parametrize(
    "setting", ["--Activity.report_logo=none.png", "--Activity.prices={}x", "--mont=2026-01"]
)
def test_a_mistake_in_a_setting_ends_it(directory: Path, setting: str) -> None:
    ended = run(directory, *DAYS, setting)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1


async def fill(store: Store) -> None:
    await store.open()
    for sample in course.samples():
        assert await store.add(sample, HOUR)
    await store.maintain()
    await store.close()


def test_every_database(tmp_path: Path, database_url: str) -> None:
    asyncio.run(fill(Store(database_url, logging.getLogger("tests.activity"))))

    ended = run(tmp_path, f"--database={database_url}", *DAYS)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert SENTENCE in text(ended.stdout)


def test_the_days_are_those_of_the_time_zone(tmp_path: Path) -> None:
    async def write() -> None:
        zone = ZoneInfo("Pacific/Auckland")  # 13 hours later
        store = Store(f"sqlite:///{tmp_path}/activity.sqlite", logging.getLogger("t"), zone=zone)
        await fill(store)

    asyncio.run(write())
    auckland = "--Activity.timezone=Pacific/Auckland"

    ended = run(tmp_path, auckland, "--from=2026-01-08", "--to=2026-01-08")

    assert ended.returncode == 0, ended.stderr
    assert "On 8 January 2026, so far, 1 user was active and servers ran for 1.0 hours" in text(
        ended.stdout
    )
    assert "(Pacific/Auckland)" in ended.stdout


def test_last_month_is_the_default(tmp_path: Path) -> None:
    """Last month may begin or end in the second in which this runs."""
    now = int(datetime.now(timezone.utc).timestamp())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "MONDAY", now - 70 * 24 * HOUR)
        patch.setattr(course, "WATCHED", 60 * 24)
        asyncio.run(course.write(tmp_path / "activity.sqlite"))

    ended = run(tmp_path)

    assert ended.returncode == 0, ended.stderr
    this = datetime.now(timezone.utc).replace(day=1)
    months = {f"{month:%B %Y}" for month in (this, this.replace(month=this.month - 1 or 12))}
    assert any(f"Usage: {name.split()[0]}" in ended.stdout for name in months)
