"""The overview says who of a class has not started."""

from __future__ import annotations

from tests.support.activity.course import RANGE
from tests.support.activity.pages import links, read
from tornado_service.activity import Activity
from tornado_service.testing import StandInHub, Visitor


async def test_an_instructor_reads_who_has_not_started(
    hub: StandInHub, instructor: Visitor
) -> None:
    hub.directory.add_user("zoe", groups=["class-a"], created=None)

    text = await read(instructor, "")

    assert "class-a : 1 of 3 members has never been active (zoe). Roster of class-a" in text
    assert f"{instructor.home}activity/groups/class-a/roster?{RANGE}" in links(instructor.page)


async def test_when_all_have_started(instructor: Visitor) -> None:
    assert "class-a : all 2 members have been active." in await read(instructor, "")


async def test_many_names_are_cut(hub: StandInHub, instructor: Visitor) -> None:
    for number in range(7):
        hub.directory.add_user(f"new-{number}", groups=["class-a"], created=None)

    text = await read(instructor, "")

    assert "7 of 9 members have never been active (new-0, new-1, new-2, new-3, new-4, …)." in text


async def test_an_admin_reads_it_of_the_groups_of_the_filter(admin: Visitor) -> None:
    assert "been active" not in await read(admin, "")
    text = await read(admin, "", f"{RANGE}&group=class-b")
    assert "class-b : all 3 members have been active." in text


async def test_nothing_is_said_of_many_groups(
    app: Activity, hub: StandInHub, instructor: Visitor
) -> None:
    hub.grant(
        "ines",
        *(f"{scope}!group=lab-{n}" for scope in ("list:groups", "read:groups") for n in range(3)),
    )
    for number in range(3):
        hub.directory.add_user(
            "ada", groups=["class-a", *(f"lab-{n}" for n in range(3))], created=None
        )
        del number

    assert "been active" not in await read(instructor, "")
