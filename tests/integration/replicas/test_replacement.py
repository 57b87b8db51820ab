"""All replicas are replaced under load, one after another, as Kubernetes does."""

from __future__ import annotations

import asyncio

from tests.support.replicated.deployment import Deployment, until
from tests.support.replicated.load import load
from tests.support.replicated.replica import Replica
from tornado_service.testing import Fetch


async def test_a_rolling_replacement_of_all_replicas_fails_no_request(
    deployment: Deployment, fetch: Fetch
) -> None:
    before = list(deployment.replicas)
    async with load(fetch, deployment.token) as running:
        await running.settle()

        statuses = await asyncio.to_thread(deployment.replace_all)

        await running.settle()
    assert statuses == [0, 0, 0]
    assert not {replica.name for replica in before} & {r.name for r in deployment.replicas}
    assert running.failures == []
    assert deployment.missing_notes(running.acknowledged) == set()


async def test_a_request_that_is_open_when_its_replica_is_stopped_is_completed(
    deployment: Deployment, fetch: Fetch
) -> None:
    token, first = deployment.token, deployment.replicas[0]
    requests = [
        asyncio.create_task(fetch("board/api/hold?seconds=2", token=token, method="POST", body=""))
        for _ in range(6)
    ]
    await until(lambda: holds_two(deployment, first))

    status = await asyncio.to_thread(deployment.remove, first)

    assert status == 0
    responses = await asyncio.gather(*requests)
    assert [response.code for response in responses] == [200] * 6
    assert [response.json()["process"] for response in responses].count(first.pid) == 2


async def test_a_reader_of_events_misses_none_during_a_rolling_replacement(
    deployment: Deployment, fetch: Fetch
) -> None:
    """It reconnects as browsers do, with the id of the last event."""
    token = deployment.token
    received: list[str] = []

    async def read() -> None:
        last_id = ""
        while True:
            headers = {"Last-Event-ID": last_id} if last_id else {}
            async with fetch.listen("board/api/events", token=token, headers=headers) as reader:
                async for event in reader:
                    assert event.name != "reset"
                    if event.name == "message":
                        received.append(event.json)
                last_id = reader.last_id or last_id
            await asyncio.sleep(0.1)

    async def send(text: str) -> None:
        path = f"board/api/send?text={text}"
        assert (await fetch(path, token=token, method="POST", body="")).code == 204

    reading = asyncio.create_task(read())
    while not received:
        await send("first")
        await asyncio.sleep(0.1)
    replacing = asyncio.create_task(asyncio.to_thread(deployment.replace_all))
    sent = []
    while not replacing.done():
        sent.append(f"event-{len(sent)}")
        await send(sent[-1])
        await asyncio.sleep(0.05)

    async def has_all() -> bool:
        reading.done() and reading.result()
        return set(sent) <= set(received)

    await until(has_all)
    reading.cancel()
    await asyncio.wait([reading])
    # in the order of each replica, which do not wait for each other
    assert sorted(text for text in received if text != "first") == sorted(sent)


async def test_a_request_right_after_the_end_of_a_stream_succeeds(
    deployment: Deployment, fetch: Fetch
) -> None:
    """The proxy sends it on the connection on which the stream has just ended."""
    token = deployment.token
    statuses: list[int] = []
    listening: list[int] = []

    async def read_and_send() -> None:
        async with fetch.listen("board/api/events", token=token) as reader:
            listening.append(reader.code)
            async for _ in reader:
                pass
        response = await fetch("board/api/send?text=next", token=token, method="POST", body="")
        statuses.append(response.code)

    async def all_listen() -> bool:
        return listening == [200] * 9

    clients = [asyncio.create_task(read_and_send()) for _ in range(9)]
    await until(all_listen)
    await asyncio.to_thread(deployment.replace_all)
    await asyncio.gather(*clients)

    assert statuses == [204] * 9


async def holds_two(deployment: Deployment, replica: Replica) -> bool:
    return deployment.held(replica)["POST"] == 2
