"""Who may open a handler: access of an app's own, and requests checked by their origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.logs import Listener
from tests.support.streaming import UPGRADE
from tornado_service import APIHandler, PageHandler, ServiceApp, WebSocketHandler
from tornado_service.app import TornadoService
from tornado_service.testing import (
    BROWSER,
    PREFIX,
    SCRIPT,
    Fetch,
    NewVisitor,
    ServiceConfig,
    StandInHub,
    Visitor,
)

OWN = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
FOREIGN = {**OWN, "Sec-Fetch-Site": "same-site"}


class Home(PageHandler):
    def get(self) -> None:
        self.write(f"for {self.current_user['name']} at {self.client_ip}")


class Foreign(APIHandler):
    """Pages of others call it, which have no XSRF token."""

    checks_origin = True

    def get(self) -> dict[str, str]:
        return {"user": self.current_user["name"]}

    def post(self) -> dict[str, str]:
        return {"user": self.current_user["name"]}


class Echo(WebSocketHandler):
    checks_origin = True

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message)


class Club(ServiceApp):
    """For some users only."""

    name = "club"
    title = "The club"

    def handlers(self) -> list[tuple[Any, ...]]:
        return [("", Home), ("api/foreign", Foreign), ("echo", Echo)]

    def is_allowed(self, user: Mapping[str, Any]) -> bool:
        if user["name"] == "eve":
            raise RuntimeError("the list of members is lost")
        return user["name"] in ("ada", "sam")

    @property
    def details(self) -> dict[str, str]:
        return {"members": "2", "last": "one\ntwo"}


@pytest.fixture
def service_config() -> ServiceConfig:
    return {"TornadoService": {"apps": [f"{__name__}:Club"]}}


async def test_an_app_says_who_may_open_it(hub: StandInHub, fetch: Fetch) -> None:
    member = await fetch("club/", token=hub.token_for("sam"), headers=BROWSER)
    other = await fetch("club/", token=hub.token_for("bob"), headers=BROWSER)

    assert (member.code, member.body.decode()) == (200, "for sam at 127.0.0.1")
    assert other.code == 403
    assert "bob is signed in, but may not open The club" in other.body.decode()


async def test_an_app_that_cannot_tell_lets_no_user_in(
    service: TornadoService, hub: StandInHub, fetch: Fetch
) -> None:
    response = await fetch("club/", token=hub.token_for("eve"), headers=BROWSER)

    assert response.code == 403
    assert b"list of members" not in response.body
    home = await fetch("home", token=hub.token_for("eve"), headers=BROWSER)
    assert home.code == 200
    assert f'href="{PREFIX}club/"' not in home.body.decode().partition("<main")[2]


async def test_the_home_page_has_the_apps_that_one_may_open(
    new_visitor: NewVisitor, hub: StandInHub
) -> None:
    pages = {}
    for name in ("sam", "bob"):
        visitor = new_visitor(name)
        await visitor.open("home")
        pages[name] = visitor.page.partition("<main")[2]

    assert f'href="{PREFIX}club/"' in pages["sam"]
    assert f'href="{PREFIX}club/"' not in pages["bob"]


async def test_a_change_without_a_token_of_our_pages_goes_by_its_origin(visitor: Visitor) -> None:
    await visitor.open("club/")

    async def post(headers: dict[str, str]) -> int:
        response = await visitor.client.fetch(
            f"{visitor.service}{PREFIX}club/api/foreign",
            method="POST",
            body="",
            headers={"Host": visitor.host, "Cookie": cookies(visitor), **headers},
            raise_error=False,
        )
        return response.code

    host = visitor.host
    assert await post(OWN) == 200
    assert await post({"Origin": f"http://{host}"}) == 200
    assert await post(FOREIGN) == 403
    assert await post({"Origin": "http://evil.example"}) == 403
    assert await post({}) == 403


async def test_the_log_names_the_setting_for_a_proxy_with_another_host(
    visitor: Visitor, service: TornadoService
) -> None:
    await visitor.open("club/")
    session = {"Host": "10.0.0.1:8000", "Cookie": cookies(visitor)}
    url = f"{visitor.service}{PREFIX}club/echo"
    with Listener(service) as log:
        for origin in ({"Origin": "https://hub.example.org"}, FOREIGN):
            headers = {**session, **UPGRADE, **origin}
            refused = await visitor.client.fetch(url, headers=headers, raise_error=False)
            assert refused.code == 403

    (line,) = [line for line in log if "JUPYTERHUB_PUBLIC_URL" in line]
    assert "A page at https://hub.example.org was refused" in line
    assert "Host is 10.0.0.1:8000." in line


async def test_a_script_of_our_origin_reads_without_a_token_of_our_pages(visitor: Visitor) -> None:
    await visitor.open("club/")

    async def read(headers: dict[str, str]) -> int:
        url = f"{visitor.service}{PREFIX}club/api/foreign"
        headers = {"Host": visitor.host, "Cookie": cookies(visitor), **headers}
        return (await visitor.client.fetch(url, headers=headers, raise_error=False)).code

    for _ in range(2):  # decisions are cached
        assert await read(OWN) == 200
        assert await read(FOREIGN) == 403
        assert await read({}) == 200


async def test_a_token_of_a_program_needs_no_origin(hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for("sam")
    for headers in ({}, SCRIPT, FOREIGN):
        response = await fetch(
            "club/api/foreign", method="POST", body="", token=token, headers=headers
        )
        assert response.code == 200


async def test_admins_see_the_details_of_an_app(hub: StandInHub, new_visitor: NewVisitor) -> None:
    hub.directory.add_user("root", admin=True)
    visitor = new_visitor("root")
    await visitor.open("status")

    assert "members" in visitor.page
    assert "one\ntwo</pre>" in visitor.page


def cookies(visitor: Visitor) -> str:
    return "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
