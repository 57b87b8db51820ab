"""No file, message, order or search reveals a user whom the hub does not show."""

from __future__ import annotations

import csv
import json
import re
from typing import Any, get_args
from urllib.parse import quote

import pytest

from tests.support.activity import course
from tests.support.activity.course import CLASS_A, CLASS_B, RANGE
from tornado_service.activity import Activity
from tornado_service.activity.access.queries import PeopleQuery
from tornado_service.activity.history.history import History
from tornado_service.testing import Fetch, StandInHub, Visitor

SHEETS = ("days", "hours", "sessions")

#: Paths of one user, below ``P/activity/``.
OF_PERSON = ("people/{}", "api/people/{}", *(f"api/people/{{}}/{sheet}.csv" for sheet in SHEETS))

#: A user whom the instructor may not see, and an unknown one: names of the same length.
HIDDEN, UNKNOWN = "bob", "eve"


@pytest.fixture
def token(hub: StandInHub) -> str:
    """An instructor's token."""
    return hub.token_for("ines", course.of_group("class-a"))


async def test_a_user_who_sees_all_groups_and_some_users_sees_only_these_users_in_them(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    scopes = ("list:users!group=class-a", "list:groups", "read:groups")
    token = hub.token_for("ines", scopes)

    async def get(path: str) -> Any:
        return json.loads((await fetch(f"activity/api/{path}", token=token)).body)

    for response in (await get(f"groups?{RANGE}"), await get("month/2026-01")):
        groups = {group.pop("name"): group for group in response["groups"]}
        assert groups["class-a"] == {
            "members": 2, "active_users": 2, "server_seconds": 6 * course.HOUR, "sessions": 3,
            "cost": None,
        }  # fmt: skip
        assert groups["class-b"] == {
            "members": 0, "active_users": 0, "server_seconds": 0, "sessions": 0,
            "cost": None,
        }  # fmt: skip


#: Paths with figures of other users, below ``P/activity/api/``.
OF_OTHERS = (
    "now", "summary", "days", "weeks", "months", "hours", "hourly", "trend", "people", "groups",
    "cohorts", "month/2026-01", "summary.csv", "hourly.csv", "trend.csv",
    "now.csv", "days.csv", "weeks.csv", "months.csv", "hours.csv", "people.csv", "groups.csv",
    "cohorts.csv",
)  # fmt: skip


@pytest.mark.parametrize("path", OF_OTHERS)
async def test_figures_of_others_include_an_instructor_only_if_the_hub_lists_them(
    app: Activity, hub: StandInHub, fetch: Fetch, path: str
) -> None:
    for name in ("bob", "ada"):
        hub.directory.add_server(name, started="2026-01-08T00:00:00Z")
    await app.recorder.collector.collect(course.MONDAY)

    async def response_to(who: str) -> bytes:
        """The response to a user who sees class-a; bob is in class-b, ines has no usage."""
        token = hub.token_for(who, course.of_group("class-a"))
        return (await fetch(f"activity/api/{path}?{RANGE}", token=token)).body

    assert await response_to("bob") == await response_to("ines") == await response_to("ada")
    assert b"bob" not in await response_to("bob")


async def test_an_instructor_has_their_own_usage_on_a_page_of_its_own(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    token = hub.token_for("bob", course.of_group("class-a"))

    me = await fetch(f"activity/api/me?{RANGE}", token=token)
    assert json.loads(me.body)["use"]["whole"]["server_seconds"] == 14 * course.HOUR
    assert (await fetch(f"activity/api/people/bob?{RANGE}", token=token)).code == 404


@pytest.mark.parametrize("scopes", [(), course.of_group("class-of-nobody")])
async def test_a_user_to_whom_the_hub_lists_no_other_user_sees_their_own_figures(
    app: Activity, hub: StandInHub, fetch: Fetch, scopes: tuple[str, ...]
) -> None:
    token = hub.token_for("bob", scopes)

    summary = await fetch(f"activity/api/summary?{RANGE}", token=token)
    assert json.loads(summary.body)["whole"]["server_seconds"] == 14 * course.HOUR
    people = await fetch(f"activity/api/people?{RANGE}", token=token)
    assert [row["name"] for row in json.loads(people.body)["people"]] == ["bob"]


@pytest.mark.parametrize("path", OF_PERSON)
async def test_hidden_and_unknown_users_get_the_same_response_byte_for_byte(
    app: Activity, fetch: Fetch, token: str, path: str
) -> None:
    async def get(name: str) -> tuple[int, bytes, dict[str, str]]:
        response = await fetch(f"activity/{path.format(name)}?{RANGE}", token=token)
        headers = dict(response.headers.get_all())
        when = headers.pop("Date").encode()  # an error page contains it, too
        return response.code, response.body.replace(when, b"").replace(name.encode(), b""), headers

    hidden, unknown = await get(HIDDEN), await get(UNKNOWN)

    assert hidden[0] == 404
    assert hidden == unknown


@pytest.mark.parametrize("path", OF_PERSON)
async def test_no_more_is_computed_for_hidden_users_than_for_unknown_ones(
    app: Activity, fetch: Fetch, token: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that response times do not reveal which users exist."""
    histories: list[Any] = []
    restricted = History.restricted

    def note(history: History, users: Any, *cache: Any) -> History:
        histories.append(users)
        return restricted(history, users, *cache)

    monkeypatch.setattr(History, "restricted", note)
    work = {}
    for name in (UNKNOWN, HIDDEN, "ada"):
        histories.clear()
        await fetch(f"activity/{path.format(name)}?{RANGE}", token=token)
        work[name] = list(histories)

    assert work[HIDDEN] == work[UNKNOWN]
    assert len(work["ada"]) > len(work[HIDDEN]) > 0


async def test_no_order_or_search_of_users_reveals_a_hidden_user(
    instructor: Visitor, token: str, fetch: Fetch
) -> None:
    orders = get_args(PeopleQuery.model_fields["sort"].annotation)
    queries = [
        *(f"sort={sort}" for sort in orders),
        *(f"q={quote(name)}" for name in (*CLASS_B, "b", "", "class-b")),
        "page=2",
    ]
    for query in queries:
        await instructor.open(f"activity/people?{RANGE}&{query}")
        names = re.findall(r'<th scope="row"><a [^>]*>([^<]*)</a></th>', instructor.page)
        listed = json.loads((await fetch(f"activity/api/people?{query}", token=token)).body)
        saved = (await fetch(f"activity/api/people.csv?{query}", token=token)).body.decode()

        assert {*names} <= {*CLASS_A}, query
        assert listed["total"] <= len(CLASS_A), query
        assert {row["name"] for row in listed["people"]} <= {*CLASS_A}, query
        assert {row[0] for row in [*csv.reader(saved.splitlines())][1:]} <= {*CLASS_A}, query
        if not query.startswith("q=") or query == "q=":
            assert len(names) == len(CLASS_A), query
