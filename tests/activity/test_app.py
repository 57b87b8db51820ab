"""Errors in the app's settings are reported with the fix."""

from __future__ import annotations

import subprocess
import sys

import pytest
from traitlets import TraitError

from tornado_service.activity import Activity

WITHOUT_ZONES = """
import sys, zoneinfo
sys.modules["tzdata"] = None
zoneinfo.reset_tzpath(to=())
from tornado_service.activity import Activity
try:
    Activity().zone
except Exception as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["Berlin", "", "../UTC", "Europe", "Europe/Ber\0lin"])
def test_a_zone_that_does_not_exist(name: str) -> None:
    with pytest.raises(TraitError, match=r"Activity\.timezone: .* write one such as Europe/Berlin"):
        Activity(timezone=name)


def test_a_zone_where_none_is_known() -> None:
    command = [sys.executable, "-c", WITHOUT_ZONES]
    reported = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "unknown time zone 'UTC'; this machine has no time zones: install" in reported
    assert "tzdata" in reported


def test_a_secret_that_is_too_short() -> None:
    with pytest.raises(TraitError, match="openssl rand -hex 16"):
        Activity(pseudonym_secret="short")
