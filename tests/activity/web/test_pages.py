"""The pages as HTML: contents by user and period."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.activity import course
from tests.support.activity.course import CLASS_B, HOUR, MONDAY, RANGE
from tests.support.activity.pages import PATHS, links, read, text_of
from tornado_service.activity import Activity
from tornado_service.activity.web import page_base
from tornado_service.testing import ServiceConfig, StandInHub, StartService, Visitor


async def test_the_overview_has_the_figures_of_the_period(admin: Visitor) -> None:
    text = await read(admin, "")

    assert "All users of this hub" in text
    for figure in (
        "Active users 5", "Server-hours 23.0 h", "Sessions 7", "Median session length 2.0 h",
        "Peak concurrent servers 3", "Accounts 5", "5 to 7 January 2026",
        "Never returned not enough data yet",
        "Best times for maintenance need 20 days of data in this period: 17 days are missing.",
    ):  # fmt: skip
        assert figure in text
    assert "at least" not in text.partition("Daily, weekly and monthly")[0]
    assert re.search(r"2026-01-06 2 4.0 h 2 2 0.2 100 %", text)


async def test_a_period_with_partial_data_shows_lower_bounds(admin: Visitor) -> None:
    text = await read(admin, "", "from=2026-01-01&to=2026-01-07")

    assert "Active users at least 5" in text
    assert "42 % of this period has data" in text
    assert "2026-01-01 no data" in text


async def test_a_period_without_data_has_no_figures(admin: Visitor) -> None:
    text = await read(admin, "", "from=2024-01-01&to=2024-01-31")

    assert "No data for this period" in text
    assert "Active users" not in text


@pytest.mark.parametrize(
    ("days", "unit"),
    [("from=2026-01-01&to=2026-01-31", "days"), ("from=2025-10-01&to=2026-01-31", "weeks"),
     ("from=2020-01-01&to=2026-01-31", "months")],
)  # fmt: skip
async def test_a_long_range_is_shown_by_weeks_or_months(
    admin: Visitor, days: str, unit: str
) -> None:
    await read(admin, "", days)

    assert any(f"api/{unit}.csv?{days}" in link for link in links(admin.page))


@pytest.mark.parametrize(
    "query",
    ["from=x", "from=2026-02-01&to=2026-01-01", "to=0001-01-01", "from=1990-01-01&to=2190-01-01",
     "from=2026-13-01", "from=%FF", "from=<script>"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["", "people", "me"])
async def test_an_invalid_period_is_reported_with_the_default_one(
    admin: Visitor, path: str, query: str
) -> None:
    text = await read(admin, path, query)

    assert "Showing the last 30 days." in text
    assert 'role="alert"' in admin.page
    assert "<script>" not in admin.page
    assert not any(query in link for link in links(admin.page))


async def test_an_empty_form_requests_the_default_period(admin: Visitor) -> None:
    assert "Showing the last" not in await read(admin, "people", "from=&to=&q=&sort=-hours")


async def test_the_period_is_kept_from_page_to_page(admin: Visitor) -> None:
    await read(admin, "")

    for path in ("now", "people", "groups", "months", "me", "api/days.csv", "api/hours.csv"):
        assert f"{admin.home}activity/{path}?{RANGE}" in links(admin.page)


async def test_every_link_of_a_page_leads_somewhere(admin: Visitor) -> None:
    for path in PATHS:
        await read(admin, path)
        for link in set(links(admin.page)):
            if link.startswith(f"{admin.home}activity/"):
                assert (await admin.get(link)).code == 200, (path, link)


async def test_users_are_sorted_searched_and_escaped(admin: Visitor) -> None:
    text = await read(admin, "people", RANGE + "&sort=name")

    assert re.findall(r"=bea|ada|alan|bob|x/y <b>", text)[:5] == [
        "=bea", "ada", "alan", "bob", "x/y <b>",
    ]  # fmt: skip
    assert "<b>" not in admin.page
    assert f"{admin.home}activity/people/x%2Fy%20%3Cb%3E?{RANGE}" in links(admin.page)
    assert re.search(r'<th[^>]*aria-sort="ascending">\s*<a [^>]*>Name</a>', admin.page)
    assert f"{admin.home}activity/people?{RANGE}&sort=-name" in links(admin.page)

    text = await read(admin, "people", RANGE + "&q=B")
    assert "3 users with “B” in the name" in text
    assert f"{admin.home}activity/api/people.csv?{RANGE}&sort=-hours&q=B" in links(admin.page)


async def test_many_users_are_on_several_pages(
    app: Activity, admin: Visitor, hub: StandInHub
) -> None:
    for number in range(60):
        hub.directory.add_user(f"user-{number}")
    hub.date = ""
    await app.recorder.collector.collect(MONDAY + 80 * HOUR)
    await app.recorder.refresh()

    assert "Page 1 of 2" in await read(admin, "people", "q=user&sort=name")
    (following,) = [link for link in links(admin.page) if "page=2" in link]
    assert "Page 2 of 2" in text_of((await admin.get(following)).body.decode())


async def test_a_user_has_a_page(admin: Visitor) -> None:
    text = await read(admin, "people/bob")

    for figure in ("Server-hours 14.0 h", "Sessions 2", "Longest session 11.0 h",
                   "default server class-b 2026-01-07 09:00 2026-01-07 12:00 3.0 h"):  # fmt: skip
        assert figure in text
    assert f"{admin.home}activity/api/people/bob/sessions.csv?{RANGE}" in links(admin.page)


async def test_an_instructor_sees_their_group_alone(
    app: Activity, instructor: Visitor, hub: StandInHub
) -> None:
    for name in CLASS_B:
        hub.directory.add_server(name, started="2026-01-08T00:00:00Z")
    await app.recorder.collector.collect(MONDAY + 80 * HOUR)

    text = await read(instructor, "")
    assert "Showing the 2 users you may see." in text
    assert "Active users 2" in text
    assert "Server-hours 6.0 h" in text
    for path in PATHS:
        await read(instructor, path)
        for hidden in ("bob", "bea", "x/y", "class-b"):
            assert hidden not in instructor.page
    bob = await instructor.open("activity/people/bob")
    nobody = await instructor.open("activity/people/nobody")
    assert bob.code == nobody.code == 404
    assert bob.body.replace(bob.headers["Date"].encode(), b"") == nobody.body.replace(
        nobody.headers["Date"].encode(), b""
    )


async def test_a_user_who_may_not_see_others_sees_their_own_usage(
    app: Activity, visitor: Visitor
) -> None:
    text = await read(visitor, "")

    assert "Usage by ada" in text
    assert "Server-hours 5.0 h" in text
    assert not any("/people" in link or "/groups" in link for link in links(visitor.page))
    assert "alan" not in await read(visitor, "people")
    assert "the scope list:groups is missing" in await read(visitor, "groups")
    assert "Your own usage" in await read(visitor, "month/2026-01")


async def test_a_service_has_no_usage_of_its_own(
    app: Activity, hub: StandInHub, fetch: Any
) -> None:
    token = hub.token_for("prometheus", ("list:users",), kind="service")

    assert (await fetch("activity/", token=token)).code == 200
    assert b"My usage" not in (await fetch("activity/", token=token)).body
    assert (await fetch("activity/me", token=token)).code == 404


async def test_running_servers_are_shown(app: Activity, admin: Visitor, hub: StandInHub) -> None:
    assert "No servers running." in await read(admin, "now")

    hub.directory.add_server("bob", "gpu", started="2026-01-08T00:00:00Z")
    await app.recorder.collector.collect(MONDAY + 80 * HOUR)

    text = await read(admin, "now")
    assert "1 server running." in text
    assert "bob gpu 2026-01-08 00:00" in text
    assert "1 server running." in await read(admin, "")


async def test_the_report_of_a_month(admin: Visitor) -> None:
    text = await read(admin, "month/2026-01", "")

    for figure in (
        "Usage in January 2026", "Active users at least 5", "class-a 2 2 6.0 h 3",
        "class-b 3 3 17.0 h 4", "2026-01-05 to 2026-01-11", "9 % of the month has data",
    ):  # fmt: skip
        assert figure in text
    assert f"{admin.home}activity/api/month/2026-01" in links(admin.page)
    assert f"{admin.home}activity/month/2026-02" in links(admin.page)
    assert "No data for this month" in await read(admin, "month/2024-02", "")


@pytest.mark.parametrize("path", ["people/nobody", "month/2026-13", "nothing/here"])
async def test_a_page_that_is_not_there_keeps_the_navigation(
    admin: Visitor, instructor: Visitor, visitor: Visitor, path: str
) -> None:
    for who, has_others in ((admin, True), (instructor, True), (visitor, False)):
        response = await who.open(f"activity/{path}")

        home = f"{who.home}activity/"
        assert response.code == 404
        assert {home, f"{home}now", f"{home}months"} <= set(links(who.page))
        assert (f"{home}people" in links(who.page)) == has_others
        assert f'<a class="btn btn-primary" href="{home}">Activity</a>' in who.page


@pytest.mark.parametrize("month", ["2026-13", "x", "0000-01"])
async def test_an_invalid_month_is_not_found(admin: Visitor, month: str) -> None:
    assert (await admin.open(f"activity/month/{month}")).code == 404


async def test_months_lead_to_their_reports(admin: Visitor) -> None:
    text = await read(admin, "months", "")

    assert "January 2026 at least 5 at least 23.0 h" in text
    assert f"{admin.home}activity/month/2026-01" in links(admin.page)


async def test_times_are_those_of_the_settings_zone(
    start_service: StartService,
    service_config: ServiceConfig,
    hub: StandInHub,
    tmp_path: Path,
    client: Any,
) -> None:
    service = await start_service(**course.settings(tmp_path, timezone="Asia/Kathmandu"))
    await course.ready(service)
    visitor = Visitor(
        client, f"http://127.0.0.1:{hub.port}", f"http://127.0.0.1:{service.port}",
        home=service.prefix, name="ada",
    )  # fmt: skip

    text = await read(visitor, "me")
    assert "2026-01-05 14:45" in text
    assert "All times are in Asia/Kathmandu" in text


async def test_only_pages_with_charts_allow_the_style_of_charts(admin: Visitor) -> None:
    allows = {}
    for path in PATHS:
        response = await admin.open(f"activity/{path}?{RANGE}")
        allows[path] = page_base.PLOT_STYLE in response.headers["Content-Security-Policy"]
        assert allows[path] == ("charts." in admin.page)
    assert not allows["now"]
    assert not allows["people"]


async def test_without_the_chart_library_there_are_tables(
    admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_base, "CHARTS", ("not/there.js",))

    text = await read(admin, "")

    assert "Show as table" in text
    assert "there.js" not in admin.page
    assert "charts" not in admin.page.partition("<main")[0]
