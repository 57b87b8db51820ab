"""What docs/writing-an-app.md tells people to write and to run."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/writing-an-app.md"
TEXT = PAGE.read_text()

#: Its files, by name.
FILES = dict(re.findall(r"^`([^`\n]+)`[^\n]*:\n\n```\w+\n(.*?)^```", TEXT, re.M | re.S))

#: Its commands, in order.
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"^```console\n(.*?)^```", TEXT, re.M | re.S)
    for line in block.splitlines()
]

#: What goes into the values of the hub's Helm chart.
(VALUES,) = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.M | re.S)

#: The files of the app with a page, a form, an API, a live stream and a test.
REPORTS = [name for name in FILES if name.startswith("reports/")] + [
    "conftest.py",
    "test_reports.py",
]


def write(folder: Path, *names: str) -> None:
    """Write files of the page; by default all."""
    for name in names or FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(FILES[name])
