"""Calls of the hub for the users that a user may see, and what is shown if they fail."""

from __future__ import annotations

import json
import logging
from collections import Counter
from typing import Any

import pytest

from tests.support.activity import course
from tests.support.activity.course import RANGE
from tests.support.activity.pages import PATHS, read
from tornado_service.activity import Activity
from tornado_service.testing import Fetch, StandInHub, Visitor
from tornado_service.testing import fake_hub as stand_in_hub

MONTH = "month/2026-01"

#: Paths with figures of groups.
OF_GROUPS = ("groups", "api/groups", "api/groups.csv", MONTH, f"api/{MONTH}")


def list_calls(hub: StandInHub) -> Counter[str]:
    """Calls for the lists of users and groups."""
    return Counter({path: hub.calls[f"/hub/api/{path}"] for path in ("users", "groups")})


async def test_for_a_student_no_call_is_made_that_the_hub_would_refuse(
    app: Activity, hub: StandInHub, fetch: Fetch, visitor: Visitor
) -> None:
    token = hub.token_for("ada")
    hub.calls.clear()

    for path in (path for path in PATHS if not path.startswith("people/")):
        assert (await visitor.open(f"activity/{path}?{RANGE}")).code == 200, path
    for path in ("now", "summary", "people", "groups", "me", MONTH, "groups.csv"):
        assert (await fetch(f"activity/api/{path}", token=token)).code == 200, path

    assert not list_calls(hub).total()
    groups = json.loads((await fetch("activity/api/groups", token=token)).body)
    assert (groups["missing"], groups["groups"]) == ("list:groups", [])


async def test_for_an_instructor_the_hub_is_called(
    app: Activity, hub: StandInHub, instructor: Visitor
) -> None:
    hub.calls.clear()

    await instructor.open(f"activity/groups?{RANGE}")

    # the second list of users has those newer than the history
    assert list_calls(hub) == {"users": 2, "groups": 1}


@pytest.mark.parametrize("count", [19, 25, 500])
@pytest.mark.parametrize("path", OF_GROUPS)
async def test_an_instructor_of_one_of_many_groups_sees_that_group(
    app: Activity, hub: StandInHub, fetch: Fetch, count: int, path: str
) -> None:
    for number in range(count):
        hub.directory.add_group(f"group-{number}")
    token = hub.token_for("ines", course.of_group("class-a"))

    response = await fetch(f"activity/{path}", token=token)

    assert response.code == 200, response.body
    assert b"class-a" in response.body
    assert b"group-" not in response.body


class TestMonthWithoutGroups:
    """The hub returns no groups this time: the report has none, and says so."""

    @pytest.fixture
    def token(self, hub: StandInHub) -> str:
        return hub.token_for("root", course.ALL_USERS)

    @pytest.fixture(params=["error", "limited", "garbage", "too large", "no list"])
    def groups_fail(
        self, request: pytest.FixtureRequest, hub: StandInHub, monkeypatch: pytest.MonkeyPatch
    ) -> str:
        fault = request.param

        async def get(handler: Any) -> None:
            if fault == "too large":
                handler.write({"items": [{"name": "a", "users": ["x" * 9_000_000]}]})
            elif fault == "no list":
                handler.write({"items": "none"})
            else:
                await handler._apply_fault(fault)

        monkeypatch.setattr(stand_in_hub._Groups, "get", get)
        return fault

    async def test_the_page(
        self, app: Activity, hub: StandInHub, admin: Visitor, groups_fail: str
    ) -> None:
        text = await read(admin, MONTH)

        assert "Groups are left out: JupyterHub did not send them" in text
        assert "Active users" in text

    async def test_the_api_and_the_log(
        self,
        app: Activity,
        fetch: Fetch,
        token: str,
        groups_fail: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        response = await fetch(f"activity/api/{MONTH}", token=token)

        report = json.loads(response.body)
        assert (report["groups"], report["groups_missing"]) == ([], "unavailable")
        assert report["month"]["whole"]["active_users"] == 5
        reported = [
            record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING
        ]
        about = [line for line in reported if "JupyterHub, no groups" in line or "The hub" in line]
        assert len(about) == 1, reported

    async def test_the_page_of_groups_is_an_error(
        self, app: Activity, fetch: Fetch, token: str, groups_fail: str
    ) -> None:
        response = await fetch("activity/api/groups", token=token)

        assert response.code == (502 if groups_fail == "too large" else 503)


async def test_a_month_names_the_scope_that_is_missing_and_the_groups_that_are_there(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    responses = {}
    for scopes in (("list:users",), course.ALL_USERS):
        response = await fetch(f"activity/api/{MONTH}", token=hub.token_for("root", scopes))
        report = json.loads(response.body)
        responses[report["groups_missing"]] = [group["name"] for group in report["groups"]]

    assert responses == {"list:groups": [], "": ["class-a", "class-b"]}


async def test_a_month_is_not_shown_to_a_user_who_has_signed_out_at_the_hub(
    app: Activity, hub: StandInHub, admin: Visitor
) -> None:
    await admin.open("home")
    hub.users.clear()

    assert (await admin.get(f"activity/{MONTH}")).code == 401
