"""Responses of an app, in the style and by the rules of the service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.apps import StartApps
from tornado_service.app import TornadoService
from tornado_service.apps import mounted
from tornado_service.auth.decorators import METHODS
from tornado_service.testing import (
    BROWSER,
    PREFIX,
    SCRIPT,
    Fetch,
    StandInHub,
)


async def test_a_page_has_the_apps_templates_and_static_files(
    hub: StandInHub, fetch: Fetch
) -> None:
    response = await fetch("reports/", token=hub.token_for("sam"), headers=BROWSER)

    page = response.body.decode()
    assert response.code == 200
    assert "<h1>Reports of &lt;use&gt;</h1>" in page
    assert f"3 of sam at {PREFIX}reports/" in page
    assert f"{PREFIX}static/service." in page, "the look of the service"
    source = page.partition('img src="/')[2]
    source = page.partition(f'<img src="{PREFIX}reports/')[2].partition('"')[0]
    image = await fetch(f"reports/{source}")
    assert (image.code, image.body) == (200, b"<svg/>")
    assert "immutable" in image.headers["Cache-Control"]
    assert image.headers["Content-Type"] == "image/svg+xml"
    assert (await fetch("reports/static/deep%2Fchart.svg")).code == 200
    assert (await fetch("reports/static/../__init__.py")).code == 404


@pytest.mark.parametrize(
    ("own", "title"),
    [
        ("", "Reports of &lt;use&gt; - JupyterHub"),
        ("{% block title %}{{ app_title }}{% endblock %}", "Reports of &lt;use&gt; - JupyterHub"),
        ("{% block title %}Cats{% endblock %}", "Cats - Reports of &lt;use&gt; - JupyterHub"),
    ],
    ids=["none", "the app's", "its own"],
)
async def test_the_title_of_a_page_names_the_app_once(
    modules: Path, hub: StandInHub, fetch: Fetch, own: str, title: str
) -> None:
    template = modules / "good_apps/templates/reports.html"
    template.write_text(template.read_text() + own)

    response = await fetch("reports/", token=hub.token_for("sam"), headers=BROWSER)

    assert f"<title>{title}</title>" in response.body.decode()


async def test_an_api_its_groups_and_scopes(hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for("sam")
    writer = hub.token_for("sam", ("custom:reports:write",))

    assert json.loads((await fetch("reports/api/items/7", token=token)).body)["number"] == "7"
    assert (await fetch("reports/api/items", token=token, method="POST", body="")).code == 403
    assert (await fetch("reports/api/items", token=writer, method="POST", body="")).code == 200
    assert (await fetch("reports/api/items", token=token, method="DELETE")).code == 405
    assert (await fetch("admins/", token=token)).code == 403
    missing = await fetch("reports/api/nothing", token=token, headers=BROWSER)
    assert missing.code == 404
    assert json.loads(missing.body)["status"] == 404
    assert (await fetch("reports/nothing", token=token)).code == 404
    assert (await fetch("nothing/", token=token)).code == 404


async def test_visitors_may_use_what_an_app_opens_and_nothing_else(
    service: TornadoService, fetch: Fetch
) -> None:
    reached = set()
    for mount in service.app_manager:
        for route in mount.routes:
            below = route.path.replace(r"(\d+)|x", "1").replace("(.*)", "deep/chart.svg")
            path = f"{mount.name}/{below}"
            for method in METHODS:
                body = "" if method in ("POST", "PUT", "PATCH") else None
                response = await fetch(path, method=method, body=body, headers=SCRIPT)
                if response.code not in (401, 405):
                    reached.add((method, f"{mount.name}/{route.path}"))

    assert reached == {
        (method, path)
        for path in (
            "reports/open",
            *(f"{mount.name}/static/(.*)" for mount in service.app_manager),
        )
        for method in ("GET", "HEAD")
    }
    assert (await fetch("reports/", headers=BROWSER)).code == 302


async def test_a_path_without_its_slash_redirects_to_the_app(fetch: Fetch) -> None:
    response = await fetch("reports")

    assert (response.code, response.headers["Location"]) == (302, f"{PREFIX}reports/")


async def test_an_error_of_an_app_is_shown_as_ours_are(
    service: TornadoService, hub: StandInHub, fetch: Fetch
) -> None:
    response = await fetch("reports/fails", token=hub.token_for("sam"), headers=BROWSER)
    assert response.code == 500
    assert "500 : Internal Server Error" in response.body.decode()
    assert b"password" not in response.body

    # counted by the app's name and the handler's
    counted = service.metrics.exposition().decode()
    assert 'handler="reports.Fails",method="GET",status="500"' in counted


NAVIGATION = """
<nav aria-label="{{ app_title }}"><a href="{{ app_prefix }}latest">Latest</a> {{ user.name }}</nav>
"""


@pytest.fixture
def navigation(modules: Path) -> Path:
    """The template of an app's navigation."""
    template = modules / "good_apps/templates/navigation.html"
    template.write_text(NAVIGATION)
    return template


@pytest.mark.parametrize(
    ("path", "status"), [("reports/nothing", 404), ("admins/", 403), ("reports/fails", 500)]
)
async def test_an_error_keeps_the_apps_navigation_and_the_way_back(
    navigation: Path, hub: StandInHub, fetch: Fetch, path: str, status: int
) -> None:
    response = await fetch(path, token=hub.token_for("sam"), headers=BROWSER)

    page = response.body.decode()
    app = f"{PREFIX}{path.partition('/')[0]}/"
    assert response.code == status
    assert f'<a href="{app}latest">Latest</a> sam' in page
    assert f'<a class="btn btn-primary" href="{app}">' in page
    assert f'<a class="btn btn-link" href="{PREFIX}">' in page
    assert "Logout" in page


@pytest.mark.usefixtures("navigation")
async def test_every_page_of_an_app_has_its_navigation(hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for("sam")

    assert b"Latest</a> sam" in (await fetch("reports/", token=token, headers=BROWSER)).body
    assert b"Latest" not in (await fetch("", token=token, headers=BROWSER)).body
    assert b"Latest" not in (await fetch("nothing", token=token, headers=BROWSER)).body


@pytest.mark.parametrize("text", ["{{ nothing.there }}", "{% if %}"], ids=["undefined", "syntax"])
async def test_a_broken_navigation_leaves_the_error_page(
    navigation: Path, hub: StandInHub, fetch: Fetch, text: str
) -> None:
    navigation.write_text(text)

    response = await fetch("reports/nothing", token=hub.token_for("sam"), headers=BROWSER)

    assert response.code == 404
    assert "<h1>404 : Not Found</h1>" in response.body.decode()


async def test_an_app_without_a_home_page_is_no_way_back(hub: StandInHub, fetch: Fetch) -> None:
    response = await fetch("headless/nothing", token=hub.token_for("sam"), headers=BROWSER)

    assert response.code == 404
    assert f'href="{PREFIX}headless/"' not in response.body.decode()


async def test_an_unknown_path_of_an_app_is_404_for_all(hub: StandInHub, fetch: Fetch) -> None:
    stranger = await fetch("reports/nothing", headers=BROWSER)
    hub.fault = "error"
    away = await fetch("reports/nothing", token="unknown", headers=BROWSER)

    assert stranger.code == away.code == 404


async def test_an_error_reports_its_reason_once(hub: StandInHub, fetch: Fetch) -> None:
    response = await fetch(
        "reports/", token=hub.token_for("sam"), method="POST", body="", headers=BROWSER
    )

    page = response.body.decode()
    assert response.code == 405
    assert page.partition("<main")[2].count("Method Not Allowed") == 1


async def test_the_home_page_lists_what_the_user_may_open(hub: StandInHub, fetch: Fetch) -> None:
    sam = (await fetch("", token=hub.token_for("sam"))).body.decode()
    ada = (await fetch("", token=hub.token_for("ada", ("admin:users",)))).body.decode()

    assert f'href="{PREFIX}reports/">Reports of &lt;use&gt;</a>' in sam
    assert "Reports for everybody." in sam
    assert f"{PREFIX}admins/" not in sam
    assert f"{PREFIX}admins/" in ada
    assert f"{PREFIX}headless/" not in ada


async def test_an_app_is_the_home_page_of_those_who_may_open_it(
    start_apps: StartApps, hub: StandInHub, client
) -> None:
    service = await start_apps(
        "good_apps:Reports", "good_apps:Admins", TornadoService={"home_app": "admins"}
    )

    async def home(*scopes: str):
        headers = {"Authorization": f"token {hub.token_for('ada', scopes)}"}
        return await client.fetch(
            f"http://127.0.0.1:{service.port}{PREFIX}",
            headers=headers,
            follow_redirects=False,
            raise_error=False,
        )

    response = await home("admin:users")
    assert (response.code, response.headers["Location"]) == (302, f"{PREFIX}admins/")
    assert (await home()).code == 200


async def test_the_only_app_opens_and_names_the_service(
    start_apps: StartApps, hub: StandInHub, client
) -> None:
    service = await start_apps("good_apps:Reports")
    get = Fetch(client, f"http://127.0.0.1:{service.port}", PREFIX)
    token = hub.token_for("sam")

    start, home = await get("", token=token), await get("home", token=token)

    assert (start.code, start.headers["Location"]) == (302, f"{PREFIX}reports/")
    assert home.code == 200
    assert "<h1>Reports of &lt;use&gt;</h1>" in home.body.decode()


async def test_the_title_of_the_service_is_a_setting(start_apps: StartApps, client, hub) -> None:
    service = await start_apps(
        "good_apps:Reports", "good_apps:Admins", TornadoService={"title": "<Usage>"}
    )
    get = Fetch(client, f"http://127.0.0.1:{service.port}", PREFIX)

    page = (await get("", token=hub.token_for("sam"))).body.decode()

    assert "<h1>&lt;Usage&gt;</h1>" in page
    assert "<title>&lt;Usage&gt; - JupyterHub</title>" in page


HEADLINES = """
import asyncio
from tornado_service import HubUnavailable, PageHandler, ServiceApp

class Home(PageHandler):
    def get(self):
        pass

class Base(ServiceApp):
    def handlers(self):
        return [("", Home)]

class Counts(Base):
    name = "counts"
    async def headline(self, handler):
        return f"<3 seats for {handler.current_user['name']}>"

class Hangs(Base):
    name = "hangs"
    async def headline(self, handler):
        await asyncio.sleep(60)

class Fails(Base):
    name = "fails"
    async def headline(self, handler):
        raise RuntimeError("no headline")

class Exits(Base):
    name = "exits"
    async def headline(self, handler):
        raise SystemExit(1)

class Plain(Base):
    name = "plain"
    def headline(self, handler):
        return "made in a thread"

class Away(Base):
    name = "away"
    async def headline(self, handler):
        raise HubUnavailable("it has gone")
"""


async def test_a_headline_that_fails_or_hangs_is_left_out(
    start_apps: StartApps, modules: Path, hub: StandInHub, client, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(mounted, "HEADLINE_TIMEOUT", 0.1)
    (modules / "headline_apps.py").write_text(HEADLINES)
    names = ("Counts", "Hangs", "Fails", "Exits", "Plain", "Away")
    service = await start_apps(*(f"headline_apps:{name}" for name in names))
    get = Fetch(client, f"http://127.0.0.1:{service.port}", PREFIX)

    page = (await get("", token=hub.token_for("sam"))).body.decode()

    assert "&lt;3 seats for sam&gt;" in page
    assert "made in a thread" in page
    assert page.count("fw-bold") == 2
    assert page.count("stretched-link") == 6
    log = capsys.readouterr().err
    assert "App fails: headline() failed" in log
    assert "App hangs: " not in log
