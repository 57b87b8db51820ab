"""Operations behind the overview: figures, comparison, trend and hours, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from tests.support.activity import course
from tests.support.activity.course import ALL_USERS, HOUR, RANGE
from tornado_service.activity import Activity
from tornado_service.testing import Fetch, StandInHub

TUESDAY = "from=2026-01-06&to=2026-01-06"


@pytest.fixture
def admin(hub: StandInHub) -> str:
    return hub.token_for("root", ALL_USERS, admin=True)


@pytest.fixture
def instructor(hub: StandInHub) -> str:
    return hub.token_for("ines", course.of_group("class-a"))


async def ask(fetch: Fetch, path: str, token: str, query: str = RANGE) -> Any:
    response = await fetch(f"activity/api/{path}?{query}", token=token)
    assert response.code == 200, response.body
    return json.loads(response.body)


async def sheet(fetch: Fetch, path: str, token: str, query: str = RANGE) -> list[dict[str, str]]:
    response = await fetch(f"activity/api/{path}?{query}", token=token)
    assert response.code == 200, response.body
    name = path.removesuffix(".csv")
    assert f"-{name}-2026-01-" in response.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(response.body.decode(), newline="")))


async def test_the_summary_compares_with_the_day_before(
    app: Activity, fetch: Fetch, admin: str
) -> None:
    comparison = (await ask(fetch, "summary", admin, TUESDAY))["comparison"]

    previous = comparison["previous"]
    assert (previous["earlier_first"], previous["earlier_share"]) == ("2026-01-05", 1)
    assert previous["active_users"] == {"value": 2, "earlier": 3, "change": 2 / 3 - 1}
    assert previous["server_seconds"] == {
        "value": 4 * HOUR, "earlier": 15 * HOUR, "change": 4 / 15 - 1,
    }  # fmt: skip
    year = comparison["year_before"]
    assert (year["earlier_first"], year["earlier_share"]) == ("2025-01-07", 0)
    assert year["active_users"] == {"value": 2, "earlier": None, "change": None}


async def test_an_instructors_comparison_is_of_their_group_alone(
    app: Activity, fetch: Fetch, instructor: str
) -> None:
    previous = (await ask(fetch, "summary", instructor, TUESDAY))["comparison"]["previous"]

    assert previous["active_users"] == {"value": 1, "earlier": 2, "change": -0.5}
    assert previous["server_seconds"]["earlier"] == 4 * HOUR


async def test_a_comparison_that_would_mislead_has_no_changes(
    app: Activity, fetch: Fetch, admin: str
) -> None:
    previous = (await ask(fetch, "summary", admin, "from=2026-01-06&to=2026-01-07"))["comparison"][
        "previous"
    ]

    assert previous["earlier_share"] == 0.5
    assert not previous["is_comparable"]
    assert previous["active_users"] == {"value": 4, "earlier": 3, "change": None}


async def test_the_summary_as_csv(app: Activity, fetch: Fetch, admin: str) -> None:
    rows = await sheet(fetch, "summary.csv", admin, TUESDAY)

    assert list(rows[0]) == [
        "figure", "period", "first", "last", "watched_share", "value", "compared_value", "change",
    ]  # fmt: skip
    found = {(row["period"], row["figure"]): row for row in rows}
    assert found["period", "server_hours"]["value"] == "4.0"
    assert found["period", "median_session_hours"]["value"] == "2.0"
    assert found["period", "never_returned_users"]["value"] == ""
    assert found["period", "active_users"]["change"] == ""
    assert found["previous", "server_hours"] == {
        "figure": "server_hours", "period": "previous", "first": "2026-01-05",
        "last": "2026-01-05", "watched_share": "1.0", "value": "15.0", "compared_value": "4.0",
        "change": "-0.7333",
    }  # fmt: skip
    assert found["year_before", "active_users"]["value"] == ""
    assert len(rows) == 10 + 5 + 5


async def test_without_a_day_that_is_over_the_csv_has_the_period_alone(
    app: Activity, fetch: Fetch, admin: str
) -> None:
    rows = await sheet(fetch, "summary.csv", admin, "from=2026-01-08&to=2026-01-09")

    assert {row["period"] for row in rows} == {"period"}


async def test_the_trend(app: Activity, fetch: Fetch, admin: str, instructor: str) -> None:
    days = (await ask(fetch, "trend", admin))["days"]
    assert [day["daily_active_users"] for day in days] == [3, 2, 2]
    assert [day["weekly_active_users"] for day in days] == [3, 4, 5]
    assert [day["stickiness"] for day in days] == [None] * 3
    of_class = (await ask(fetch, "trend", instructor))["days"]
    assert [day["weekly_active_users"] for day in of_class] == [2, 2, 2]

    rows = await sheet(fetch, "trend.csv", admin)
    assert list(rows[0].items())[:7] == [
        ("date", "2026-01-05"), ("watched_share", "1.0"), ("is_over", "yes"), ("new_users", "0"),
        ("daily_active_users", "3"), ("daily_at_least", "no"), ("weekly_active_users", "3"),
    ]  # fmt: skip
    assert list(rows[0].values())[7:] == ["yes", "3", "yes", "", ""]


async def test_the_hours_of_a_day(app: Activity, fetch: Fetch, admin: str, instructor: str) -> None:
    hours = await ask(fetch, "hourly", admin, TUESDAY)
    assert hours["zone"] == "UTC"
    assert [hour["mean_servers"] for hour in hours["hours"]][8:13] == [0, 1, 2, 1, 0]
    assert hours["hours"][9]["start"] == "2026-01-06T09:00:00Z"
    of_class = (await ask(fetch, "hourly", instructor, TUESDAY))["hours"]
    assert [hour["peak_servers"] for hour in of_class][8:13] == [0, 1, 1, 0, 0]

    rows = await sheet(fetch, "hourly.csv", admin, TUESDAY)
    assert rows[10] == {
        "start": "2026-01-06 10:00:00+00:00", "watched_share": "1.0", "mean_servers": "2.0",
        "peak_servers": "2",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["hourly", "hourly.csv"])
@pytest.mark.parametrize(
    ("query", "status"),
    [("from=2026-01-01&to=2026-04-02", 200), ("from=2026-01-01&to=2026-04-03", 400),
     ("from=1990-01-01", 400)],
)  # fmt: skip
async def test_hours_are_those_of_92_days_at_most(
    app: Activity, fetch: Fetch, admin: str, path: str, query: str, status: int
) -> None:
    response = await fetch(f"activity/api/{path}?{query}", token=admin)

    assert response.code == status
    if status == 400:
        assert json.loads(response.body)["message"] == "The period has more than 92 days."
