"""Best times for maintenance, on the pages and in the API."""

from __future__ import annotations

import json
from collections.abc import Collection

import pytest

from tests.support.activity.pages import read
from tests.support.activity.small_hub import history, session
from tornado_service.activity import Activity
from tornado_service.activity.history.history import History
from tornado_service.testing import Visitor

HOUR = 3600
DAY = 24 * HOUR
START = 1769990400  # Monday, 2026-02-02, at midnight UTC
FEBRUARY = "from=2026-02-02&to=2026-03-01"
PAGES = (("", FEBRUARY), ("month/2026-02", ""))


def busy(hours: Collection[int], days: int = 28) -> History:
    """One server in these hours of each week."""
    sessions = [
        session(1, START + week * 7 * DAY + hour * HOUR, START + week * 7 * DAY + (hour + 1) * HOUR)
        for week in range(4)
        for hour in hours
    ]
    return history("UTC", [(START, START + days * DAY)], sessions)


@pytest.fixture
def know(app: Activity, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sunday at 22:00 to Monday at 4:00 is quiet."""
    remember(app, busy(range(4, 166)), monkeypatch)


def remember(app: Activity, data: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.recorder.archive, "_updated_history", lambda reader: data)


@pytest.mark.usefixtures("know")
@pytest.mark.parametrize(("path", "query"), PAGES)
async def test_a_user_who_sees_the_whole_hub_sees_them(
    app: Activity, admin: Visitor, path: str, query: str
) -> None:
    await app.recorder.archive.refresh()

    text = await read(admin, path, query)

    assert "Best times for maintenance: Sunday 22:00 to Monday 04:00 (UTC)." in text
    assert "Concurrent servers: average 0.0, peak 0." in text
    assert admin.page.count("data-quiet") == 6


@pytest.mark.usefixtures("know")
@pytest.mark.parametrize(("path", "query"), PAGES)
async def test_a_user_who_sees_some_users_does_not(
    app: Activity, instructor: Visitor, path: str, query: str
) -> None:
    await app.recorder.archive.refresh()

    assert "maintenance" not in await read(instructor, path, query)
    assert "data-quiet" not in instructor.page


@pytest.mark.parametrize(
    ("hours", "reported"),
    [
        ((), "any time . No servers ran in the hours with data."),
        (range(168), "no hour of the week is quieter than the others."),
    ],
    ids=["no servers", "equally busy"],
)
async def test_a_week_without_a_quieter_hour_is_reported_as_such(
    app: Activity,
    admin: Visitor,
    monkeypatch: pytest.MonkeyPatch,
    hours: Collection[int],
    reported: str,
) -> None:
    remember(app, busy(hours), monkeypatch)
    await app.recorder.archive.refresh()

    assert f"Best times for maintenance: {reported}" in await read(admin, "", FEBRUARY)
    assert "data-quiet" not in admin.page


@pytest.mark.parametrize(("days", "reported"), [(19, "1 day is"), (18, "2 days are")])
async def test_days_that_are_missing_are_counted_whole(
    app: Activity, admin: Visitor, monkeypatch: pytest.MonkeyPatch, days: int, reported: str
) -> None:
    remember(app, busy((), days), monkeypatch)
    await app.recorder.archive.refresh()

    assert f"{reported} missing." in await read(admin, "", FEBRUARY)


@pytest.mark.usefixtures("know")
async def test_the_api_adds_them_to_the_existing_fields(
    app: Activity, admin: Visitor, instructor: Visitor
) -> None:
    await app.recorder.archive.refresh()
    await admin.open("activity/")
    await instructor.open("activity/")

    for path in ("hours", "summary"):
        figures = json.loads((await admin.get(f"activity/api/{path}?{FEBRUARY}")).body)
        assert figures["maintenance_window"] == {
            "weekday": 6, "hour": 22, "hours": 6, "mean_servers": 0.0, "peak_servers": 0,
        }  # fmt: skip
        assert [hour["hour"] for hour in figures["quietest"]] == [22, 23, 0, 1, 2, 3]
        assert figures["weeks_missing"] == 0
        figures = json.loads((await instructor.get(f"activity/api/{path}?{FEBRUARY}")).body)
        assert (figures["maintenance_window"], figures["quietest"]) == (None, None)
