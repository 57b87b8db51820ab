"""The database is away for a while: pages stay, and one replica collects again afterwards."""

from __future__ import annotations

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.activity.replicas import (
    USERS,
    Replica,
    become_leader,
    fetch_of,
    next_sample,
    replicas,
    samples,
)
from tests.support.databases import POSTGRESQL
from tests.support.postgresql import Server
from tests.support.streaming import until
from tornado_service.testing import StandInHub


@pytest.fixture(params=POSTGRESQL)
def shared_url(request: pytest.FixtureRequest, postgresql_url: str) -> str:
    return f"{request.param}{postgresql_url}"


async def test_an_outage_of_the_database(
    replica: Replica,
    hub: StandInHub,
    server: Server,
    client: AsyncHTTPClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    apps = await replicas(replica, 2)
    first = await samples(apps[0])
    token = hub.token_for("ada")

    server.stop()
    try:
        await until(lambda: not any(app.recorder.collects for app in apps))
        for app in apps:
            for path in ("now", "summary"):
                response = await fetch_of(app, client)(f"activity/api/{path}", token=token)
                assert response.code == 200
            assert len(app.recorder.archive.history.people) == 2
            for _ in range(2):
                await app.recorder._reload()
        lines = capsys.readouterr().err.count("latest sample of activity cannot be read")
        assert lines == 2, "one for each replica"
    finally:
        server.start()

    leader = await become_leader(apps)
    assert hub.calls[USERS] == 1  # of this interval, there is a sample
    assert await samples(leader) == first
    taken = await next_sample(leader, hub)
    for app in apps:
        await until(lambda: app.recorder.archive.history.now == taken)  # noqa: B023
        assert app.problem == ""
    assert hub.calls[USERS] == 2
