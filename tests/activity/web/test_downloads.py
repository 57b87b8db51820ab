"""The names of downloads."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest

from tests.support.activity.course import HOUR, MONDAY, RANGE
from tornado_service.activity import Activity
from tornado_service.activity.web.downloads import LONGEST_NAME, content_disposition
from tornado_service.activity.web.routes import ROUTES
from tornado_service.testing import Fetch, StandInHub, Visitor

PERIOD = "2026-01-05-to-2026-01-07"


def saved_as(response: Any) -> str:
    match = re.fullmatch(
        r"attachment; filename=\"([A-Za-z0-9_.-]+)\"(?:; filename\*=UTF-8''([\w.%-]+))?",
        response.headers["Content-Disposition"],
    )
    return unquote(match[2]) if match[2] else match[1]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("days.csv", f"days-{PERIOD}"),
        ("weeks.csv", f"weeks-{PERIOD}"),
        ("months.csv", f"months-{PERIOD}"),
        ("hours.csv", f"hours-{PERIOD}"),
        ("people.csv", f"people-{PERIOD}"),
        ("groups.csv", f"groups-{PERIOD}"),
        ("people/bob/sessions.csv", f"person-bob-sessions-{PERIOD}"),
        ("people/x%2Fy%20%3Cb%3E/days.csv", f"person-x-y-b-days-{PERIOD}"),
        ("me/hours.csv", f"my-hours-{PERIOD}"),
    ],
)
async def test_the_name_has_the_hub_the_figure_and_the_period(
    admin: Visitor, path: str, name: str
) -> None:
    await admin.open("activity/")

    response = await admin.get(f"activity/api/{path}?{RANGE}")

    assert saved_as(response) == f"visitor.test-{name}.csv"


async def test_running_servers_have_the_time_in_the_name(
    app: Activity, admin: Visitor, hub: StandInHub
) -> None:
    await admin.open("activity/")
    hub.date = "Thu, 08 Jan 2026 08:30:59 GMT"
    await app.recorder.collector.collect(MONDAY + 80 * HOUR + 30 * 60)

    assert saved_as(await admin.get(f"activity/api/now.csv?{RANGE}")) == (
        "visitor.test-now-2026-01-08-0830.csv"
    )


async def test_the_default_period_is_in_the_name(app: Activity, admin: Visitor) -> None:
    await admin.open("activity/")

    name = saved_as(await admin.get("activity/api/people.csv"))

    assert re.fullmatch(r"visitor\.test-people-\d{4}-\d\d-\d\d-to-\d{4}-\d\d-\d\d\.csv", name)


async def test_every_table_names_its_file(app: Activity, hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for("ada", ("list:users", "list:groups", "read:groups"))
    paths = [path for path, *_ in ROUTES if path.endswith(r"\.csv")]
    for path in paths:
        name = "class-a" if "groups" in path else "bob"
        path = re.sub(r"\(\?P<name>[^)]*\)", name, path)
        path = re.sub(r"\(\?P<\w+>(\w+)[^)]*\)", r"\1", path).replace("\\", "")
        query = f"{RANGE}&group=class-a&group=class-b" if "compare" in path else RANGE
        assert PERIOD in saved_as(await fetch(f"activity/{path}?{query}", token=token)) or (
            path == "api/now.csv"
        )
    assert len(paths) >= 7


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("hub.example.org:8443", "hub.example.org"),
        ("HUB.example.org", "hub.example.org"),
        ('a"; filename="evil.exe', "a-filename-evil.exe"),
        ("../../etc/passwd", "etc-passwd"),
    ],
)
async def test_without_a_public_url_it_is_the_host_of_the_request(
    app: Activity, hub: StandInHub, fetch: Fetch, host: str, expected: str
) -> None:
    token = hub.token_for("ada")

    response = await fetch(f"activity/api/me/days.csv?{RANGE}", token=token, headers={"Host": host})

    assert response.code in (200, 400)
    if response.code == 200:
        assert saved_as(response).lower() == f"{expected}-my-days-{PERIOD}.csv"


async def test_the_public_url_of_the_hub_comes_first(
    app: Activity, hub: StandInHub, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_PUBLIC_HUB_URL", "https://hub.example.org:8443/jupyter/hub/")
    monkeypatch.setattr(app.parent.auth, "hub_prefix", "/jupyter/m%C3%BCnchen/hub/")

    response = await fetch(f"activity/api/me/days.csv?{RANGE}", token=hub.token_for("ada"))

    name = f"hub.example.org-jupyter-münchen-my-days-{PERIOD}.csv"
    assert saved_as(response) == name
    assert 'filename="hub.example.org-jupyter-m_nchen-my' in response.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("parts", "header"),
    [
        (["a", "", "b/c"], 'filename="a-b-c.csv"'),
        (["..", ".hidden", "x\r\ny: z"], 'filename="hidden-x-y-z.csv"'),
        (["日本", "CON?"], "filename=\"__-CON.csv\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC-CON.csv"),
    ],
)
def test_a_name_holds_nothing_that_a_file_system_or_a_header_minds(
    parts: list[str], header: str
) -> None:
    assert content_disposition(parts, ".csv") == f"attachment; {header}"


def test_a_name_is_never_too_long_for_a_file_system() -> None:
    header = content_disposition(["日本" * 200] * 2, ".csv")

    name = unquote(header.partition("filename*=UTF-8''")[2])
    assert len(name.encode()) <= LONGEST_NAME
    assert name.endswith(("日.csv", "本.csv"))
    assert content_disposition(["x" * 500, PERIOD], ".csv").endswith(f'{PERIOD}.csv"')
