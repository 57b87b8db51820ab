"""The unit of systemd in docs/how-to/external.md."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support import ROOT
from tornado_service.app import TornadoService

PAGE = ROOT / "docs/how-to/external.md"
NO_SYSTEMD = "no systemd-analyze. On Debian, as root: apt-get install systemd"
PROGRAM = "/opt/tornado-service/bin/tornado-service"


@pytest.fixture
def unit() -> str:
    (block,) = re.findall(r"^ *```ini\n(.*?)^ *```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return textwrap.dedent(block)


def test_systemd_accepts_the_unit(unit: str, tmp_path: Path) -> None:
    if not (analyze := shutil.which("systemd-analyze")):
        pytest.skip(NO_SYSTEMD)
    file = tmp_path / "tornado-service.service"
    file.write_text(unit.replace(PROGRAM, sys.executable))

    done = subprocess.run(
        [analyze, "verify", "--man=no", "--recursive-errors=no", file],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_leaves_little_exposed(unit: str, tmp_path: Path) -> None:
    if not (analyze := shutil.which("systemd-analyze")):
        pytest.skip(NO_SYSTEMD)
    file = tmp_path / "tornado-service.service"
    file.write_text(unit)

    done = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=20", file],  # in tenths
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout[-200:]


def test_the_unit_passes_settings_that_exist(unit: str, tmp_path: Path) -> None:
    line = unit.replace("\\\n", " ").partition("ExecStart=")[2].partition("\n")[0]
    program, *arguments = shlex.split(line)
    assert program == PROGRAM

    service = TornadoService()
    service.parse_command_line(arguments)

    assert service.api_token_file == "${CREDENTIALS_DIRECTORY}/api-token"
    assert service.config.Activity.database_url.startswith("sqlite:////var/lib/tornado-service/")
