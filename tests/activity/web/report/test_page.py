"""The report as a page: who gets it, of whom, and its headers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.activity import course
from tests.support.activity.course import ALL_USERS, RANGE
from tests.support.activity.pages import links, text_of
from tornado_service.activity.web.report.document import content_security_policy
from tornado_service.testing import (
    Fetch,
    NewVisitor,
    ServiceConfig,
    StandInHub,
    StartService,
    Visitor,
)

REPORT = f"activity/report.html?{RANGE}"


async def report(visitor: Visitor, query: str = RANGE) -> str:
    response = await visitor.open(f"activity/report.html?{query}")
    assert response.code == 200, visitor.page
    return text_of(visitor.page).replace("\u00a0", " ")


async def test_an_admin_gets_a_report_of_all_users(admin: Visitor) -> None:
    said = await report(admin)

    assert said.startswith(
        " From 5 to 7 January 2026, 5 users were active and servers ran for 23.0 hours in 7"
        " sessions."
    )
    for part in (
        "Active users per day",
        "Twelve months",
        "class-b 3 3 17.0 h",
        "class-a 2 2 6.0 h",
    ):
        assert part in said
    assert "may see" not in said
    assert "<title>Usage: 5 to 7 January 2026 - JupyterHub visitor.test</title>" in admin.page


async def test_its_headers(admin: Visitor) -> None:
    response = await admin.open(REPORT)

    headers = response.headers
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Disposition"] == (
        'inline; filename="visitor.test-report-2026-01-05-to-2026-01-07.html"'
    )
    assert headers["Content-Security-Policy"] == (
        f"{content_security_policy()}; frame-ancestors 'none'"
    )


async def test_no_secret_is_in_it(hub: StandInHub, admin: Visitor, new_visitor: NewVisitor) -> None:
    await report(admin)

    for secret in (*admin.seen_secrets, *admin.cookies.values(), *hub.users):
        assert secret not in admin.page
    assert "_xsrf" not in admin.page


async def test_a_group(admin: Visitor) -> None:
    said = await report(admin, f"{RANGE}&group=class-a")

    assert "Only current members of class-a." in said
    assert "2 users were active and servers ran for 6.0 hours in 3 sessions" in said
    assert "class-b" not in admin.page


async def test_an_instructor_gets_a_report_of_their_class(instructor: Visitor) -> None:
    said = await report(instructor)

    assert "Only users whom ines may see." in said
    assert "2 users were active and servers ran for 6.0 hours" in said
    assert "class-a 2 2 6.0 h" in said
    assert "class-b" not in instructor.page
    assert "bob" not in instructor.page


@pytest.mark.usefixtures("app")
async def test_a_user_who_sees_nobody_else_gets_their_own(visitor: Visitor) -> None:
    said = await report(visitor)

    assert "Only usage by ada." in said
    assert "servers of ada ran for 5.0 hours in 2 sessions" in said
    assert "Server-hours per day" in said
    assert not re.search("Active users|Groups|class-", visitor.page)


async def test_groups_that_the_hub_refuses_are_named(
    hub: StandInHub, admin: Visitor, new_visitor: NewVisitor
) -> None:
    hub.grant("lea", "list:users")

    said = await report(new_visitor("lea"))

    assert "Groups are left out: the permission to list them is missing." in said


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        ("from=2026-02-01&to=2026-01-01", 400, "The start date must not be after the end date"),
        ("from=x", 400, "“From” is not a valid date (use YYYY-MM-DD)."),
        (f"{RANGE}&group=class-x", 400, "Group “class-x” not found"),
        (f"{RANGE}&group=class-b", 400, "Group “class-b” not found"),
    ],
)
async def test_another_period_or_group_is_never_taken_for_the_one_asked_for(
    instructor: Visitor, query: str, status: int, reason: str
) -> None:
    response = await instructor.open(f"activity/report.html?{query}")

    assert response.code == status
    assert reason in text_of(instructor.page)


async def test_a_program_saves_it_with_a_token(app: object, hub: StandInHub, fetch: Fetch) -> None:
    response = await fetch(REPORT, token=hub.token_for("root", ALL_USERS, admin=True))

    assert response.code == 200
    assert b"class-a" in response.body


async def test_a_time_without_data(admin: Visitor) -> None:
    assert "There is no data for May 2024." in await report(admin, "from=2024-05-01&to=2024-05-31")
    assert "There is no data for May 2150." in await report(admin, "from=2150-05-01&to=2150-05-31")


async def test_settings_are_honoured(
    hub: StandInHub, start_service: StartService, tmp_path: Path, history: Path,
    new_visitor: NewVisitor, service_config: ServiceConfig,
) -> None:  # fmt: skip
    logo = tmp_path / "logo.svg"
    logo.write_text("<svg/>")
    config = course.settings(
        tmp_path,
        hub_name="Example <b>University",
        report_logo=str(logo),
        prices={"currency": "EUR", "default": 0.5},
        notes=[{"text": "Exams <b>", "first": "2026-01-06"}],
        terms=[{"name": "Term 1", "first": "2026-01-05", "last": "2026-01-07"}],
    )
    service = await start_service(**config)
    await course.ready_and_paused(service)
    hub.grant("root", *ALL_USERS)
    fetch_as = hub.token_for("root", ALL_USERS, admin=True)
    client = Fetch(new_visitor("root").client, f"http://127.0.0.1:{service.port}", service.prefix)

    page = (await client(REPORT, token=fetch_as)).body.decode()

    said = text_of(page).replace("\u00a0", " ")
    assert "In Term 1 (5 to 7 January 2026), 5 users were active" in said
    assert "at a cost of 11.50 EUR" in said
    assert "6 January 2026: Exams <b>" in said
    assert "Example &lt;b&gt;University" in page
    assert 'src="data:image/svg+xml;base64,PHN2Zy8+"' in page


async def test_pages_link_to_it(admin: Visitor) -> None:
    home = f"{admin.home}activity/report.html"
    for path, address in (
        ("", f"{home}?{RANGE}"),
        ("groups/class-a", f"{home}?{RANGE}&group=class-a"),
        ("month/2026-01", f"{home}?from=2026-01-01&to=2026-01-31"),
    ):
        await admin.open(f"activity/{path}?{RANGE}")
        assert address in links(admin.page), path
        assert (await admin.open(address)).code == 200
