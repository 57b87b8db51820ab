"""Code and commands of the documentation for authors of apps."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: The pages for authors of apps, in the order in which their files are written.
PAGES = [
    "tutorials/first-app",
    "how-to/authors/pages-and-forms",
    "how-to/authors/typed-apis",
    "how-to/authors/background-work",
    "how-to/authors/databases",
    "how-to/authors/hub-api",
    "how-to/authors/live-pages",
    "how-to/authors/tests",
    "how-to/authors/packaging",
    "reference/apps",
    "explanation/app-failures",
]
TEXT = "\n".join((ROOT / f"docs/{page}.md").read_text() for page in PAGES)

#: Their files, by name.
FILES = dict(re.findall(r"^`([^`\n]+)`[^\n]*:\n\n```\w+\n(.*?)^```", TEXT, re.M | re.S))

#: Their commands, in order.
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"^```console\n(.*?)^```", TEXT, re.M | re.S)
    for line in block.splitlines()
]

#: The values for the hub's Helm chart.
(VALUES,) = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.M | re.S)

#: The files of the app with a page, a form, an API, a live stream and a test.
REPORTS = [name for name in FILES if name.startswith("reports/")] + [
    "conftest.py",
    "test_reports.py",
]


def write(folder: Path, *names: str) -> None:
    """Write files of the pages; by default all."""
    for name in names or FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(FILES[name])
