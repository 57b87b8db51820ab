"""Web apps behind the sign-in: access, limits, starts and failures, WebSockets."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from tests.support.proxy import (
    OK,
    PATH,
    Call,
    Proxied,
    Sales,
    StandInSupervisor,
    head,
    respond,
)
from tests.support.proxy_fixtures import StartProxy
from tests.support.streaming import UPGRADE, metric, until
from tornado_service.proxy.forward.target import Target
from tornado_service.proxy.process.supervisor import NotStarted
from tornado_service.testing import BROWSER, StandInHub


class TestLimitsOfBodies:
    async def test_a_larger_body_is_refused_before_the_app_is_called(
        self, start_proxy: StartProxy
    ) -> None:
        proxied = await start_proxy(max_body_size=10)

        async with proxied.connect() as visitor:
            await visitor.send_head("POST", "", {"Content-Length": "11"})
            refused = await visitor.read()
        fits = await proxied.call("POST", "", body=b"a" * 10)

        assert refused.status == 413
        message = "The body of the request is larger than 10 bytes, the limit."
        assert json.loads(refused.body) == {"status": 413, "message": message}
        assert fits.status == 200
        assert len(proxied.upstream.requests) == 1

    async def test_a_larger_body_in_chunks_is_cut_off(self, start_proxy: StartProxy) -> None:
        proxied = await start_proxy(max_body_size=10)
        closed = proxied.upstream.wait_until_closed()
        async with proxied.connect() as visitor:
            await visitor.send_head("POST", "", {"Transfer-Encoding": "chunked"})
            await visitor.send(b"6\r\naaaaaa\r\n")
            await visitor.send(b"6\r\naaaaaa\r\n")
            assert (await visitor.read()).status == 413
        await asyncio.wait_for(closed.wait(), 30)

    async def test_without_a_limit_the_service_has_none(self, start_proxy: StartProxy) -> None:
        proxied = await start_proxy({"TornadoService": {"max_body_size": 1000}})

        reply = await proxied.call("POST", "", body=b"a" * 100_000)

        assert reply.status == 200
        assert len(proxied.upstream.request.body) == 100_000

    async def test_a_form_is_not_parsed(self, proxied: Proxied) -> None:
        body = b"a=%ff&" * 100_000
        form = {"Content-Type": "application/x-www-form-urlencoded"}

        assert (await proxied.call("POST", "", form, body)).status == 200
        assert proxied.upstream.request.body == body


class TestUnreachable:
    @pytest.fixture
    async def away(self, proxied: Proxied) -> Proxied:
        proxied.app.url_target = Target(port=1)  # type: ignore[misc]
        return proxied

    async def test_programs_get_json_and_browsers_a_page(
        self, away: Proxied, caplog: pytest.LogCaptureFixture
    ) -> None:
        reply = await away.call()
        page = await away.call("GET", "", BROWSER)

        assert (reply.status, reply.get("Retry-After")) == (503, "5")
        assert json.loads(reply.body)["message"] == "This app does not respond. Try again soon."
        assert (page.status, page.get("Retry-After")) == (503, "5")
        assert "This app does not respond" in page.body.decode()
        assert "127.0.0.1" not in page.body.decode()
        assert "App sales cannot be reached, request_id=" in caplog.text

    async def test_also_within_a_body(self, away: Proxied) -> None:
        async with away.connect() as visitor:
            await visitor.send_head("POST", "", {"Content-Length": "100"})
            assert (await visitor.read()).status == 503


class TestProcess:
    @pytest.fixture
    async def supervisor(self, proxied: Proxied) -> StandInSupervisor:
        proxied.app.supervisor = StandInSupervisor(proxied.upstream.target)
        return proxied.app.supervisor  # type: ignore[no-any-return]

    async def test_it_is_in_use_as_long_as_a_request(
        self, proxied: Proxied, supervisor: StandInSupervisor
    ) -> None:
        await proxied.call()
        await proxied.call("POST", "", body=b"a")
        proxied.upstream.script = respond(b"", close=True)
        await proxied.call()
        await until(lambda: supervisor.users == 0)

        assert supervisor.most_users == 1
        assert supervisor.starts == 0

    async def test_a_page_waits_for_its_start(
        self, proxied: Proxied, supervisor: StandInSupervisor
    ) -> None:
        supervisor.is_ready = False

        page = await proxied.call("GET", "", BROWSER)
        reply = await proxied.call("POST", "", body=b"a")

        assert (page.status, page.get("Retry-After")) == (503, "3")
        assert "Sales is starting" in page.body.decode()
        assert 'data-retry-after="3"' in page.body.decode()
        assert (reply.status, reply.get("Retry-After")) == (503, "3")
        message = "This app is starting. Try again soon."
        assert json.loads(reply.body)["message"] == message
        assert supervisor.starts == 2
        assert proxied.upstream.requests == []
        assert supervisor.users == 0

    async def test_a_failed_start_is_told(
        self, proxied: Proxied, supervisor: StandInSupervisor
    ) -> None:
        supervisor.is_ready, supervisor.problem = False, "no such command: secret"
        supervisor.is_failing = True

        page = await proxied.call("GET", "", BROWSER)

        assert page.status == 503
        assert "Sales is not available" in page.body.decode()
        assert "Hub admins can see the reason on the Status page" in page.body.decode()
        assert "secret" not in page.body.decode()

    async def test_a_refused_connection_is_reported(
        self, proxied: Proxied, supervisor: StandInSupervisor
    ) -> None:
        supervisor.target = Target(unix_socket="/nowhere")

        assert (await proxied.call()).status == 503
        assert supervisor.unreachable == 1

    async def test_a_websocket_waits_for_it(
        self, proxied: Proxied, supervisor: StandInSupervisor
    ) -> None:
        supervisor.is_ready = False
        proxied.upstream.script = respond(head("403 Forbidden", "Content-Length: 2") + b"no")

        async with proxied.connect() as visitor:
            await visitor.send_head("GET", "ws", UPGRADE)
            await until(lambda: supervisor.starts == 0 and len(proxied.service.streams) == 1)
            assert proxied.upstream.requests == []
            supervisor.ready.set()
            assert (await visitor.read()).status == 403
        assert supervisor.reports == [(403, b"no", True)]

    async def test_a_websocket_does_not_wait_for_ever(
        self, proxied: Proxied, supervisor: StandInSupervisor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def wait_ready() -> None:
            raise NotStarted("This app takes too long to start.")

        monkeypatch.setattr(supervisor, "wait_ready", wait_ready)
        reply = await proxied.call("GET", "ws", UPGRADE)

        assert reply.status == 503
        assert json.loads(reply.body)["message"] == "This app takes too long to start."


async def test_scopes_may_be_required(
    start_proxy: StartProxy, hub: StandInHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sales, "required_scopes", frozenset({"custom:sales:read"}))
    proxied = await start_proxy()
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
        assert (await proxied.call(method)).status == 403, method
    assert (await proxied.call("GET", "ws", UPGRADE)).status == 403
    assert proxied.upstream.requests == []

    proxied.token = hub.token_for("ada", ("custom:sales:read",))
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert (await proxied.call(method)).status == 200, method


async def test_who_is_not_allowed_gets_nothing(
    proxied: Proxied, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sales, "is_allowed", lambda self, user: False)

    assert (await proxied.call()).status == 403
    assert proxied.upstream.requests == []


async def test_requests_are_logged_and_counted(
    proxied: Proxied, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await proxied.call("GET", "a?token=hunter2")
    proxied.upstream.script = respond(head("404 Not Found", "Content-Length: 0"))
    await proxied.call("GET", "b")

    assert f"200 GET {PATH}a?token=" in caplog.text
    assert f"404 GET {PATH}b (ada@" in caplog.text
    assert "hunter2" not in caplog.text
    labels = {"handler": "sales.ProxyHandler", "method": "GET", "status": "404"}
    assert metric(proxied.service, "requests_total", **labels) == 1
    assert proxied.service.context.open_requests == 0


async def test_one_connection_has_many_requests(proxied: Proxied) -> None:
    async with proxied.connect() as visitor:
        for number in range(3):
            reply = await visitor.call("POST", f"{number}", body=b"a" * number)
            assert (reply.status, reply.body) == (200, OK[-2:])
    assert [len(request.body) for request in proxied.upstream.requests] == [0, 1, 2]


EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"


async def test_a_stream_of_events_ends_with_the_session(
    proxied: Proxied, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(call: Call) -> None:
        await call.send(EVENTS)
        await call.wait_closed()

    proxied.upstream.script = script
    async with proxied.connect() as visitor:
        await visitor.send_head("GET", "events")
        await visitor.reader.readuntil(b"data: 1")
        assert len(proxied.service.streams) == 1
        monkeypatch.setattr(Sales, "is_allowed", lambda self, user: False)
        await proxied.service.auth.user_for_token(proxied.token, sync=False, revalidate=True)

        rest = await asyncio.wait_for(visitor.reader.readuntil(b"0\r\n\r\n"), 30)
        assert b"data" not in rest
    await until(lambda: len(proxied.service.streams) == 0)


async def test_a_stream_of_events_whose_app_dies_ends_in_order(proxied: Proxied) -> None:
    """The hub's proxy does not pass a reset on: the page would not connect again."""
    raw = head("200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked")
    proxied.upstream.script = respond(raw + b"9\r\ndata: 1\n\n\r\n", close=True)

    async with proxied.connect() as visitor:
        reply = await visitor.call("GET", "events")
        proxied.upstream.script = respond(OK)
        again = await visitor.call()

    assert (reply.status, reply.body) == (200, b"data: 1\n\n")
    assert again.status == 200


async def test_parts_of_pages_are_logged_at_debug_level(
    proxied: Proxied, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await proxied.call("GET", "app.js", {"Sec-Fetch-Dest": "script"})
    await proxied.call("GET", "data", {"Sec-Fetch-Dest": "empty"})

    assert "app.js" not in caplog.text
    assert f"200 GET {PATH}data" in caplog.text


@pytest.mark.parametrize("path", ["..%2fother/", "%2e%2e/other/", "..;/other/", "../other/"])
async def test_another_app_on_the_same_server_is_not_reached(proxied: Proxied, path: str) -> None:
    """Its entry has the same URL, and other users."""
    assert (await proxied.call("GET", path)).status == 400
    assert not proxied.upstream.requests
