from __future__ import annotations

from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot
from tornado_service.activity.figures.servers.running import Running, running

SAMPLE = Sample(
    taken=1000,
    is_full=False,
    users=(
        UserSnapshot("cy"),
        UserSnapshot("bob", servers=(ServerSnapshot("", 1005, 1010, pending=True),)),
        UserSnapshot("ada", servers=(ServerSnapshot("gpu", 100, 900), ServerSnapshot("", 400))),
    ),
)


def test_servers_by_user_and_name() -> None:
    assert running(SAMPLE) == [
        Running("ada", "", started=400, seconds=600, idle=None, is_pending=False),
        Running("ada", "gpu", started=100, seconds=900, idle=100, is_pending=False),
        Running("bob", "", started=1005, seconds=0, idle=0, is_pending=True),
    ]


def test_servers_of_some() -> None:
    assert [server.user for server in running(SAMPLE, {"bob", "cy"})] == ["bob"]


def test_pseudonyms_are_in_their_own_order() -> None:
    names = {"ada": "user-2", "bob": "user-1"}

    assert [server.user for server in running(SAMPLE, map_name=names.__getitem__)] == [
        "user-1",
        "user-2",
        "user-2",
    ]
