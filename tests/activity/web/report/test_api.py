"""The report as JSON: its keys, and whose figures they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.activity import course
from tests.support.activity.course import ALL_USERS, HOUR, RANGE
from tornado_service.activity import Activity
from tornado_service.testing import Fetch, StandInHub

pytestmark = pytest.mark.usefixtures("app")


async def ask(fetch: Fetch, token: str, query: str = RANGE) -> Any:
    response = await fetch(f"activity/api/report?{query}", token=token)
    assert response.code == 200, response.body
    return json.loads(response.body)


@pytest.fixture
def admin_token(app: Activity, hub: StandInHub) -> str:
    return hub.token_for("root", ALL_USERS, admin=True)


async def test_all_its_figures(fetch: Fetch, admin_token: str) -> None:
    report = await ask(fetch, admin_token)

    assert set(report) == {
        "zone", "as_of", "currency", "first", "last", "whole", "lengths", "people", "comparison",
        "unit", "periods", "months", "months_before", "groups", "groups_missing", "sentence",
    }  # fmt: skip
    assert (report["zone"], report["currency"], report["unit"]) == ("UTC", None, "days")
    assert (report["first"], report["last"]) == ("2026-01-05", "2026-01-07")
    assert report["as_of"].startswith("2026-01-08T00:01")
    whole = report["whole"]
    assert (whole["active_users"], whole["server_seconds"], whole["sessions"]) == (5, 23 * HOUR, 7)
    assert [day["server_seconds"] / HOUR for day in report["periods"]] == [15, 4, 4]
    assert [month["first"] for month in report["months"]][::11] == ["2025-02-01", "2026-01-01"]
    assert {month["server_seconds"] for month in report["months_before"]} == {None}
    assert [group["name"] for group in report["groups"]] == ["class-b", "class-a"]
    assert report["groups_missing"] == ""
    assert report["sentence"] == (
        "From 5 to 7 January 2026, 5 users were active and servers ran for 23.0 hours in 7"
        " sessions."
    )


async def test_a_group(fetch: Fetch, admin_token: str) -> None:
    report = await ask(fetch, admin_token, f"{RANGE}&group=class-a")

    assert report["whole"]["server_seconds"] == 6 * HOUR
    assert [group["name"] for group in report["groups"]] == ["class-a"]


async def test_an_instructor_sees_one_class(hub: StandInHub, fetch: Fetch) -> None:
    report = await ask(fetch, hub.token_for("ines", course.of_group("class-a")))

    assert report["whole"]["active_users"] == 2
    assert [(group["name"], group["members"]) for group in report["groups"]] == [("class-a", 2)]


async def test_a_user_sees_only_themselves(hub: StandInHub, fetch: Fetch) -> None:
    report = await ask(fetch, hub.token_for("ada"))

    assert report["whole"]["server_seconds"] == 5 * HOUR
    assert report["groups"] == []
    assert report["sentence"] == (
        "From 5 to 7 January 2026, servers of ada ran for 5.0 hours in 2 sessions."
    )


async def test_groups_that_the_hub_refuses(hub: StandInHub, fetch: Fetch) -> None:
    report = await ask(fetch, hub.token_for("lea", ("list:users",)))

    assert report["groups"] == []
    assert report["groups_missing"] == "list:groups"


@pytest.mark.parametrize("query", ["from=2026-02-01&to=2026-01-01", "from=x", f"{RANGE}&unit=days"])
async def test_a_query_that_is_not_valid(fetch: Fetch, admin_token: str, query: str) -> None:
    assert (await fetch(f"activity/api/report?{query}", token=admin_token)).code == 400


async def test_groups_of_others_are_not_found(hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for("ines", course.of_group("class-a"))
    for name in ("class-b", "class-x"):
        response = await fetch(f"activity/api/report?{RANGE}&group={name}", token=token)
        assert response.code == 404
