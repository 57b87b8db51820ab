"""Best times for maintenance in a browser: in the hub's time zone and in the viewer's."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.integration.browser.course_pages import write
from tests.integration.browser.page_checks import violations
from tests.support.activity import course
from tornado_service.testing import ServiceConfig

DAYS, ADDRESS = 28, "activity/?from=2026-01-05&to=2026-02-01"

#: When no user of the course runs a server, in UTC. The zones below do not change clocks.
QUIET = "Wednesday 12:00 to Monday 09:00"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("activity")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "WATCHED", DAYS * 24)
        write(directory)
    return directory


@pytest.fixture
def service_config(database: Path) -> ServiceConfig:
    return course.settings(database)


@pytest.mark.parametrize(
    ("zone", "there"),
    [
        ("UTC", ""),
        ("Atlantic/Reykjavik", ""),
        ("America/Phoenix", "Wednesday 05:00 to Monday 02:00"),
        ("Australia/Eucla", "Wednesday 20:45 to Monday 17:45"),
    ],
)
def test_they_are_shown_in_the_viewers_time_zone_where_it_differs(
    open_page, complaints, zone: str, there: str
) -> None:
    page = open_page(ADDRESS, "ada", timezone_id=zone)

    reported = page.get_by_text("Best times for maintenance")
    expect(reported).to_contain_text(f"{QUIET} (UTC)")
    expected = f"In your time zone ({zone}): {there}." if there else ""
    expect(page.locator("[data-start]")).to_have_text(expected)
    expect(page.locator("[data-start]")).to_be_visible(visible=bool(there))
    assert complaints == []
    assert violations(page) == []
