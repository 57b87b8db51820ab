"""Fixtures of all tests, and the grouping of tests for pytest-xdist."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["tornado_service.testing", "tests.support.databases", "tests.support.launched"]

#: In these files of tests/integration/real_hub, tests start hubs of their own.
WITH_OWN_HUBS = (
    "test_activity",
    "test_deployments",
    "test_doctor",
    "test_life",
    "test_rotated_token",
)

#: These files of tests/activity share a year of usage, which takes 40 s to make.
WITH_YEAR = ("test_year", "test_year_groups", "test_year_report")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin tests with a hub or a browser first: they take longest."""
    items.sort(
        key=lambda item: not {"hub", "browser"} & {mark.name for mark in item.iter_markers()}
    )


class Scheduling(LoadScopeScheduling):  # type: ignore[misc] # xdist has few types
    """Tests of a file share its hub or database, so they run in one process.

    ``--dist=loadgroup`` has no effect with pytest 9.2 and pytest-xdist 3.8.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = PurePath(nodeid.partition("::")[0])
        if file.parent.name == "real_hub" and file.stem in WITH_OWN_HUBS:
            return nodeid
        return "year" if file.stem in WITH_YEAR else str(file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)
