"""The figures as JSON and CSV: correct, and only of users whom the hub shows to the client."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.activity import course
from tests.support.activity.course import ALL_USERS, CLASS_A, CLASS_B, HOUR, MONDAY, RANGE
from tests.support.streaming import until
from tornado_service.activity import Activity
from tornado_service.activity.history.archive import Archive
from tornado_service.app import TornadoService
from tornado_service.testing import Fetch, ServiceConfig, StandInHub, StartService

PATHS = (
    "now", "summary", "days", "weeks", "months", "hours", "hourly", "trend", "notes", "people",
    "groups", "cohorts", "me", "month/2026-01", "summary.csv", "hourly.csv", "trend.csv",
    "now.csv", "days.csv", "weeks.csv", "months.csv", "hours.csv", "people.csv", "cohorts.csv",
    "groups.csv", "me/days.csv", "me/hours.csv", "me/sessions.csv", "idle", "usage-by/profile",
    "usage-by/server", "idle.csv", "usage-by/profile.csv", "usage-by/server.csv",
)  # fmt: skip


async def get(fetch: Fetch, path: str, token: str, query: str = RANGE) -> Any:
    response = await fetch(f"activity/api/{path}?{query}", token=token)
    assert response.code == 200, response.body
    return json.loads(response.body)


async def test_an_admin_sees_the_usage_of_all_users(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    admin = hub.token_for("root", ALL_USERS, admin=True)

    summary = await get(fetch, "summary", admin)
    assert summary["whole"]["active_users"] == 5
    assert summary["whole"]["server_seconds"] == (5 + 1 + 14 + 2 + 1) * HOUR
    assert summary["whole"]["sessions"] == 7
    assert summary["whole"]["peak_servers"] == 3
    assert summary["quietest"] is None
    days = await get(fetch, "days", admin)
    assert [period["active_users"] for period in days["periods"]] == [3, 2, 2]
    people = await get(fetch, "people", admin, RANGE + "&sort=-hours")
    assert [row["name"] for row in people["people"]][:2] == ["bob", "ada"]
    groups = (await get(fetch, "groups", admin))["groups"]
    assert [(row["name"], row["server_seconds"] // HOUR) for row in groups] == [
        ("class-a", 6),
        ("class-b", 17),
    ]


async def test_every_figure_of_an_instructor_covers_only_their_group(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    token = hub.token_for("ines", course.of_group("class-a"))

    summary = await get(fetch, "summary", token)
    assert summary["whole"]["active_users"] == 2
    assert summary["whole"]["server_seconds"] == 6 * HOUR
    assert summary["whole"]["sessions"] == 3
    assert summary["whole"]["peak_servers"] == 2
    assert summary["lengths"]["longest"] == 3 * HOUR
    assert summary["people"]["accounts"] == 2
    days = (await get(fetch, "days", token))["periods"]
    assert [period["server_seconds"] // HOUR for period in days] == [4, 2, 0]
    hours = (await get(fetch, "hours", token))["hours"]
    assert sum((hour["mean_servers"] or 0) for hour in hours) == 6
    month = await get(fetch, "month/2026-01", token, "")
    assert month["month"]["whole"]["server_seconds"] == 6 * HOUR
    people = await get(fetch, "people", token)
    assert {row["name"] for row in people["people"]} == set(CLASS_A)
    assert [group["name"] for group in (await get(fetch, "groups", token))["groups"]] == ["class-a"]


@pytest.mark.parametrize("path", PATHS)
async def test_no_response_names_a_user_whom_the_hub_does_not_show(
    app: Activity, hub: StandInHub, fetch: Fetch, path: str
) -> None:
    for name in CLASS_B:
        hub.directory.add_server(name, started="2026-01-08T00:00:00Z")
    await app.recorder.collector.collect(MONDAY)
    tokens = {
        "ines": hub.token_for("ines", course.of_group("class-a")),
        "ada": hub.token_for("ada"),
        "culler": hub.token_for("culler", kind="service"),
    }
    for name, token in tokens.items():
        for query in (RANGE, "", RANGE + "&sort=name&q=b" if "people" in path else ""):
            response = await fetch(f"activity/api/{path}?{query}", token=token)
            assert response.code == (404 if name == "culler" and path.startswith("me") else 200)
            for hidden in ("bob", "bea", "x/y", "class-b"):
                assert hidden not in response.body.decode()


@pytest.mark.parametrize("name", ["bob", "eve", "x/y <b>", "%", "a" * 1000, "class-a", "*"])
async def test_a_hidden_user_and_an_unknown_user_get_the_same_response(
    app: Activity, hub: StandInHub, fetch: Fetch, name: str
) -> None:
    token = hub.token_for("ines", course.of_group("class-a"))

    response = await fetch(f"activity/api/people/{quote(name, safe='')}?{RANGE}", token=token)

    assert response.code == 404
    assert name not in json.loads(response.body)["message"]


async def test_every_user_sees_their_own_usage(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    me = await get(fetch, "me", hub.token_for("ada"))

    assert me["name"] == "ada"
    assert me["use"]["whole"]["server_seconds"] == 5 * HOUR
    assert [session["seconds"] // HOUR for session in me["use"]["sessions"]] == [2, 3]
    people = await get(fetch, "people", hub.token_for("ada"))
    assert [row["name"] for row in people["people"]] == ["ada"]


async def test_a_service_with_the_scope_sees_all_users_and_has_no_usage_of_its_own(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    token = hub.token_for("prometheus", ("list:users",), kind="service")

    assert (await get(fetch, "summary", token))["whole"]["active_users"] == 5
    assert (await fetch("activity/api/me", token=token)).code == 404
    assert (await get(fetch, "groups", token))["missing"] == "list:groups"


async def test_a_revoked_role_removes_access_to_the_figures(
    app: Activity, hub: StandInHub, fetch: Fetch, service: TornadoService
) -> None:
    token = hub.token_for("root", ALL_USERS)
    assert (await get(fetch, "summary", token))["whole"]["active_users"] == 5

    hub.users[token]["scopes"] = [hub.users[token]["scopes"][0]]
    service.auth.identities._max_age = 0

    assert (await get(fetch, "summary", token))["whole"]["active_users"] == 0
    assert (await get(fetch, "people", token))["total"] == 0


async def test_csv_has_the_same_rows_and_no_formula(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    admin = hub.token_for("root", ALL_USERS)

    response = await fetch(f"activity/api/people.csv?{RANGE}&sort=name", token=admin)

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert '-people-2026-01-05-to-2026-01-07.csv"' in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.body.decode(), newline="")))
    assert [row["name"] for row in rows] == ["'=bea", "ada", "alan", "bob", "x/y <b>"]
    assert [float(row["server_hours"]) for row in rows] == [2, 5, 1, 14, 1]


@pytest.mark.parametrize(
    "query",
    ["from=x", "from=2026-02-01&to=2026-01-01", "to=0001-01-01", "from=1990-01-01&to=2190-01-01",
     "form=2026-01-01", "from=2026-13-01", "from=&to=", "from=1e9"],
)  # fmt: skip
async def test_an_invalid_period_is_reported(
    app: Activity, hub: StandInHub, fetch: Fetch, query: str
) -> None:
    for path in ("days", "people", "hours.csv"):
        response = await fetch(f"activity/api/{path}?{query}", token=hub.token_for("ada"))
        assert response.code == 400, path


@pytest.mark.parametrize("query", ["from=2199-12-31", "to=1990-01-01", "from=1990-01-01"])
async def test_a_period_in_the_far_future_is_empty(
    app: Activity, hub: StandInHub, fetch: Fetch, query: str
) -> None:
    token = hub.token_for("root", ALL_USERS)

    for path in ("days", "summary", "people", "hours", "me"):
        await get(fetch, path, token, query)


@pytest.mark.parametrize("month", ["2026-13", "x", "2026-1", "0000-01", "2026-01-01"])
async def test_an_invalid_month_is_not_found(
    app: Activity, hub: StandInHub, fetch: Fetch, month: str
) -> None:
    assert (await fetch(f"activity/api/month/{month}", token=hub.token_for("ada"))).code == 404


async def test_a_new_sample_of_the_hub_is_shown_at_once(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    token = hub.token_for("ada")
    hub.directory.add_server("ada", started="2026-01-08T00:00:00Z")
    async with fetch.listen("activity/api/events", token=token) as stream:
        await app.recorder.collector.collect(MONDAY)
        (event,) = await stream.read(1)

    assert event.name == "sample"
    now = await get(fetch, "now", token, "")
    assert [(server["user"], server["server"]) for server in now["servers"]] == [("ada", "")]


async def test_without_a_database_running_servers_are_shown(
    start_service: StartService, hub: StandInHub, client: Any, tmp_path: Path
) -> None:
    service = await start_service(**course.settings(tmp_path) | {"Activity": {"database_url": ""}})
    await course.ready(service)
    fetch = Fetch(client, f"http://127.0.0.1:{service.port}", service.prefix)
    token = hub.token_for("ada", ALL_USERS)

    assert (await fetch("activity/api/now", token=token)).code == 200
    response = await fetch("activity/api/days", token=token)
    assert response.code == 503
    assert "No history is stored" in json.loads(response.body)["message"]


async def test_figures_that_fail_once_end_nothing(
    start_service: StartService,
    service_config: ServiceConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refresh = Archive.refresh

    async def fail_once(archive: Archive) -> None:
        monkeypatch.setattr(Archive, "refresh", refresh)
        raise OverflowError

    monkeypatch.setattr(Archive, "refresh", fail_once)
    app = course.app_of(await start_service(**course.settings(tmp_path)))

    await until(
        lambda: (
            app.recorder.collector.latest is not None and bool(app.recorder.archive.history.people)
        )
    )


async def test_users_appear_under_pseudonyms_only(
    start_service: StartService,
    service_config: ServiceConfig,
    hub: StandInHub,
    client: Any,
    tmp_path: Path,
) -> None:
    secret = {"pseudonym_secret": "0123456789abcdef"}
    service = await start_service(**course.settings(tmp_path, **secret))
    await course.ready(service)
    fetch = Fetch(client, f"http://127.0.0.1:{service.port}", service.prefix)

    for name in (*CLASS_A, *CLASS_B):
        hub.directory.add_server(name, started="2026-01-08T00:00:00Z")
    await course.app_of(service).recorder.collector.collect(MONDAY)

    people = await get(fetch, "people", hub.token_for("root", ALL_USERS))
    assert all(row["name"].startswith("user-") for row in people["people"])
    running = (await get(fetch, "now", hub.token_for("root", ALL_USERS), ""))["servers"]
    shown = [server["user"] for server in running]
    assert shown == sorted(shown), "in the order of their names, it could be told who is who"
    assert set(shown) == {row["name"] for row in people["people"]}
    assert (await get(fetch, "me", hub.token_for("ada")))["use"]["whole"]["sessions"] == 2
    mine = await get(fetch, "summary", hub.token_for("ines", course.of_group("class-a")))
    assert mine["whole"]["server_seconds"] == 6 * HOUR


async def test_the_main_figures_are_exported_to_prometheus(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    hub.directory.add_server("ada", started="2026-01-08T00:00:00Z")
    hub.directory.add_server("bob", "gpu", started="2026-01-08T00:00:00Z")
    await app.recorder.collector.collect(MONDAY)

    response = await fetch("metrics", token=hub.token_for("prometheus", ("read:metrics",)))

    lines = response.body.decode().splitlines()
    assert "tornado_service_activity_running_servers 2.0" in lines
    assert "tornado_service_activity_users 5.0" in lines
    assert 'tornado_service_activity_active_users{days="7"} 5.0' in lines


async def test_the_api_is_in_the_document_of_the_service(app: Activity, fetch: Fetch) -> None:
    paths = json.loads((await fetch("api/openapi.json")).body)["paths"]

    documented = {path for path in paths if path.startswith("/activity/api/")}
    for path in PATHS:
        path = re.sub(r"^(days|weeks|months)", "{unit}", path)
        path = re.sub(r"^month/.*", "month/{text}", path)
        path = re.sub(r"^usage-by/\w+", "usage-by/{kind}", path)
        path = re.sub(r"^(people/)bob(?=/|$)", r"\1{name}", path)
        path = re.sub(r"(?<=/)(days|hours|sessions)\.csv", "{sheet}.csv", path)
        assert f"/activity/api/{path}" in documented
    events = paths["/activity/api/events"]["get"]["responses"]["200"]
    assert list(events["content"]) == ["text/event-stream"]
