"""Idle time and usage by profile and server name, as JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from tests.support.activity import course
from tests.support.activity.course import ALL_USERS, HOUR, RANGE
from tornado_service.activity import Activity
from tornado_service.activity.web.servers.api import csv_rows
from tornado_service.testing import Fetch, StandInHub

MINUTE = 60


@pytest.fixture
def admin(app: Activity, hub: StandInHub) -> str:
    return hub.token_for("root", ALL_USERS, admin=True)


@pytest.fixture
def instructor(app: Activity, hub: StandInHub) -> str:
    return hub.token_for("ines", course.of_group("class-a"))


async def ask(fetch: Fetch, path: str, token: str, query: str = RANGE) -> Any:
    response = await fetch(f"activity/api/{path}?{query}", token=token)
    assert response.code == 200, response.body
    return json.loads(response.body)


async def saved(fetch: Fetch, path: str, token: str, query: str = RANGE) -> list[dict[str, str]]:
    response = await fetch(f"activity/api/{path}?{query}", token=token)
    assert response.code == 200, response.body
    return list(csv.DictReader(io.StringIO(response.body.decode(), newline="")))


async def test_idle_time_worked_by_hand(fetch: Fetch, admin: str) -> None:
    idle = await ask(fetch, "idle", admin)

    assert idle["zone"] == "UTC"
    assert idle["whole"]["observed_seconds"] == idle["whole"]["server_seconds"] == 23 * HOUR
    assert idle["whole"]["idle_seconds"] == 885 * MINUTE
    assert idle["whole"]["idle_share"] == pytest.approx(14.75 / 23)
    assert [day["idle_seconds"] for day in idle["periods"]] == [
        690 * MINUTE, 90 * MINUTE, 105 * MINUTE,
    ]  # fmt: skip
    [week] = (await ask(fetch, "idle", admin, RANGE + "&unit=weeks"))["periods"]
    assert (week["first"], week["last"]) == ("2026-01-05", "2026-01-11")
    assert week["idle_seconds"] == 885 * MINUTE


async def test_without_data_nothing_is_known(fetch: Fetch, admin: str) -> None:
    query = "from=2025-01-01&to=2025-01-02"

    idle = (await ask(fetch, "idle", admin, query))["whole"]
    assert {
        idle[name] for name in idle if name.endswith(("seconds", "share")) and name != "share"
    } == {None}
    usage = await ask(fetch, "usage-by/server", admin, query)
    assert [period["usage"] for period in usage["periods"]] == [None, None]
    [row] = await saved(fetch, "usage-by/server.csv", admin, query)
    assert [row[name] for name in ("server", "server_hours", "sessions")] == ["", "", ""]


async def test_usage_by_profile_worked_by_hand(fetch: Fetch, admin: str) -> None:
    usage = await ask(fetch, "usage-by/profile", admin, RANGE + "&unit=weeks")

    rows = [
        {
            "name": "class-b",
            "server_seconds": 17 * HOUR,
            "sessions": 4,
            "active_users": 3,
            "cost": None,
        },
        {
            "name": "small",
            "server_seconds": 5 * HOUR,
            "sessions": 2,
            "active_users": 1,
            "cost": None,
        },
        {"name": "", "server_seconds": HOUR, "sessions": 1, "active_users": 1, "cost": None},
    ]
    assert usage["whole"]["usage"] == usage["periods"][0]["usage"] == rows
    assert "weight" not in usage


async def test_usage_by_server_name(fetch: Fetch, admin: str) -> None:
    usage = await ask(fetch, "usage-by/server", admin)

    assert usage["whole"]["usage"] == [
        {"name": "", "server_seconds": 23 * HOUR, "sessions": 7, "active_users": 5, "cost": None}
    ]


async def test_an_instructor_gets_those_of_the_group_alone(fetch: Fetch, instructor: str) -> None:
    idle = (await ask(fetch, "idle", instructor))["whole"]
    assert (idle["observed_seconds"], idle["idle_seconds"]) == (6 * HOUR, 150 * MINUTE)
    usage = await ask(fetch, "usage-by/profile", instructor)
    assert [row["name"] for row in usage["whole"]["usage"]] == ["small", ""]


async def test_a_student_gets_their_own(fetch: Fetch, app: Activity, hub: StandInHub) -> None:
    token = hub.token_for("alan")

    assert (await ask(fetch, "idle", token))["whole"]["idle_share"] == 0
    usage = await ask(fetch, "usage-by/profile", token)
    assert [row["name"] for row in usage["whole"]["usage"]] == [""]


async def test_they_can_be_saved(fetch: Fetch, admin: str) -> None:
    idle = await saved(fetch, "idle.csv", admin, RANGE + "&unit=months")
    assert idle == [
        {
            "first": "2026-01-01", "last": "2026-01-31", "watched_share": idle[0]["watched_share"],
            "server_hours": "23.0", "observed_hours": "23.0", "idle_hours": "14.75",
            "idle_share": "0.6413",
        }
    ]  # fmt: skip
    whole = await saved(fetch, "usage-by/profile.csv", admin)
    assert [(row["profile"], row["server_hours"], row["active_users"]) for row in whole] == [
        ("class-b", "17.0", "3"), ("small", "5.0", "1"), ("no profile", "1.0", "1"),
    ]  # fmt: skip
    days = await saved(fetch, "usage-by/profile.csv", admin, RANGE + "&unit=days")
    assert [(row["first"][-2:], row["profile"], row["sessions"]) for row in days] == [
        ("05", "class-b", "1"), ("05", "small", "1"), ("05", "no profile", "1"),
        ("06", "class-b", "1"), ("06", "small", "1"), ("07", "class-b", "2"),
    ]  # fmt: skip
    [row] = await saved(fetch, "usage-by/server.csv", admin)
    assert row["server"] == "default server"


@pytest.mark.parametrize("query", ["unit=hours", "unit=", "kind=user"])
async def test_units_that_there_are_not_are_refused(fetch: Fetch, admin: str, query: str) -> None:
    for path in ("idle", "usage-by/profile", "usage-by/profile.csv"):
        response = await fetch(f"activity/api/{path}?{query}", token=admin)
        assert response.code == 400
    assert (await fetch("activity/api/usage-by/user", token=admin)).code == 404


async def test_a_day_without_usage_has_a_row_of_zeros(fetch: Fetch, instructor: str) -> None:
    rows = await saved(fetch, "usage-by/server.csv", instructor, RANGE + "&unit=days")

    assert [(row["server"], row["server_hours"], row["sessions"]) for row in rows] == [
        ("default server", "4.0", "2"), ("default server", "2.0", "1"), ("", "0.0", "0"),
    ]  # fmt: skip
    assert list(csv_rows([], "server")) == []
