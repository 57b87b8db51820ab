"""Pages with a history that is synthetic, empty, not loaded or failing."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from tests.support.activity.pages import PATHS, links, read, text_of
from tornado_service.activity import Activity, recorder
from tornado_service.activity.domain.records import FAR_FUTURE
from tornado_service.activity.history.history import History
from tornado_service.activity.store.store import Condition, HistoryState
from tornado_service.activity.web import formatting
from tornado_service.testing import Visitor


async def test_a_synthetic_history_is_labelled_as_demo_data(
    app: Activity, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Demo data" not in await read(admin, "")

    monkeypatch.setattr(app, "is_synthetic", True)

    for path in PATHS:
        assert "Demo data" in await read(admin, path)


async def remember(app: Activity, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the app this history only."""
    monkeypatch.setattr(app.recorder.archive, "_updated_history", lambda reader: history)
    await app.recorder.archive.refresh()


async def test_an_empty_history_shows_what_will_be_available_and_when(
    app: Activity, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await remember(app, History(app.zone), monkeypatch)
    text = await read(admin, "", "")
    assert "Coming soon" in text
    assert "Best times for maintenance: from" in text
    assert "Active users" not in text
    assert "No data yet" in await read(admin, "months", "")
    for path in ("now", "people", "groups", "me", "month/2026-01"):
        await read(admin, path, "")

    begun = int(time.time()) // 86400 * 86400 - 86400
    await remember(app, History(app.zone, now=begun + 60, observed_from=begun), monkeypatch)
    later = datetime.fromtimestamp(begun, timezone.utc).date() + timedelta(days=21)
    assert f"from {formatting.day(later)} on" in await read(admin, "", "")


@pytest.mark.parametrize(
    "state", [HistoryState.GETTING_READY, HistoryState.READY], ids=["opened", "read"]
)
async def test_while_the_history_loads_the_page_says_so_and_reloads(
    app: Activity, admin: Visitor, state: HistoryState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "LOADING_WAIT", 0.01)
    begin_loading(app)
    app.recorder.store.condition = Condition(state)

    for path in ("", "people", "months"):
        response = await admin.open(f"activity/{path}")
        assert response.code == 503
        assert response.headers["Retry-After"] == "5"
        assert "Loading the history" in text_of(admin.page)
        assert '<meta http-equiv="refresh" content="5">' in admin.page
    await read(admin, "now")


async def test_a_page_that_is_opened_while_the_history_loads_waits_for_it(
    app: Activity, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "LOADING_WAIT", 60)
    has_loaded = begin_loading(app)
    for path in ("people", "months"):
        page = asyncio.create_task(admin.open(f"activity/{path}"))
        while not has_loaded._waiters:  # type: ignore[attr-defined] # no public way to look
            assert not page.done()
            await asyncio.sleep(0.01)

        await app.recorder.refresh()

        assert (await page).code == 200
        has_loaded = begin_loading(app)


async def test_the_sums_of_a_year_are_prepared_for_each_history_that_is_loaded(
    app: Activity, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[History] = []
    monkeypatch.setattr(recorder, "prepare", lambda history, last: prepared.append(history))

    await app.recorder.refresh()
    assert not prepared  # it is the history that was loaded before

    await remember(app, History(app.zone), monkeypatch)
    await app.recorder.refresh()
    assert prepared == [app.recorder.archive.history]


def begin_loading(app: Activity) -> asyncio.Event:
    """Put the app back to where its history is not loaded yet; returns what is set once it is."""
    app.recorder.archive.is_loaded = False
    has_loaded = app.recorder._has_loaded
    has_loaded.clear()
    return has_loaded


async def test_the_list_of_users_is_not_known_before_the_hub_has_listed_all(
    app: Activity, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await remember(app, replace(app.recorder.archive.history, listed_from=FAR_FUTURE), monkeypatch)

    for path in ("people", "api/people", "api/people.csv"):
        response = await admin.open(f"activity/{path}")
        assert response.code == 503
        assert response.headers["Retry-After"] == "60"
    assert "The hub has not listed all users yet" in admin.page
    assert "Active users" in await read(admin, "")


@pytest.mark.parametrize("state", [HistoryState.LIVE_ONLY, HistoryState.REFUSED])
async def test_without_a_history_only_admins_read_why(
    app: Activity, admin: Visitor, instructor: Visitor, state: HistoryState
) -> None:
    app.recorder.archive.is_loaded = False
    app.recorder.store.condition = Condition(state, "Set c.Activity.database_url.")

    for visitor in (admin, instructor):
        text = await read(visitor, "")
        assert "No history is stored" in text
        assert ("c.Activity.database_url" in text) is (visitor is admin)
        assert not any("/people" in link for link in links(visitor.page))
        assert (await visitor.open("activity/people")).code == 503
        assert "No history is stored" in text_of(visitor.page)
        await read(visitor, "now")


async def test_loaded_history_stays_visible_when_the_database_is_lost(
    app: Activity, admin: Visitor
) -> None:
    before = await read(admin, "people")

    app.recorder.store.condition = Condition(HistoryState.LIVE_ONLY, "The disk is gone.")

    assert "bob" in before
    assert "bob" in await read(admin, "people")
    assert "The disk is gone." in await read(admin, "")


async def test_database_errors_are_shown_to_admins(
    app: Activity, admin: Visitor, instructor: Visitor
) -> None:
    app.recorder.store.condition = Condition(HistoryState.READY, "The disk is full.")

    assert "The disk is full." in await read(admin, "")
    assert "The disk is full." not in await read(instructor, "")
    await admin.open("status")
    assert "The disk is full." in text_of(admin.page)
