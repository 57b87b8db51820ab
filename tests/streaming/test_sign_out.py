"""Signing out: no pending request or stream outlives it, whatever the hub returns."""

from __future__ import annotations

import asyncio
import json
import struct

import pytest

from tests.support.live_app import Live
from tests.support.streaming import (
    CLIENT,
    ECHO,
    NEWS,
    UPGRADE,
    ending,
    holding,
    page_headers,
    read_until,
    until,
)
from tornado_service.app import TornadoService
from tornado_service.testing import PREFIX, Fetch, StandInHub, Visitor

SLOW, SLOW_ECHO = "live/api/slow", "live/api/slow-echo"
USER = "/hub/api/user"


@pytest.fixture
async def visitor(visitor: Visitor, app: Live) -> Visitor:
    """A user with an open page, and a session at the hub."""
    visitor.jar[visitor.host, "/", "jupyterhub-session-id"] = "first"
    await visitor.open(PREFIX)
    return visitor


@pytest.fixture
def other_tab(visitor: Visitor) -> Visitor:
    """Another page of the same browser, which has sent its cookies before the sign-out."""
    other = Visitor(visitor.client, visitor.hub, visitor.service, home=visitor.home)
    other.jar, other.page = dict(visitor.jar), visitor.page
    return other


async def sign_out(visitor: Visitor) -> None:
    """At the service only: the hub, the next step, still accepts the token."""
    assert (await visitor.post("logout")).code == 200


class TestRequestsOfAnotherTab:
    async def test_a_script_is_refused(self, visitor: Visitor, other_tab: Visitor) -> None:
        assert (await other_tab.fetch("api/user")).code == 200

        await sign_out(visitor)

        assert (await other_tab.fetch("api/user")).code == 401
        assert (await other_tab.fetch("live/api/send", method="POST", json={})).code == 401

    async def test_a_page_begins_a_sign_in(self, visitor: Visitor, other_tab: Visitor) -> None:
        await sign_out(visitor)

        assert (await other_tab.get(PREFIX)).code == 302

    async def test_a_stream_is_refused(self, visitor: Visitor, other_tab: Visitor) -> None:
        await sign_out(visitor)

        assert (await other_tab.fetch(NEWS)).code == 401

    @pytest.mark.parametrize("session", ["second", ""])
    async def test_in_another_session_at_the_hub_too(
        self, visitor: Visitor, other_tab: Visitor, session: str
    ) -> None:
        other_tab.jar[other_tab.host, "/", "jupyterhub-session-id"] = session
        assert (await other_tab.get(f"{PREFIX}home")).code == 200

        await sign_out(visitor)

        assert (await other_tab.get(f"{PREFIX}home")).code == 302

    async def test_while_the_hub_is_unavailable(
        self, hub: StandInHub, visitor: Visitor, other_tab: Visitor
    ) -> None:
        hub.fault = "error"
        await sign_out(visitor)

        assert (await other_tab.fetch("api/user")).code == 401

    async def test_signing_in_again_is_possible(
        self, visitor: Visitor, hub: StandInHub, fetch: Fetch
    ) -> None:
        await sign_out(visitor)

        assert (await visitor.open(PREFIX)).code == 200
        assert (await fetch("api/user", token=hub.token_for("ada"))).code == 200


class TestPendingConnections:
    async def test_a_stream_is_refused(
        self, visitor: Visitor, other_tab: Visitor, app: Live, service: TornadoService
    ) -> None:
        connecting = asyncio.ensure_future(other_tab.fetch(SLOW))
        await until(lambda: app.held == 1)

        await sign_out(visitor)
        app.go_on.set()

        response = await connecting
        assert response.code == 401
        assert json.loads(response.body)["status"] == 401
        assert len(service.streams) == 0

    async def test_a_socket_is_refused(
        self, visitor: Visitor, app: Live, service: TornadoService
    ) -> None:
        path = f"{SLOW_ECHO}?_xsrf={visitor.xsrf_token}"
        async with holding(service, path, "", {**UPGRADE, **by_cookie(visitor)}) as connection:
            await until(lambda: app.held == 1)

            await sign_out(visitor)
            app.go_on.set()

            assert b"HTTP/1.1 401 " in await read_until(connection, b"\r\n\r\n")
        assert app.sockets == []

    async def test_one_whose_token_another_request_finds_revoked_is_refused(
        self, hub: StandInHub, fetch: Fetch, token: str, app: Live
    ) -> None:
        connecting = asyncio.ensure_future(fetch(SLOW, token=token))
        await until(lambda: app.held == 1)

        del hub.users[token]
        assert (await fetch("live/api/send", token=token, method="POST", json={})).code == 401
        app.go_on.set()

        assert (await connecting).code == 401

    async def test_one_whose_access_another_request_finds_revoked_is_refused(
        self, hub: StandInHub, fetch: Fetch, token: str, app: Live
    ) -> None:
        connecting = asyncio.ensure_future(fetch(SLOW, token=token))
        await until(lambda: app.held == 1)

        hub.users[token]["scopes"] = []
        assert (await fetch("live/api/send", token=token, method="POST", json={})).code == 403
        app.go_on.set()

        assert (await connecting).code == 403

    async def test_one_that_waits_for_the_hub_is_refused(
        self, hub: StandInHub, visitor: Visitor, other_tab: Visitor, service: TornadoService
    ) -> None:
        service.auth.identities._max_age = 0
        hub.gate = asyncio.Event()
        asked = hub.calls[USER]
        waiting = [asyncio.ensure_future(other_tab.fetch(path)) for path in (NEWS, "api/user")]
        await until(lambda: hub.calls[USER] > asked)

        await sign_out(visitor)
        hub.gate.set()

        assert [response.code for response in await asyncio.gather(*waiting)] == [401, 401]

    async def test_between_the_hubs_response_and_the_request_too(
        self, hub: StandInHub, service: TornadoService
    ) -> None:
        """The hub's response has arrived, but the waiting request has not continued yet."""
        token = hub.token_for("alice")
        identities = service.auth.identities

        def sign_out_then(key, identity) -> None:
            if identity is not None:
                identities.revoke(key)

        identities.subscribe(sign_out_then)

        assert await service.auth.user_for_token(token, sync=False) is None


class TestOpenConnections:
    async def test_a_stream_of_another_session_at_the_hub_ends(
        self, visitor: Visitor, other_tab: Visitor
    ) -> None:
        other_tab.jar[other_tab.host, "/", "jupyterhub-session-id"] = "second"
        await other_tab.open(PREFIX)
        async with other_tab.listen(NEWS, CLIENT) as events:
            await sign_out(visitor)

            assert await ending(events) == {"reason": "signed-out", "retry": False}

    async def test_a_socket_takes_no_message_any_more(
        self, visitor: Visitor, app: Live, service: TornadoService
    ) -> None:
        """Closing takes a while, if the other side does not respond."""
        path = f"{ECHO}?_xsrf={visitor.xsrf_token}"
        async with holding(service, path, "", {**UPGRADE, **by_cookie(visitor)}) as connection:
            loop = asyncio.get_running_loop()
            await read_until(connection, b"\r\n\r\n")
            await loop.sock_sendall(connection, frame(1, b"before"))
            await until(lambda: app.received == ["before"])
            (socket,) = app.sockets

            await sign_out(visitor)
            await loop.sock_sendall(connection, frame(1, b"after") + frame(8, b""))
            await until(lambda: socket._iostream.closed())

        assert app.received == ["before"]


def by_cookie(visitor: Visitor) -> dict[str, str]:
    """A browser's request for a socket, through a proxy with a password of its own."""
    headers = page_headers(visitor)
    session = visitor.jar[visitor.host, "/", "jupyterhub-session-id"]
    cookie = f"{headers['Cookie']}; jupyterhub-session-id={session}"
    return {**headers, **CLIENT, "Cookie": cookie, "Authorization": "Basic eDp5"}


def frame(opcode: int, data: bytes) -> bytes:
    """A browser's frame: masked, with zeros."""
    return struct.pack("!BB", 0x80 | opcode, 0x80 | len(data)) + bytes(4) + data
