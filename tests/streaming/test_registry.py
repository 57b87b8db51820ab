"""Streams: their number, and when they end."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.support.live_app import Live, News
from tests.support.streaming import APP, CLIENT, NEWS, ending, holding, metric, only_listener, until
from tornado_service.app import TornadoService
from tornado_service.hub.client import HubClient
from tornado_service.streaming import registry as streams
from tornado_service.testing import Fetch, StandInHub, Visitor

#: Tolerance in seconds; far less than a pause or a call that takes too long.
SLACK = 2


class TestBounds:
    @pytest.fixture
    def service_config(self) -> dict[str, Any]:
        return {"TornadoService": APP, "Streams": {"per_user": 2, "in_all": 3}}

    async def test_there_is_a_limit_per_user_and_in_total(
        self, fetch: Fetch, hub: StandInHub, service: TornadoService
    ) -> None:
        alice, bob = hub.token_for("alice"), hub.token_for("bob")
        async with (
            fetch.listen(NEWS, token=alice),
            fetch.listen(NEWS, token=hub.token_for("alice")),
        ):
            third = await fetch(NEWS, token=alice)
            async with fetch.listen(NEWS, token=bob) as events:
                code = events.code
                fourth = await fetch(NEWS, token=bob)
                assert metric(service, "streams", kind="events") == 3
        await until(lambda: len(service.streams) == 0)
        async with fetch.listen(NEWS, token=alice) as events:
            again = events.code

        assert (third.code, code, fourth.code, again) == (429, 200, 503, 200)
        for response in (third, fourth):
            assert int(response.headers["Retry-After"]) > 0
            assert json.loads(response.body)["status"] == response.code
        assert service.streams._streams_per_user.total() <= 1


class TestEnd:
    async def test_at_sign_out_of_that_session(
        self, fetch: Fetch, hub: StandInHub, visitor: Visitor, service: TornadoService, app: Live
    ) -> None:
        await visitor.open(service.prefix)
        async with (
            visitor.listen(NEWS, CLIENT) as mine,
            fetch.listen(NEWS, token=hub.token_for("ada")) as other,
        ):
            await visitor.post("logout")

            assert await ending(mine) == {"reason": "signed-out", "retry": False}
            app.news.send("x")
            assert (await other.read(1))[0].json == "x"

    async def test_when_the_token_is_revoked(
        self, fetch: Fetch, hub: StandInHub, service: TornadoService, token: str, soon: None
    ) -> None:
        async with fetch.listen(NEWS, token=token) as events:
            del hub.users[token]

            assert await ending(events) == {"reason": "signed-out", "retry": False}

    async def test_when_another_request_finds_it_revoked(
        self, fetch: Fetch, hub: StandInHub, service: TornadoService, token: str
    ) -> None:
        async with fetch.listen(NEWS, token=token) as events:
            del hub.users[token]
            assert (await fetch("live/api/send", token=token, method="POST", json={})).code == 401

            assert (await ending(events))["reason"] == "signed-out"

    @pytest.mark.parametrize("scopes", [["access:services"], ["custom:live:read"]])
    async def test_when_a_scope_is_lost(
        self, fetch: Fetch, hub: StandInHub, scopes: list[str], soon: None
    ) -> None:
        token = hub.token_for("bob", ("custom:live:read",))
        async with fetch.listen("live/api/scoped", token=token) as events:
            hub.users[token]["scopes"] = scopes

            assert await ending(events) == {"reason": "no-access", "retry": False}

    async def test_all_of_them_even_if_an_authors_code_fails_at_the_end_of_one(
        self,
        fetch: Fetch,
        hub: StandInHub,
        service: TornadoService,
        token: str,
        soon: None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        counted_out = News.on_finish

        def fail(news: News) -> None:
            counted_out(news)
            raise RuntimeError("the end is broken")

        monkeypatch.setattr(News, "on_finish", fail)
        async with fetch.listen(NEWS, token=token), fetch.listen(NEWS, token=token):
            del hub.users[token]

            await until(lambda: len(service.streams) == 0)

    async def test_when_the_hub_is_unavailable_for_too_long(
        self, fetch: Fetch, hub: StandInHub, service: TornadoService, token: str, soon: None
    ) -> None:
        service.auth.stale_grace = service.auth.identities._grace = 0.3
        async with fetch.listen(NEWS, token=token) as events:
            hub.fault = "error"

            assert await ending(events) == {"reason": "hub-away", "retry": True}

    async def test_in_time_though_it_began_late(
        self, fetch: Fetch, hub: StandInHub, service: TornadoService, token: str
    ) -> None:
        """The cached identity has almost expired when the stream begins."""
        service.auth.cache_max_age = service.auth.identities._max_age = 3
        await fetch("api/user", token=token)
        confirmed = time.monotonic()
        await asyncio.sleep(2)
        async with fetch.listen(NEWS, token=token) as events:
            del hub.users[token]

            assert await ending(events) == {"reason": "signed-out", "retry": False}
        assert time.monotonic() - confirmed < 3 + SLACK

    async def test_in_time_though_the_hub_is_silent(
        self,
        fetch: Fetch,
        hub: StandInHub,
        service: TornadoService,
        token: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A pending call may take longer."""
        monkeypatch.setattr(streams, "MIN_RECHECK_INTERVAL", 0.05)
        service.auth.cache_max_age = service.auth.identities._max_age = 1
        service.auth.stale_grace = service.auth.identities._grace = 1
        async with fetch.listen(NEWS, token=token) as events:
            began = time.monotonic()
            hub.fault = "silent"

            assert await ending(events) == {"reason": "hub-away", "retry": True}
        assert time.monotonic() - began < 2 + SLACK

    async def test_not_while_the_hub_may_be_unavailable(
        self, fetch: Fetch, hub: StandInHub, app: Live, token: str, soon: None
    ) -> None:
        async with fetch.listen(NEWS, token=token) as events:
            hub.fault = "error"
            asked = hub.calls["/hub/api/user"]
            await until(lambda: hub.calls["/hub/api/user"] >= asked + 3)
            app.news.send("still here")

            assert (await events.read(1))[0].json == "still here"

    async def test_a_changed_model_is_what_the_view_sees(
        self, fetch: Fetch, hub: StandInHub, app: Live, token: str, soon: None
    ) -> None:
        async with fetch.listen("live/api/mine", token=token) as events:
            hub.users[token]["name"] = "renamed"
            listener = only_listener(app)
            await until(lambda: listener.current_user["name"] == "renamed")
            app.news.send({"to": "renamed", "text": "x"})

            assert (await events.read(1))[0].json == {"text": "x"}

    async def test_many_streams_of_one_session_cause_one_call(
        self, fetch: Fetch, hub: StandInHub, token: str, service: TornadoService
    ) -> None:
        async with AsyncExitStack() as stack:
            for _ in range(5):
                await stack.enter_async_context(fetch.listen(NEWS, token=token))

            assert len(service.streams._owners) == 1
            assert hub.calls["/hub/api/user"] == 1

    async def test_many_sessions_do_not_cause_calls_all_at_once(
        self, fetch: Fetch, hub: StandInHub, service: TornadoService, soon: None
    ) -> None:
        hub.delay = 0.02
        async with AsyncExitStack() as stack:
            for number in range(20):
                token = hub.token_for(f"user-{number}")
                await stack.enter_async_context(fetch.listen(NEWS, token=token))
            hub.peak_concurrent_calls = 0
            asked = hub.calls["/hub/api/user"]
            await until(lambda: hub.calls["/hub/api/user"] >= asked + 40)

            assert hub.peak_concurrent_calls <= streams.MAX_CONCURRENT_RECHECKS

    async def test_when_the_service_is_stopped_without_holding_it_up(
        self, fetch: Fetch, service: TornadoService, token: str
    ) -> None:
        async with fetch.listen(NEWS, token=token) as events:
            service.streams.close()

            assert service.context.open_requests == 0
            assert await ending(events) == {"reason": "stopping", "retry": True}
        refused = await fetch(NEWS, token=token)
        assert refused.code == 503
        assert "Retry-After" in refused.headers

    async def test_a_client_that_does_not_read_cannot_delay_it_either(
        self, service: TornadoService, app: Live, token: str
    ) -> None:
        async with holding(service, NEWS, token):
            await until(lambda: len(service.streams) == 1)
            listener = only_listener(app)
            while not listener._iostream.writing():
                app.news.send("x" * 60_000)
                await asyncio.sleep(0)

            service.streams.close()

            await until(lambda: service.context.open_requests == 0)


def test_the_documented_bounds_are_those_of_the_settings(service: TornadoService) -> None:
    """limits.md and SECURITY.md promise 60 s, and 120 s while the hub does not respond."""
    auth = service.auth

    assert (auth.cache_max_age, auth.stale_grace) == (60, 60)
    last_call = streams.RECHECK_AT[1] * auth.cache_max_age
    assert last_call + HubClient.hub_timeout.default_value <= auth.cache_max_age
