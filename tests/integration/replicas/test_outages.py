"""The database and the hub are not available for a while."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from tests.support.replicated.deployment import Deployment, until
from tests.support.replicated.load import load
from tests.support.replicated.replica import at_replica
from tornado_service.testing import BROWSER, Fetch, Visitor
from tornado_service.testing.http_browser import Browse

#: Seconds without a database.
OUTAGE = 30

EVENTS, SEND = "board/api/events", "board/api/send"


async def status(fetch: Fetch, path: str, token: str | None = None, **more) -> int:
    return (await fetch(path, token=token, **more)).code


async def test_a_database_away_for_30_s_and_a_restart_of_the_hub_lose_nothing_acknowledged(
    deployment: Deployment, fetch: Fetch, browse: Browse
) -> None:
    token, hub, database = deployment.token, deployment.hub, deployment.database
    visitor = browse(hub)
    await visitor.sign_in(hub.service_prefix + "home", "sam")
    # each replica has a cache of its own
    visitors = [at_replica(visitor, replica) for replica in deployment.replicas]
    for known in visitors:
        assert (await known.fetch("api/user")).code == 200
    async with fetch.listen(EVENTS, token=token) as reader, load(fetch, token) as running:
        await running.settle()
        await asyncio.to_thread(database.stop)
        began = time.time()

        # as docs/explanation/failure-modes.md says
        await until(lambda: has(fetch, "board/api/notes", token, 503))
        response = await fetch("board/api/notes", token=token)
        assert "Retry-After" in response.headers
        assert await status(fetch, "board/api/notes?text=x", token, method="POST", body="") == 503
        for path in ("board/", "activity/", "home"):
            assert await status(fetch, path, token, headers=BROWSER) == 200, path
        for replica in deployment.replicas:
            for path in ("health", "health/serving"):
                assert (await asyncio.to_thread(replica.get, path))[0] == 200
        sent = [f"during-{number}" for number in range(5)]
        for text in sent:
            path = f"{SEND}?text={text}"
            assert await status(fetch, path, token, method="POST", body="") == 204

        await asyncio.to_thread(hub.kill)
        for known in visitors:
            assert (await known.fetch("api/user")).code == 200
        assert await status(fetch, "api/user", token) == 200
        assert await status(fetch, "api/user", "unknown") == 503
        await asyncio.to_thread(deployment.start_hub)
        # a sign-in needs no database
        another = browse(hub)
        await until(lambda: can_sign_in(another, hub.service_prefix + "home"))

        await asyncio.sleep(began + OUTAGE - time.time())
        await asyncio.to_thread(database.start)
        ended = time.time()
        for replica in deployment.replicas:
            await until(lambda r=replica: is_well(r, token))
        recovered = time.time()
        await running.settle()

        # each once; in the order of each replica, which sent those that it had
        assert sorted(event.json for event in await reader.read(5)) == sent

    for failure in running.failures:
        assert failure.status == 503
        assert began - 1 <= failure.ended
        assert failure.began <= recovered
    assert recovered - ended < OUTAGE
    assert len(running.acknowledged) > 20
    assert deployment.missing_notes(running.acknowledged) == set()
    await asyncio.to_thread(deployment.leader)


async def has(fetch: Fetch, path: str, token: str, expected: int) -> bool:
    return await status(fetch, path, token) == expected


async def can_sign_in(visitor: Visitor, page: str) -> bool:
    """Sign in; while the circuit breaker is open, the page says that the hub does not respond."""
    response = await visitor.open(page)
    if response.code == 200 and 'name="username"' in visitor.page:
        with suppress(AssertionError):  # another replica has not noticed yet
            await visitor.sign_in(page, "kim")
    return "JupyterHub as <strong>kim" in visitor.page


async def is_well(replica, token: str) -> bool:
    return (await asyncio.to_thread(replica.get, "board/api/notes", token))[0] == 200
