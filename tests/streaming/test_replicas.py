"""Two services as replicas of one, on one PostgreSQL database, as browsers see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.databases import (
    new_postgresql,
    postgresql_socket,
    postgresql_url,
    server,
)
from tests.support.live_app import Live
from tests.support.postgresql import Server
from tests.support.streaming import APP, CLIENT, NEWS, ending, until
from tornado_service.app import TornadoService
from tornado_service.streaming.replicas import LocalReplicas
from tornado_service.testing import PREFIX, Fetch, StandInHub, StartService, Visitor

__all__ = ["new_postgresql", "postgresql_socket", "postgresql_url", "server"]

SEND = "live/api/send"


@pytest.fixture(autouse=True)
def shared_url(new_postgresql: Callable[[str], str]) -> str:
    """Created before all services, and so dropped after all of them."""
    return new_postgresql("postgresql+psycopg2")


@pytest.fixture
def service_config(shared_url: str) -> dict[str, Any]:
    return {"TornadoService": {**APP, "database_url": shared_url, "replica_count": 2}}


@pytest.fixture
async def other(
    service: TornadoService, service_config: dict[str, Any], start_service: StartService
) -> TornadoService:
    """Another replica."""
    return await start_service(**service_config)


@pytest.fixture
def fetch_other(other: TornadoService, client: AsyncHTTPClient) -> Fetch:
    return Fetch(client, f"http://127.0.0.1:{other.port}", other.prefix)


@pytest.fixture
async def visitor(visitor: Visitor, service: TornadoService) -> Visitor:
    """A user with an open page at the first replica, and a session at the hub."""
    visitor.jar[visitor.host, "/", "jupyterhub-session-id"] = "first"
    await visitor.open(PREFIX)
    return visitor


@pytest.fixture
def elsewhere(visitor: Visitor, hub: StandInHub, other: TornadoService) -> Visitor:
    """The same browser, which a load balancer leads to the other replica."""
    same = Visitor(visitor.client, visitor.hub, f"http://127.0.0.1:{other.port}", home=visitor.home)
    same.jar, same.page = visitor.jar, visitor.page
    return same


class TestEvents:
    async def test_reach_the_readers_of_all_replicas(
        self, fetch: Fetch, fetch_other: Fetch, hub: StandInHub
    ) -> None:
        token = hub.token_for("alice")
        large = "x" * 60_000

        async with (
            fetch.listen(NEWS, token=token) as here,
            fetch_other.listen(NEWS, token=token) as there,
        ):
            for text in ("first", large):
                sent = await fetch_other(SEND, token=token, method="POST", json={"text": text})
                assert sent.code == 204
                for events in (here, there):
                    event = await anext(events)
                    assert (event.name, event.json) == ("report", {"text": text})
            assert here.last_id == there.last_id

    async def test_are_replayed_on_another_replica(
        self, fetch: Fetch, fetch_other: Fetch, hub: StandInHub
    ) -> None:
        token = hub.token_for("alice")
        async with fetch.listen(NEWS, token=token) as events:
            await fetch(SEND, token=token, method="POST", json={"n": 0})
            await anext(events)
            last_id = events.last_id
        for n in range(1, 6):
            await (fetch, fetch_other)[n % 2](SEND, token=token, method="POST", json={"n": n})

        async with fetch_other.listen(
            NEWS, token=token, headers={"Last-Event-ID": last_id}
        ) as events:
            assert sorted([(await anext(events)).json["n"] for _ in range(5)]) == [1, 2, 3, 4, 5]
        async with fetch_other.listen(
            NEWS, token=token, headers={"Last-Event-ID": "123"}
        ) as events:
            assert (await anext(events)).name == "reset"


class TestSignOut:
    async def test_is_known_on_all_replicas_at_once(
        self, visitor: Visitor, elsewhere: Visitor, other: TornadoService
    ) -> None:
        assert (await elsewhere.fetch("api/user")).code == 200
        stolen = dict(visitor.jar)
        async with elsewhere.listen(NEWS, CLIENT) as events:
            assert (await visitor.post("logout")).code == 200

            assert await ending(events) == {"reason": "signed-out", "retry": False}
        elsewhere.jar = stolen
        assert (await elsewhere.fetch("api/user")).code == 401
        assert (await elsewhere.get(f"{PREFIX}home")).code == 302

    async def test_is_known_to_a_replica_that_starts_later(
        self, visitor: Visitor, elsewhere: Visitor, service_config, start_service: StartService
    ) -> None:
        stolen = dict(visitor.jar)
        assert (await visitor.post("logout")).code == 200

        third = await start_service(**service_config)
        elsewhere.service = f"http://127.0.0.1:{third.port}"
        elsewhere.jar = stolen
        assert (await elsewhere.fetch("api/user")).code == 401


async def test_a_sign_out_without_the_database_is_known_there_later(
    server: Server,
    postgresql_url: str,
    start_service: StartService,
    hub: StandInHub,
    client: AsyncHTTPClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = {**APP, "database_url": f"postgresql+psycopg{postgresql_url}"}
    service, other = [await start_service(TornadoService=settings) for _ in range(2)]
    at = f"http://127.0.0.1:{hub.port}"
    visitor, elsewhere = (
        Visitor(client, at, f"http://127.0.0.1:{one.port}", home=PREFIX, name="ada")
        for one in (service, other)
    )
    visitor.jar[visitor.host, "/", "jupyterhub-session-id"] = "first"
    await visitor.open(PREFIX)
    elsewhere.jar, elsewhere.page = dict(visitor.jar), visitor.page
    stolen = dict(visitor.jar)
    assert (await elsewhere.fetch("api/user")).code == 200

    server.stop()
    try:
        assert (await visitor.post("logout")).code == 200
        visitor.jar = stolen
        assert (await visitor.get(f"{PREFIX}home")).code == 302
        assert (await elsewhere.get(f"{PREFIX}home")).code == 200
        await until(lambda: other.replicas.problem != "")
    finally:
        server.start()

    key = next(iter(service.auth.identities._signed_out))
    await until(lambda: bool(other.auth.identities._signed_out.get(key)))
    assert (await elsewhere.fetch("api/user")).code == 401
    assert "Other replicas do not know of a sign-out yet" in capsys.readouterr().err


async def test_without_a_database_there_are_no_threads_and_no_connections(
    start_service: StartService,
) -> None:
    service = await start_service(TornadoService=APP)

    assert type(service.replicas) is LocalReplicas
    live = service.get_app("live")
    assert isinstance(live, Live)
    assert type(live.news).__name__ == "Channel"
    assert live.leadership.is_leader
    assert live.claim("zone", "UTC").is_held
