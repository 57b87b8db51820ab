"""Activity's pages, with the history of a course in class-a."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.activity import course

RANGE = "from=2026-01-05&to=2026-01-07"
PATHS = (
    "", "now", "people", "groups", "servers", "cohorts", "me", "months", "month/2026-01", "?from=x",
)  # fmt: skip


def address(path: str) -> str:
    return f"activity/{path}{'' if '?' in path else '?' + RANGE}"


def write(directory: Path) -> None:
    """Make the database of `course.settings`; in a thread, as Playwright has this one's loop."""
    with ThreadPoolExecutor() as pool:
        pool.submit(asyncio.run, course.write(directory / "activity.sqlite")).result()
