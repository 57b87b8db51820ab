"""Rosters and comparisons of groups as JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.activity import course
from tests.support.activity.course import ALL_USERS, HOUR, RANGE
from tornado_service.activity import Activity
from tornado_service.testing import Fetch, ServiceConfig, StandInHub, StartService

BOTH = f"{RANGE}&group=class-b&group=class-a"


@pytest.fixture
def instructor_token(app: Activity, hub: StandInHub) -> str:
    """Of class-a, in which zoe is, too, who has never signed in."""
    hub.directory.add_user("zoe", groups=["class-a"], created=None)
    return hub.token_for("ines", course.of_group("class-a"))


@pytest.fixture
def admin_token(app: Activity, hub: StandInHub) -> str:
    return hub.token_for("root", ALL_USERS, admin=True)


async def ask(fetch: Fetch, path: str, token: str, query: str = RANGE) -> Any:
    response = await fetch(f"activity/api/{path}?{query}", token=token)
    assert response.code == 200, response.body
    return json.loads(response.body)


async def rows(fetch: Fetch, path: str, token: str, query: str = RANGE) -> list[dict[str, str]]:
    response = await fetch(f"activity/api/{path}?{query}", token=token)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8", response.body
    return list(csv.DictReader(io.StringIO(response.body.decode(), newline="")))


async def test_the_roster_of_a_class(fetch: Fetch, instructor_token: str) -> None:
    roster = await ask(fetch, "groups/class-a/roster", instructor_token)

    members = roster.pop("members")
    assert roster.pop("as_of").startswith("2026-01-08T00:01")
    assert roster == {
        "group": "class-a", "zone": "UTC", "strip_first": "2026-01-05",
        "strip_last": "2026-01-07", "total": 3, "page": 1, "pages": 1,
    }  # fmt: skip
    assert members == [
        {
            "name": "zoe", "has_account": False, "never_active": True,
            "last_active": None, "days_inactive": None,
            "active_days": 0, "server_seconds": 0, "strip": "...", "cost": None,
        },
        {
            "name": "alan", "has_account": True, "never_active": False,
            "last_active": "2026-01-05", "days_inactive": 3,
            "active_days": 1, "server_seconds": HOUR, "strip": "a..", "cost": None,
        },
        {
            "name": "ada", "has_account": True, "never_active": False,
            "last_active": "2026-01-06", "days_inactive": 2,
            "active_days": 2, "server_seconds": 5 * HOUR, "strip": "aa.", "cost": None,
        },
    ]  # fmt: skip


async def test_the_roster_is_saved_sorted_and_searched(fetch: Fetch, instructor_token: str) -> None:
    saved = await rows(fetch, "groups/class-a/roster.csv", instructor_token)
    assert [list(row.values()) for row in saved] == [
        ["zoe", "yes", "", "", "0", "0.0", "..."],
        ["alan", "no", "2026-01-05", "3", "1", "1.0", "a.."],
        ["ada", "no", "2026-01-06", "2", "2", "5.0", "aa."],
    ]

    async def names(query: str) -> list[str]:
        path = "groups/class-a/roster"
        found = await ask(fetch, path, instructor_token, f"{RANGE}&{query}")
        saved = await rows(fetch, f"{path}.csv", instructor_token, f"{RANGE}&{query}")
        assert [row["name"] for row in saved] == [row["name"] for row in found["members"]]
        return [row["name"] for row in found["members"]]

    assert await names("sort=-hours") == ["ada", "alan", "zoe"]
    assert await names("q=A&sort=name") == ["ada", "alan"]
    assert await names("inactive_since=2026-01-06") == ["zoe", "alan"]
    assert await names("inactive_since=2026-01-07") == ["zoe", "alan", "ada"]
    refused = await fetch(
        "activity/api/groups/class-a/roster?inactive_since=x", token=instructor_token
    )
    assert refused.code == 400


async def test_a_roster_has_pages(hub: StandInHub, fetch: Fetch, instructor_token: str) -> None:
    for number in range(60):
        hub.directory.add_user(f"user-{number:02}", groups=["class-a"], created=None)

    second = await ask(fetch, "groups/class-a/roster", instructor_token, "page=2")

    assert (second["total"], second["page"], second["pages"]) == (63, 2, 2)
    assert [row["name"] for row in second["members"]][-3:] == ["zoe", "alan", "ada"]


async def test_a_roster_before_there_was_data(fetch: Fetch, instructor_token: str) -> None:
    query = "from=2025-01-01&to=2025-01-02"
    roster = await ask(fetch, "groups/class-a/roster", instructor_token, query)

    for row in roster["members"]:
        assert (row["active_days"], row["server_seconds"], row["strip"]) == (None, None, "??")


async def test_a_roster_has_pseudonyms(
    start_service: StartService,
    service_config: ServiceConfig,
    hub: StandInHub,
    client: Any,
    tmp_path: Path,
) -> None:
    service = await start_service(**course.settings(tmp_path, pseudonym_secret="x" * 16))
    await course.ready(service)
    fetch = Fetch(client, f"http://127.0.0.1:{service.port}", service.prefix)
    hub.directory.add_user("zoe", groups=["class-a"], created=None)
    token = hub.token_for("ines", course.of_group("class-a"))

    members = (await ask(fetch, "groups/class-a/roster", token))["members"]

    assert all(row["name"].startswith("user-") for row in members)
    assert [row["strip"] for row in members] == ["...", "a..", "aa."]


async def test_two_classes_next_to_each_other(fetch: Fetch, admin_token: str) -> None:
    result = await ask(fetch, "groups/compare", admin_token, BOTH)

    assert (result["zone"], result["unit"], result["in_several"]) == ("UTC", "days", 0)
    groups = {group["name"]: group for group in (*result["groups"], result["together"])}
    assert list(groups) == ["class-a", "class-b", None]
    wholes = {
        name: (
            group["members"], group["whole"]["active_users"],
            group["whole"]["server_seconds"] // HOUR, group["whole"]["peak_servers"],
        )
        for name, group in groups.items()
    }  # fmt: skip
    assert wholes == {"class-a": (2, 2, 6, 2), "class-b": (3, 3, 17, 2), None: (5, 5, 23, 3)}
    hours = [day["server_seconds"] // HOUR for day in groups["class-b"]["periods"]]
    assert hours == [11, 2, 4]
    weeks = await ask(fetch, "groups/compare", admin_token, f"{BOTH}&unit=weeks")
    assert [len(group["periods"]) for group in weeks["groups"]] == [1, 1]


async def test_a_comparison_is_saved_by_group_and_by_period(fetch: Fetch, admin_token: str) -> None:
    saved = await rows(fetch, "groups/compare.csv", admin_token, BOTH)

    assert [(row["group"], row["members"], row["server_hours"]) for row in saved] == [
        ("class-a", "2", "6.0"), ("class-b", "3", "17.0"), ("(all together)", "5", "23.0"),
    ]  # fmt: skip
    assert (saved[0]["median_hours"], saved[0]["new"], saved[0]["returning"]) == ("2.0", "0", "")
    periods = await rows(fetch, "groups/compare/periods.csv", admin_token, BOTH)
    assert [(row["group"], row["first"], row["server_hours"]) for row in periods] == [
        ("class-a", "2026-01-05", "4.0"), ("class-a", "2026-01-06", "2.0"),
        ("class-a", "2026-01-07", "0.0"), ("class-b", "2026-01-05", "11.0"),
        ("class-b", "2026-01-06", "2.0"), ("class-b", "2026-01-07", "4.0"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("group=class-a", 400),
        ("group=class-a&group=class-a", 400),
        ("&".join(f"group=g{number}" for number in range(9)), 400),
        ("group=class-a&group=class-x", 404),
        ("group=class-a&group=class-b&unit=hours", 400),
        ("group=class-a&group=class-b&unit=days&from=2024-01-01&to=2026-03-10", 200),
        ("group=class-a&group=class-b&unit=days&from=2024-01-01&to=2026-03-11", 400),
        ("group=class-a&group=class-b&unit=weeks&from=2024-01-01&to=2026-03-11", 200),
    ],
)
async def test_a_comparison_needs_groups_that_are_there(
    fetch: Fetch, admin_token: str, query: str, status: int
) -> None:
    for path in ("compare", "compare.csv", "compare/periods.csv"):
        response = await fetch(f"activity/api/groups/{path}?{query}", token=admin_token)
        assert response.code == status, path


async def test_an_instructor_does_not_compare_with_a_hidden_group(
    fetch: Fetch, instructor_token: str
) -> None:
    response = await fetch(f"activity/api/groups/compare?{BOTH}", token=instructor_token)

    assert response.code == 404
    assert b"17" not in response.body
