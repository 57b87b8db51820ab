"""Tables of the pages about figures."""

from __future__ import annotations

from tests.support import ROOT

PAGE = "\n".join(
    (ROOT / f"docs/{page}.md").read_text()
    for page in ("reference/figures", "explanation/how-figures-are-made")
)
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def table(*head: str) -> list[dict[str, str]]:
    """The rows of the table with these headings."""
    lines = iter(PAGE.splitlines())
    for line in lines:
        if cells(line) == list(head):
            next(lines)
            rows = []
            while (row := next(lines)).startswith("|"):
                rows.append(dict(zip(head, cells(row), strict=True)))
            return rows
    raise AssertionError(f"no table with {head}")


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
