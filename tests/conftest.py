"""Fixtures of all tests, and which of them run in one process of pytest-xdist."""

import pytest

pytest_plugins = ["tornado_service.testing", "tests.support.databases", "tests.support.launched"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of a file share its hub or database; those that start a hub of their own do not.

    Tests with a hub or a browser take longest, and are begun first.
    """
    items.sort(
        key=lambda item: not {"hub", "browser"} & {mark.name for mark in item.iter_markers()}
    )
    for item in items:
        if "start_hub" not in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
