"""Changes of one user's usage, and the latest session, on their own page and in the API."""

from __future__ import annotations

import json

import pytest

from tests.support.activity import course
from tests.support.activity.course import ALL_USERS, HOUR, MONDAY
from tests.support.activity.pages import links, read
from tornado_service.activity import Activity
from tornado_service.testing import Fetch, StandInHub, Visitor

TUESDAY = "from=2026-01-06&to=2026-01-06"


async def test_ones_own_usage_is_compared_with_the_day_before(
    app: Activity, visitor: Visitor
) -> None:
    text = await read(visitor, "", TUESDAY)

    assert "Server-hours 2.0 h \u221233 % on 3.0 h the day before" in text
    assert "Sessions 1 No change from 1 the day before" in text
    assert "Latest session 2.0 h began 2026-01-06 09:00 The day before: 5 January 2026." in text
    assert "in the previous period" not in text


async def test_others_are_not_part_of_it(app: Activity, admin: Visitor) -> None:
    text = await read(admin, "people/bob", TUESDAY)

    assert "Server-hours 0.0 h \u2212100 % on 11.0 h the day before" in text
    assert "Latest session none" in text


async def test_a_running_session_is_the_latest(
    app: Activity, visitor: Visitor, hub: StandInHub
) -> None:
    hub.directory.add_server("ada", started="2026-01-08T00:00:00Z")
    hub.date = ""
    await app.recorder.collector.collect(MONDAY + 80 * HOUR)
    await app.recorder.refresh()

    text = await read(visitor, "me", "from=2026-01-06&to=2026-01-08")

    assert "began 2026-01-08 00:00, running" in text


async def test_without_data_there_is_nothing_to_compare(app: Activity, visitor: Visitor) -> None:
    text = await read(visitor, "", "from=2024-01-01&to=2024-01-31")

    assert "previous" not in text
    assert "Latest session not enough data yet" in text


@pytest.mark.parametrize("path", ["me", "people/ada"])
async def test_changes_of_a_user_are_in_the_api(
    app: Activity, hub: StandInHub, fetch: Fetch, path: str
) -> None:
    token = hub.token_for("ada", ALL_USERS)

    response = await fetch(f"activity/api/{path}?{TUESDAY}", token=token)

    previous = json.loads(response.body)["comparison"]["previous"]
    assert previous["server_seconds"] == {
        "value": 2 * HOUR, "earlier": 3 * HOUR, "change": 2 / 3 - 1,
    }  # fmt: skip


async def test_a_day_of_a_users_page_opens_on_it(app: Activity, admin: Visitor) -> None:
    await read(admin, "people/bob", course.RANGE)

    assert f"{admin.home}activity/people/bob?{TUESDAY}" in links(admin.page)
