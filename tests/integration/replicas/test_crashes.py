"""Replicas that are killed or frozen."""

from __future__ import annotations

import asyncio
import signal
import time
from itertools import pairwise

import pytest

from tests.support.replicated.deployment import Deployment
from tests.support.replicated.load import load
from tests.support.replicated.nginx import UPSTREAM_HEADER
from tests.support.replicated.replica import Replica
from tornado_service.testing import Fetch

HOLD = "board/api/hold?seconds=3"


def pick(deployment: Deployment, which: str) -> Replica:
    leader = deployment.leader()
    if which == "the leader":
        return leader
    return next(replica for replica in deployment.replicas if replica is not leader)


@pytest.mark.parametrize("which", ["a follower", "the leader"])
async def test_kill_9_of_a_replica_fails_only_the_changes_in_progress_on_it(
    deployment: Deployment, fetch: Fetch, which: str
) -> None:
    token = deployment.token
    victim = pick(deployment, which)
    reading: list[asyncio.Task] = []
    changing: list[asyncio.Task] = []
    async with load(fetch, token) as running:
        await running.settle()
        while min(deployment.held(victim).values(), default=0) < 1:
            reading.append(asyncio.create_task(fetch(HOLD, token=token)))
            post = fetch(HOLD, token=token, method="POST", body="")
            changing.append(asyncio.create_task(post))
            await asyncio.sleep(0.05)

        victim.kill()
        killed = time.time()

        await running.settle(300)
    reads, changes = await asyncio.gather(*reading), await asyncio.gather(*changing)

    for failure in running.failures:
        assert (failure.method, failure.status) == ("POST", 502)
        assert failure.upstream == victim.address
        assert failure.began <= killed
    assert {response.code for response in reads} == {200}
    repeated = [r for r in reads if r.headers[UPSTREAM_HEADER].startswith(f"{victim.address}, ")]
    assert repeated, "another replica responds to a GET"
    failed = [response for response in changes if response.code != 200]
    assert failed
    assert {(r.code, r.headers[UPSTREAM_HEADER]) for r in failed} == {(502, victim.address)}
    assert deployment.missing_notes(running.acknowledged) == set()


async def test_the_work_of_a_killed_leader_is_done_by_one_other_replica(
    deployment: Deployment,
) -> None:
    leader = deployment.leader()
    began = time.time()
    deployment.wait_for_runs(3)

    leader.kill()
    others = [replica for replica in deployment.replicas if replica is not leader]
    deployment.balance(*others)

    successor = deployment.leader()
    deployment.wait_for_runs(3)
    runs = deployment.runs(began)
    assert {process for process, _ in runs[-2:]} == {successor.pid}
    assert alternations(runs) == len({process for process, _ in runs}) - 1
    assert shortest_pause(runs) > 0.5  # its interval is 1 s


async def test_a_frozen_leader_is_replaced_and_leads_no_more_when_it_continues(
    deployment: Deployment,
) -> None:
    frozen = deployment.leader()
    began = time.time()
    deployment.wait_for_runs(2)
    others = [replica for replica in deployment.replicas if replica is not frozen]
    deployment.balance(*others)
    frozen.signal(signal.SIGSTOP)
    try:
        successor = deployment.leader()
        deployment.wait_for_runs(2)
    finally:
        frozen.signal(signal.SIGCONT)

    for _ in range(20):  # it responds again, and never leads
        assert deployment.leads(frozen) is False
    deployment.balance(*others, frozen)
    assert deployment.leader() is successor
    deployment.wait_for_runs(3)
    runs = deployment.runs(began)
    assert runs[-1][0] == successor.pid
    assert alternations(runs) == len({process for process, _ in runs}) - 1
    assert shortest_pause(runs) > 0.5


def alternations(runs: list[tuple[int, float]]) -> int:
    """How often another process did the work than the time before."""
    return sum(before[0] != after[0] for before, after in pairwise(runs))


def shortest_pause(runs: list[tuple[int, float]]) -> float:
    """Seconds from one run to the next, of whichever process."""
    return min(after[1] - before[1] for before, after in pairwise(runs))
