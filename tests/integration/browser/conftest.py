"""One Chromium for all tests of a process, and the history of a course."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.browser.course_pages import write
from tests.support.activity import course
from tests.support.chromium import chromium, chromium_server, connected  # noqa: F401


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker("browser")


@pytest.fixture(scope="module")
def course_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a database with the history of a course, and of users of the real hub."""
    directory = tmp_path_factory.mktemp("activity")
    # in hours after the course's Monday
    runs = {"sam": [(9, 12), (57, 60)], "ines": [(10, 11)]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "RUNS", course.RUNS | runs)
        write(directory)
    return directory
