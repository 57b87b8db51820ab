"""Notes of the settings: on pages and in the API, for all users."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.activity import course
from tests.support.activity.course import RANGE
from tests.support.activity.pages import read
from tornado_service.activity import Activity
from tornado_service.testing import Fetch, ServiceConfig, StandInHub, Visitor

NOTES = [
    {"text": "Exams <b>", "first": "2026-01-06", "last": "2026-01-09"},
    {"text": "Upgrade", "first": "2026-02-02"},
]


@pytest.fixture
def service_config(service_config: ServiceConfig, tmp_path: Path) -> ServiceConfig:
    return course.settings(tmp_path, notes=NOTES)


@pytest.mark.parametrize("path", ["", "me", "people/ada", "month/2026-01"])
async def test_pages_with_charts_over_time_list_the_notes(admin: Visitor, path: str) -> None:
    text = await read(admin, path)

    assert "6 to 9 January 2026: Exams <b>" in text
    assert "Upgrade" not in text
    assert "<b>" not in admin.page
    assert re.search(r'data-note-from="2026-01-06" data-note-to="2026-01-09"', admin.page)


async def test_months_list_those_since_the_beginning(admin: Visitor) -> None:
    text = await read(admin, "months", "")

    assert "6 to 9 January 2026: Exams <b> 2 February 2026: Upgrade" in text.replace("</li>", "")


async def test_a_period_without_notes_has_no_list(app: Activity, visitor: Visitor) -> None:
    await read(visitor, "", "from=2026-01-10&to=2026-01-31")

    assert 'class="notes"' not in visitor.page


async def test_notes_are_in_the_api(app: Activity, hub: StandInHub, fetch: Fetch) -> None:
    response = await fetch(f"activity/api/notes?{RANGE}", token=hub.token_for("ada"))

    assert json.loads(response.body) == {
        "notes": [{"text": "Exams <b>", "first": "2026-01-06", "last": "2026-01-09"}]
    }
