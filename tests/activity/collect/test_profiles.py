"""Of the options of a server, the name of the profile is kept, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tornado_service.activity.collect.collector import LONGEST_PROFILE, profile_of, user_snapshot
from tornado_service.hub.models import Server, User

STARTED = "2026-03-02T09:00:00Z"


@pytest.mark.parametrize(
    ("options", "profile"),
    [
        ({"profile": "gpu", "token": "secret"}, "gpu"),
        ({"profile": ["gpu"]}, "gpu"),  # as forms send it
        ({"profile": ["gpu", "small"]}, ""),
        ({"profile": {"slug": "gpu"}}, ""),
        ({"profile": 7}, ""),
        ({"profile": None}, ""),
        ({"image": "base"}, ""),
        ({}, ""),
        (None, ""),
        (["gpu"], ""),
        ("gpu", ""),
        ({"profile": "x" * 1000}, "x" * LONGEST_PROFILE),
        ({"profile": "a\0b"}, "a\ufffdb"),
        ({"profile": "\ud800"}, "?"),
    ],
)
def test_a_profile_is_a_short_text(options: Any, profile: str) -> None:
    server = Server.model_validate({"name": "", "user_options": options})

    assert profile_of(server) == profile
    profile.encode()


def test_what_the_hub_does_not_show_is_not_known() -> None:
    assert profile_of(Server.model_validate({"name": ""})) is None


def test_nothing_else_of_the_options_is_in_a_sample() -> None:
    options = {"profile": "gpu", "token": "secret"}
    server = {"name": "", "started": STARTED, "user_options": options}
    user = User.model_validate({"name": "ada", "last_activity": None, "servers": {"": server}})

    snapshot = user_snapshot(user)

    assert snapshot.servers[0].profile == "gpu"
    assert "secret" not in repr(snapshot)
