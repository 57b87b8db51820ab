"""A group as a filter: of every figure, and of no group or member that the hub does not show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.activity import course
from tests.support.activity.course import ALL_USERS, CLASS_A, HOUR, MONDAY, RANGE
from tornado_service.activity import Activity
from tornado_service.testing import Fetch, StandInHub

#: All that can be asked of a group, below ``P/activity/api/``.
PATHS = (
    "now", "summary", "days", "weeks", "months", "hours", "people", "groups", "month/2026-01",
    "people/ada", "now.csv", "days.csv", "weeks.csv", "months.csv", "hours.csv", "people.csv",
    "groups.csv", "people/ada/days.csv", "people/ada/sessions.csv", "people/ada/week.csv",
)  # fmt: skip

NOT_FOUND = "Group not found, or you do not have access to it."


@pytest.fixture
async def busy(app: Activity, hub: StandInHub) -> None:
    """Servers of both classes run now."""
    for name in ("ada", "bob"):
        hub.directory.add_server(name, started="2026-01-08T00:00:00Z")
    await app.recorder.collector.collect(MONDAY)


@pytest.fixture
def admin_token(app: Activity, hub: StandInHub) -> str:
    return hub.token_for("root", ALL_USERS, admin=True)


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("path", PATHS)
async def test_an_admins_filter_shows_what_the_instructor_of_the_group_sees(
    hub: StandInHub, fetch: Fetch, admin_token: str, path: str
) -> None:
    instructor = hub.token_for("ines", course.of_group("class-a"))

    whole = await fetch(f"activity/api/{path}?{RANGE}", token=admin_token)
    filtered = await fetch(f"activity/api/{path}?{RANGE}&group=class-a", token=admin_token)
    own = await fetch(f"activity/api/{path}?{RANGE}", token=instructor)

    assert filtered.code == own.code == 200
    assert filtered.body == own.body
    # what was computed for the filter is not shown without it
    assert (await fetch(f"activity/api/{path}?{RANGE}", token=admin_token)).body == whole.body
    if "ada" not in path:
        assert filtered.body != whole.body


async def test_several_groups_are_the_union_of_their_members(
    hub: StandInHub, fetch: Fetch, admin_token: str
) -> None:
    hub.directory.add_user("ada", groups=["class-a", "lab"], created=None)
    hub.directory.add_user("bob", groups=["class-b", "lab"], created=None)

    async def whole(query: str) -> tuple[int, float]:
        response = await fetch(f"activity/api/summary?{RANGE}{query}", token=admin_token)
        figures = json.loads(response.body)["whole"]
        return figures["active_users"], figures["server_seconds"] / HOUR

    assert await whole("&group=class-a") == (2, 6)
    assert await whole("&group=class-b") == (3, 17)
    assert await whole("&group=lab") == (2, 5 + 14)
    assert await whole("&group=lab&group=class-a") == (3, 5 + 14 + 1)
    assert await whole("&group=class-a&group=class-b&group=class-a") == await whole("") == (5, 23)


@pytest.mark.parametrize("path", [*PATHS, "groups/{}/roster", "groups/{}/roster.csv"])
async def test_hidden_and_unknown_groups_get_the_same_response(
    app: Activity, hub: StandInHub, fetch: Fetch, path: str
) -> None:
    instructor = hub.token_for("ines", course.of_group("class-a"))
    student = hub.token_for("ada")
    for token in (instructor, student):
        messages = set()
        for name in ("class-b", "class-x"):
            query = f"{RANGE}&group={name}" if "{}" not in path else RANGE
            response = await fetch(f"activity/api/{path.format(name)}?{query}", token=token)
            assert response.code == 404
            messages.add(response.body)
        assert [json.loads(body)["message"] for body in messages] == [NOT_FOUND]


async def test_one_hidden_group_among_others_is_not_left_out_silently(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    token = hub.token_for("ines", course.of_group("class-a"))

    response = await fetch("activity/api/summary?group=class-a&group=class-b", token=token)

    assert response.code == 404


async def test_of_a_visible_group_only_visible_members_count(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    hub.directory.add_user("ada", groups=["class-a", "lab"], created=None)
    hub.directory.add_user("bob", groups=["class-b", "lab"], created=None)
    scopes = ("list:users!group=class-a", "list:groups", "read:groups")
    token = hub.token_for("ines", scopes)

    async def ask(path: str) -> Any:
        response = await fetch(f"activity/api/{path}", token=token)
        assert response.code == 200, response.body
        return json.loads(response.body)

    lab = await ask(f"summary?{RANGE}&group=lab")
    assert (lab["whole"]["active_users"], lab["people"]["accounts"]) == (1, 1)
    none = await ask(f"summary?{RANGE}&group=class-b")
    assert (none["whole"]["active_users"], none["people"]["accounts"]) == (0, 0)
    people = await ask(f"people?{RANGE}&group=lab&group=class-a&group=class-b")
    assert {row["name"] for row in people["people"]} == {*CLASS_A}
    roster = await ask(f"groups/lab/roster?{RANGE}")
    assert [row["name"] for row in roster["members"]] == ["ada"]
    compared = await ask(f"groups/compare?{RANGE}&group=lab&group=class-b")
    assert [group["members"] for group in compared["groups"]] == [0, 1]
    assert compared["in_several"] == 0


async def test_ones_own_usage_is_of_no_group(app: Activity, hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for("root", ALL_USERS)

    for path in ("me", "me/days.csv"):
        assert (await fetch(f"activity/api/{path}?group=class-a", token=token)).code == 400


@pytest.mark.parametrize("query", ["group=", f"group={'x' * 256}", "&".join(["group=a"] * 51)])
async def test_a_filter_that_is_none_is_refused(fetch: Fetch, admin_token: str, query: str) -> None:
    for path in ("summary", "now", "people.csv", "month/2026-01"):
        response = await fetch(f"activity/api/{path}?{query}", token=admin_token)
        assert response.code == 400, path
        assert json.loads(response.body)["errors"][0]["field"].startswith("group")


async def test_parameters_that_have_no_effect_are_ignored_as_before(
    fetch: Fetch, admin_token: str
) -> None:
    for path in ("now", "month/2026-01"):
        assert (await fetch(f"activity/api/{path}?{RANGE}&x=y", token=admin_token)).code == 200


async def test_the_times_for_maintenance_are_of_no_group(
    fetch: Fetch, admin_token: str, app: Activity, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tornado_service.activity.figures import heatmap

    monkeypatch.setattr(heatmap, "DAYS_NEEDED", 1)
    monkeypatch.setattr(heatmap, "HOURS_NEEDED", 1)
    windows = {}
    for query in ("", "&group=class-a&group=class-b"):
        response = await fetch(f"activity/api/summary?{RANGE}{query}", token=admin_token)
        windows[query] = json.loads(response.body)["maintenance_window"]

    assert windows[""] is not None
    assert windows["&group=class-a&group=class-b"] is None
