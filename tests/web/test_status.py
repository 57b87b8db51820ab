import asyncio
import json
import re
from collections.abc import Callable

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.databases import new_postgresql, postgresql_socket
from tests.support.selfcheck import refusing
from tests.support.streaming import until
from tornado_service._version import __version__
from tornado_service.app import TornadoService
from tornado_service.testing import (
    BROWSER,
    PREFIX,
    SCRIPT,
    SERVICE_TOKEN,
    Fetch,
    StandInHub,
    StartService,
)
from tornado_service.web.status import format_uptime

__all__ = ["new_postgresql", "postgresql_socket"]


@pytest.fixture(autouse=True)
def well(hub: StandInHub, service: TornadoService) -> None:
    """A deployment without problems."""
    hub.users[SERVICE_TOKEN] = {"kind": "service", "name": "tornado-service", "scopes": []}
    service.service_url = f"http://127.0.0.1:{service.port}"


async def test_an_admin_reads_findings_versions_and_uptime(
    hub: StandInHub, service: TornadoService, fetch: Fetch
) -> None:
    response = await fetch("status", token=hub.token_for("ada", ("read:hub",), admin=True))

    page = response.body.decode()
    assert response.code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert f"JupyterHub {hub.version} responds at {hub.api_url}." in page
    assert "leads to this process" in page
    assert "<dd" in page.partition("<dt")[2]
    assert f"<code>{service.context.replicas.instance}</code>" in page
    assert "since <time" in page


async def test_a_program_of_an_admin_gets_the_same(
    hub: StandInHub, service: TornadoService, fetch: Fetch
) -> None:
    response = await fetch("api/status", token=hub.token_for("ada", ("read:hub",), admin=True))

    status = json.loads(response.body)
    assert response.code == 200
    assert status["versions"]["hub"] == hub.version
    assert isinstance(status["uptime"], int)
    assert (status["instance"], status["leaders"]) == (service.context.replicas.instance, {})
    assert set(status["sign_ins"]) == {"finished", "failed", "repeated"}
    states = {finding["name"]: finding["state"] for finding in status["findings"]}
    # no user has signed in
    assert [name for name, state in states.items() if state != "ok"] == ["redirect"]
    assert states["redirect"] == "unknown"
    assert {
        "hub-api",
        "hub-version",
        "token",
        "scopes",
        "url",
        "listening",
        "cookie-secret",
        "sign-in",
        "redirect",
    } <= set(states)


async def test_what_is_wrong_comes_with_its_key(
    hub: StandInHub, service: TornadoService, fetch: Fetch
) -> None:
    service.service_url = f"http://127.0.0.1:{hub.port}"
    token = hub.token_for("ada", ("read:hub",), admin=True)

    status = json.loads((await fetch("api/status", token=token)).body)
    page = (await fetch("status", token=token)).body.decode()

    (found,) = [each for each in status["findings"] if each["name"] == "url"]
    assert (status["status"], found["state"]) == ("wrong", "wrong")
    assert "is not ours" in found["message"]
    problems = sum(finding["state"] == "wrong" for finding in status["findings"])
    assert f"{problems} problem" in page
    titles = re.findall(r'<th scope="row">(.*?)</th>', page)
    others = titles[problems:]
    assert "URL of the service" in titles[:problems]
    assert "Cookie secret" in others
    assert '<span class="badge text-bg-danger">failed</span>' in page
    fix = re.search(r'How to fix: <code id="(.*?)">another port in the service&#39;s url', page)
    assert fix
    assert f'data-copy="{fix[1]}"' in page


@pytest.mark.parametrize("path", ["status", "api/status"])
async def test_other_users_get_an_error_that_it_is_for_admins(
    hub: StandInHub, fetch: Fetch, path: str
) -> None:
    response = await fetch(path, token=hub.token_for("bob"))

    assert response.code == 403
    message = "Only hub admins can open this page. You are signed in as bob."
    assert message in response.body.decode()
    assert b"127.0.0.1" not in response.body
    # no check was run for them
    assert hub.calls["/hub/api/"] == 0


@pytest.mark.parametrize("path", ["status", "api/status"])
async def test_a_token_needs_more_than_access_even_if_it_is_an_admins(
    hub: StandInHub, fetch: Fetch, path: str
) -> None:
    restricted = hub.token_for("ada", ("list:users",), admin=True)
    of_no_admin = hub.token_for("bob", ("read:hub",))

    response = await fetch(path, token=restricted)

    assert response.code == 403
    assert "this token lacks the scope read:hub" in response.body.decode()
    assert b"127.0.0.1" not in response.body
    assert (await fetch(path, token=of_no_admin)).code == 403
    assert hub.calls["/hub/api/"] == 0


async def test_a_page_links_to_it_for_users_who_may_open_it(hub: StandInHub, fetch: Fetch) -> None:
    restricted = hub.token_for("ada", admin=True)

    assert f'href="{PREFIX}status"' not in (await fetch("", token=restricted)).body.decode()


async def test_visitors_sign_in_first(fetch: Fetch) -> None:
    assert (await fetch("status", headers=BROWSER)).code == 302
    assert (await fetch("api/status", headers=SCRIPT)).code == 401


async def test_the_services_own_token_opens_the_api_for_the_doctor_and_nothing_else(
    hub: StandInHub, service: TornadoService, fetch: Fetch
) -> None:
    service.app_manager.service_scopes |= {"list:users"}
    cookie = {"Cookie": f"{service.auth.cookie_name}={SERVICE_TOKEN}"}

    response = await fetch("api/status", token=SERVICE_TOKEN)

    assert json.loads(response.body)["scopes"] == ["list:users"]
    assert (await fetch("api/status", token=SERVICE_TOKEN[:-1])).code == 401
    assert (await fetch("api/status", headers={**SCRIPT, **cookie})).code == 401
    assert (await fetch(f"api/status?token={SERVICE_TOKEN}", headers=SCRIPT)).code == 401
    assert (await fetch("status", token=SERVICE_TOKEN)).code == 403
    assert (await fetch("api/user", token=SERVICE_TOKEN)).code == 403


async def test_only_admins_see_the_link(hub: StandInHub, fetch: Fetch) -> None:
    link = f'href="{PREFIX}status"'

    assert (
        link
        in (await fetch("", token=hub.token_for("ada", ("read:hub",), admin=True))).body.decode()
    )
    assert link not in (await fetch("", token=hub.token_for("bob"))).body.decode()


async def test_the_server_process_is_named_only_on_request(
    service: TornadoService, fetch: Fetch
) -> None:
    asked = await fetch("health", headers={"X-Instance": "?"})

    assert asked.headers["X-Instance"] == service.selfcheck.instance
    assert asked.headers["X-Service"] == f"tornado-service {__version__}"
    assert not {"X-Instance", "X-Service"} & {*(await fetch("health")).headers}


async def test_replicas_and_leaders_have_names(
    start_service: StartService, client: AsyncHTTPClient, new_postgresql: Callable[[str], str]
) -> None:
    database = {"database_url": new_postgresql("postgresql+psycopg2")}
    one = await start_service(TornadoService=database)
    leadership = one.context.replicas.leadership("reports")
    leadership.activate(asyncio.get_running_loop())
    await leadership.wait_until()

    response = await fetcher(client, one)("api/status", token=SERVICE_TOKEN)

    status = json.loads(response.body)
    (found,) = [each for each in status["findings"] if each["name"] == "replicas"]
    assert (found["state"], status["instance"] in found["message"]) == ("ok", True)
    assert status["leaders"] == {"reports": status["instance"]}


async def test_a_database_of_replicas_that_is_away_is_wrong(
    start_service: StartService, client: AsyncHTTPClient
) -> None:
    with refusing() as port:
        url = f"postgresql+psycopg2://user:password@127.0.0.1:{port}/name"
        one = await start_service(load=False, TornadoService={"database_url": url})
        one.context.replicas.start(lambda tokens: None, 1)
        await until(lambda: bool(one.context.replicas.problem))

        response = await fetcher(client, one)("api/status", token=SERVICE_TOKEN)

    status = json.loads(response.body)
    (found,) = [each for each in status["findings"] if each["name"] == "replicas"]
    assert (status["status"], found["state"]) == ("wrong", "wrong")
    assert "TornadoService.database_url" in found["key"]
    assert "password" not in found["message"]


def fetcher(client: AsyncHTTPClient, service: TornadoService) -> Fetch:
    return Fetch(client, f"http://127.0.0.1:{service.port}", service.prefix)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (59, "0 min"),
        (60, "1 min"),
        (3 * 3600 + 61, "3 h 1 min"),
        (90_000, "1 day 1 h"),
        (2 * 86400, "2 days 0 h"),
    ],
)
def test_uptime_in_words(seconds: int, words: str) -> None:
    assert format_uptime(seconds) == words
