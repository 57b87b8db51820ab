"""Arrival cohorts: page, API and CSV say the same, and only of users the visitor may see."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from tests.support.activity.course import DAY, HOUR, MONDAY, RUNS, WATCHED, of_group
from tests.support.activity.pages import links, read
from tornado_service.activity import Activity
from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot
from tornado_service.testing import NewVisitor, StandInHub, Visitor

COURSE = "from=2026-01-05&to=2026-01-11"


@pytest.fixture
async def dee(app: Activity, hub: StandInHub) -> None:
    """Arrived in the week of the course, in class-a, and came back once, in the week after."""
    hub.directory.add_user("dee", groups=["class-a"], created=None)
    back = MONDAY + 12 * DAY
    for taken, servers in (
        (MONDAY + (WATCHED + 1) * HOUR, ()),
        (back, (ServerSnapshot("", back - HOUR),)),
        (MONDAY + 22 * DAY, ()),
    ):
        users = (*map(UserSnapshot, RUNS), UserSnapshot("dee", servers=servers))
        await app.recorder.store_sample(Sample(taken, True, users), 10 * DAY)


async def ask(visitor: Visitor, query: str) -> list[dict[str, Any]]:
    cohorts: list[dict[str, Any]] = json.loads(
        (await visitor.get(f"activity/api/cohorts?{query}")).body
    )["cohorts"]
    return cohorts


@pytest.mark.usefixtures("dee")
async def test_page_api_and_csv_say_how_many_came_back(admin: Visitor) -> None:
    text = await read(admin, "cohorts", COURSE)
    assert "2026-01-05 to 2026-01-11 1 1 (100 %) yet to come yet to come" in text

    [cohort] = await ask(admin, COURSE)
    assert (cohort["first"], cohort["last"], cohort["arrived"]) == ("2026-01-05", "2026-01-11", 1)
    assert [(week["week"], week["returned"]) for week in cohort["weeks"]] == [
        (1, 1), (2, None), (4, None), (8, None),
    ]  # fmt: skip

    [address] = [link for link in links(admin.page) if "cohorts.csv" in link]
    saved = await admin.get(address)
    assert "-cohorts-weeks-2026-01-05-to-2026-01-11.csv" in saved.headers["Content-Disposition"]
    [row] = csv.DictReader(io.StringIO(saved.body.decode(), newline=""))
    assert list(row) == [
        "first", "last", "watched_share", "arrived",
        "returned_week_1", "watched_share_week_1", "returned_week_2", "watched_share_week_2",
        "returned_week_4", "watched_share_week_4", "returned_week_8", "watched_share_week_8",
    ]  # fmt: skip
    assert (row["arrived"], row["returned_week_1"], row["returned_week_2"]) == ("1", "1", "")
    assert (row["watched_share"], row["watched_share_week_1"]) == ("1.0", "1.0")


@pytest.mark.usefixtures("dee")
async def test_cohorts_of_a_month_keep_the_period_and_the_unit(admin: Visitor) -> None:
    await read(admin, "cohorts", COURSE)
    assert f"{admin.home}activity/cohorts?{COURSE}&unit=months" in links(admin.page)

    text = await read(admin, "cohorts", f"{COURSE}&unit=months")
    assert "January 2026 so far 1 yet to come" in text
    assert '<input type="hidden" name="unit" value="months">' in admin.page
    assert f"{admin.home}activity/api/cohorts.csv?{COURSE}&unit=months" in links(admin.page)
    [cohort] = await ask(admin, f"{COURSE}&unit=months")
    assert (cohort["first"], cohort["last"]) == ("2026-01-01", "2026-01-31")


@pytest.mark.usefixtures("dee")
async def test_users_whom_the_hub_does_not_list_are_in_no_cohort(
    hub: StandInHub, instructor: Visitor, new_visitor: NewVisitor
) -> None:
    hub.grant("kim", *of_group("class-b"))
    kim = new_visitor("kim")

    for visitor, arrived in ((instructor, 1), (kim, 0)):
        await visitor.open("activity/cohorts")
        assert [cohort["arrived"] for cohort in await ask(visitor, COURSE)] == [arrived]


async def test_the_usual_period_is_26_weeks(admin: Visitor) -> None:
    await admin.open("activity/cohorts")
    assert len(await ask(admin, "to=2026-07-05")) == 26
    text = await read(admin, "cohorts", "from=x")
    assert "Showing the last 182 days." in text


async def test_without_data_nothing_is_known(admin: Visitor) -> None:
    await admin.open("activity/cohorts")
    [cohort] = await ask(admin, "from=2025-06-02&to=2025-06-08")
    assert cohort["arrived"] is None
    assert [week["returned"] for week in cohort["weeks"]] == [None] * 4
    text = await read(admin, "cohorts", "from=2025-06-02&to=2025-06-08")
    assert text.count("no data") == 5


async def test_an_unknown_unit_is_refused(admin: Visitor) -> None:
    await admin.open("activity/cohorts")
    assert (await admin.get("activity/api/cohorts?unit=days")).code == 400
    await read(admin, "cohorts", "unit=days")
    assert 'role="alert"' in admin.page
