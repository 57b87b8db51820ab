"""Services that a hub launches, and others, are told apart."""

import pytest

from tests.support.launched import ENVIRONMENT, EXTERNAL
from tornado_service.config.launch import is_launched_by_hub


def set_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], without: dict[str, str | None]
) -> None:
    for name in variables:
        monkeypatch.delenv(name, raising=False)
    for name in variables.keys() - without.keys():
        monkeypatch.setenv(name, variables[name])


def test_a_hub_sets_a_variable_that_nobody_needs_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, ENVIRONMENT, without={})
    assert is_launched_by_hub()

    set_environment(monkeypatch, ENVIRONMENT, without=EXTERNAL)
    assert not is_launched_by_hub()
