"""The user of a token: looked up once, cached for a while, in bounded memory."""

import asyncio
import gc
import json
import os
import time
from pathlib import Path

import pytest

from tornado_service.app import TornadoService
from tornado_service.auth.identity_cache import IdentityKey, LRUCache
from tornado_service.testing import Fetch, StandInHub

USER = "/hub/api/user"


async def test_a_hundred_requests_with_one_unknown_token_are_one_call(
    hub: StandInHub, fetch: Fetch
) -> None:
    hub.delay = 0.2
    token = hub.token_for("alice")

    responses = await asyncio.gather(*[fetch("api/user", token=token) for _ in range(100)])

    assert {response.code for response in responses} == {200}
    assert hub.calls[USER] == 1


async def test_a_change_is_not_confirmed_by_an_earlier_request(
    hub: StandInHub, service: TornadoService, fetch: Fetch
) -> None:
    hub.delay = 0.2
    token = hub.token_for("alice")
    reading = asyncio.ensure_future(fetch("api/user", token=token))
    while not hub.calls[USER]:
        await asyncio.sleep(0.01)

    began = time.monotonic()
    identities = await asyncio.gather(
        *[service.auth.user_for_token(token, sync=False, revalidate=True) for _ in range(10)]
    )

    assert (await reading).code == 200
    assert hub.calls[USER] == 2
    assert {identity["name"] for identity in identities} == {"alice"}
    assert min(identity.confirmed_at for identity in identities) >= began


async def test_a_cached_token_is_not_looked_up_again(hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for("alice")
    for _ in range(5):
        await fetch("api/user", token=token)

    assert hub.calls[USER] == 1


async def test_a_changing_session_cookie_does_not_defeat_the_cache(
    hub: StandInHub, fetch: Fetch
) -> None:
    token = hub.token_for("alice")
    for number in range(5):
        cookie = {"Cookie": f"jupyterhub-session-id={number}"}
        assert (await fetch("api/user", token=token, headers=cookie)).code == 200

    assert hub.calls[USER] == 1


async def test_a_refused_token_is_cached_too(hub: StandInHub, fetch: Fetch) -> None:
    for _ in range(5):
        assert (await fetch("api/user", token="0" * 32)).code == 401

    assert hub.calls[USER] == 1


class TestOnceItIsOld:
    @pytest.fixture
    async def service(self, start_service) -> TornadoService:
        service = await start_service()
        # time travel: all entries are an hour old
        service.auth.identities._max_age = 0
        return service

    async def test_a_revoked_token_is_refused(self, hub: StandInHub, fetch: Fetch) -> None:
        token = hub.token_for("alice")
        assert (await fetch("api/user", token=token)).code == 200

        del hub.users[token]

        assert (await fetch("api/user", token=token)).code == 401

    async def test_a_changed_group_shows(self, hub: StandInHub, fetch: Fetch) -> None:
        token = hub.token_for("alice", groups=["a"])
        await fetch("api/user", token=token)

        hub.users[token]["groups"] = ["b"]

        assert json.loads((await fetch("api/user", token=token)).body)["groups"] == ["b"]

    async def test_a_revoked_scope_is_removed(self, hub: StandInHub, fetch: Fetch) -> None:
        token = hub.token_for("alice")
        await fetch("api/user", token=token)

        hub.users[token]["scopes"] = []

        assert (await fetch("api/user", token=token)).code == 403


async def test_concurrent_look_ups_are_limited_by_the_setting(start_service, client) -> None:
    hub = StandInHub(delay=1)
    await hub.start()
    try:
        service = await start_service(
            HubClient={"hub_concurrency": 3, "hub_queue": 5, "api_url": hub.api_url},
            ServiceAuth={"api_url": hub.api_url},
        )
        url = f"http://127.0.0.1:{service.port}{service.prefix}api/user"
        responses = await asyncio.gather(
            *[
                client.fetch(url, headers={"Authorization": f"token {number}"}, raise_error=False)
                for number in range(40)
            ]
        )
    finally:
        await hub.stop()

    codes = [response.code for response in responses]
    assert hub.peak_concurrent_calls <= 3
    assert set(codes) == {401, 503}
    assert codes.count(503) > codes.count(401)
    assert all("Retry-After" in response.headers for response in responses if response.code == 503)


def test_a_limited_number_of_recent_ones_is_kept() -> None:
    recent: LRUCache[int, str] = LRUCache(2)
    recent.put(1, "a")
    recent.put(2, "b")
    recent.get(1)
    recent.put(3, "c")

    assert (recent.get(1), recent.get(2), recent.get(3)) == ("a", None, "c")
    assert len(recent) == 2


async def test_a_flood_of_random_tokens_takes_no_memory(service: TornadoService) -> None:
    """100,000 tokens; without the hub, so that it takes seconds."""

    async def refuse(token: str) -> None:
        return None

    service.auth._fetch_user = refuse

    async def flood(start: int, count: int) -> None:
        for number in range(start, start + count):
            assert await service.auth.user_for_token(f"token-{number}", sync=False) is None

    await flood(0, 5_000)
    before = private_memory()
    await flood(5_000, 100_000)

    assert private_memory() - before < 10 * 1024 * 1024
    assert len(service.auth.identities._refused) == service.auth.cache_size
    assert not service.auth.identities._pending


def private_memory() -> int:
    """Bytes of memory that only this process uses."""
    gc.collect()
    rows = Path(f"/proc/{os.getpid()}/smaps_rollup").read_text().splitlines()
    return sum(int(row.split()[1]) * 1024 for row in rows if row.startswith("Private_"))


async def test_signing_out_applies_at_once_even_to_pending_look_ups(
    hub: StandInHub, service: TornadoService
) -> None:
    hub.delay = 0.2
    token = hub.token_for("alice")
    asking = asyncio.ensure_future(service.auth.user_for_token(token, sync=False))
    while not hub.calls[USER]:
        await asyncio.sleep(0.01)

    service.auth.identities.revoke(IdentityKey.of(token, ""))

    assert await asking is None
    assert len(service.auth.identities._identities) == 0


async def test_the_blocking_way_is_refused(service: TornadoService) -> None:
    with pytest.raises(RuntimeError, match="sync=False"):
        service.auth.user_for_token("x")
