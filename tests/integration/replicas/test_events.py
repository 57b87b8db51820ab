"""Events, which reach the readers of all replicas."""

from __future__ import annotations

from contextlib import AsyncExitStack

from tornado.httpclient import AsyncHTTPClient

from tests.support.replicated.deployment import Deployment
from tests.support.replicated.replica import Replica
from tornado_service.testing import Fetch

EVENTS, SEND = "board/api/events", "board/api/send"


def at(replica: Replica, client: AsyncHTTPClient, deployment: Deployment) -> Fetch:
    return Fetch(client, f"http://{replica.address}", deployment.hub.service_prefix)


async def send(fetch: Fetch, token: str, text: str, **query: int) -> None:
    query = "".join(f"&{name}={value}" for name, value in query.items())
    path = f"{SEND}?text={text}{query}"
    assert (await fetch(path, token=token, method="POST", body="")).code == 204


async def test_an_event_reaches_the_readers_of_all_replicas_in_one_order(
    deployment: Deployment, client: AsyncHTTPClient
) -> None:
    token = deployment.token
    fetches = [at(replica, client, deployment) for replica in deployment.replicas]
    async with AsyncExitStack() as stack:
        readers = [
            await stack.enter_async_context(fetch.listen(EVENTS, token=token)) for fetch in fetches
        ]
        for number in range(30):
            await send(fetches[number % 3], token, str(number))

        received = [await reader.read(30) for reader in readers]

    assert sorted(event.json for event in received[0]) == sorted(map(str, range(30)))
    assert received[0] == received[1] == received[2]


async def test_an_event_larger_than_a_notification_of_postgresql(
    deployment: Deployment, client: AsyncHTTPClient
) -> None:
    token = deployment.token
    first, second, _ = (at(replica, client, deployment) for replica in deployment.replicas)
    async with second.listen(EVENTS, token=token) as reader:
        await send(first, token, "large", size=60_000)

        (event,) = await reader.read(1)

    assert event.json == "large" + "x" * 60_000


async def test_a_reader_continues_at_another_replica_without_a_gap(
    deployment: Deployment, client: AsyncHTTPClient, fetch: Fetch
) -> None:
    token = deployment.token
    first, second, third = (at(replica, client, deployment) for replica in deployment.replicas)
    async with first.listen(EVENTS, token=token) as reader:
        await send(fetch, token, "before")
        (event,) = await reader.read(1)
        assert event.json == "before"
    missed = [f"missed {number}" for number in range(5)]
    for text in missed:
        await send(fetch, token, text.replace(" ", "%20"))

    received = []
    for other in (second, third):
        headers = {"Last-Event-ID": reader.last_id}
        async with other.listen(EVENTS, token=token, headers=headers) as again:
            received.append(await again.read(5))
    # they were sent at several replicas, which do not wait for each other
    assert sorted(event.json for event in received[0]) == missed
    assert received[0] == received[1]
