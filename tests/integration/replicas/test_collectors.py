"""Activity collects on one replica at a time, whichever dies.

The ledger: the calls of the Hub API that nginx recorded, and the samples in the database.
"""

from __future__ import annotations

import signal
import time
from itertools import groupby, pairwise

from tests.support.replicated.deployment import ACCOUNT, Deployment, wait_until
from tests.support.replicated.nginx import Request
from tests.support.replicated.replica import Replica

#: That of ``FrequentActivity``, in seconds.
INTERVAL = 2

SAMPLES = "SELECT taken FROM activity_samples WHERE taken >= %s ORDER BY taken"


def samples(deployment: Deployment, since: float) -> list[int]:
    """When samples were taken, in seconds since 1970, of those in the database."""
    with deployment.database.connect(ACCOUNT) as connection:
        return [taken for (taken,) in connection.execute(SAMPLES, (int(since),))]


def collections(deployment: Deployment, since: float) -> list[Request]:
    """The successful calls of the Hub API that make a sample."""
    calls = deployment.nginx.hub_calls()
    return [
        call
        for call in calls
        if call.uri.startswith("/hub/api/users?") and call.status == 200 and call.began >= since
    ]


def wait_for_samples(deployment: Deployment, count: int = 2) -> None:
    began = time.time()
    wait_until(lambda: len(samples(deployment, began)) >= count, "no sample is stored")


def collector(deployment: Deployment) -> Replica:
    return deployment.leader("activity")


async def test_two_replicas_never_both_collect_or_store_samples(deployment: Deployment) -> None:
    """The collector is killed, then frozen for a while; then all replicas are replaced."""
    leaders = [collector(deployment)]
    began = time.time()
    wait_for_samples(deployment)

    leaders[-1].kill()
    deployment.balance(*(r for r in deployment.replicas if r is not leaders[-1]))
    leaders.append(collector(deployment))
    wait_for_samples(deployment)
    deployment.restore()

    frozen = leaders[-1]
    others = [replica for replica in deployment.replicas if replica is not frozen]
    deployment.balance(*others)
    frozen.signal(signal.SIGSTOP)
    try:
        leaders.append(collector(deployment))
        wait_for_samples(deployment)
    finally:
        frozen.signal(signal.SIGCONT)
    deployment.balance(*others, frozen)
    wait_for_samples(deployment, 3)
    assert collector(deployment) is leaders[-1]
    assert deployment.remove(frozen) == 0  # later it might lead again, as it may
    deployment.restore()

    assert deployment.replace_all() == [0, 0, 0]
    wait_for_samples(deployment)

    ended = time.time()
    calls = [call for call in collections(deployment, began - INTERVAL) if call.ended < ended]
    stored = [taken for taken in samples(deployment, began) if taken < int(ended)]
    terms = [port for port, _ in groupby(call.port for call in calls)]
    assert len(terms) == len(set(terms)), "a replica collected again after another one"
    assert terms[: len(leaders)] == [leader.hub_api_port for leader in leaders]
    of_calls = calls_of(stored, calls)
    # a call without a sample is the last one of a collector that ended, or the first of its
    # successor in an interval of which there is a sample already
    missing = {call for call in calls if call.began > began} - set(of_calls)
    assert len(missing) <= 2 * len(terms)
    # no interval is left out while a collector ran
    for port in terms:
        own = [taken for taken, call in zip(stored, of_calls, strict=True) if call.port == port]
        assert all(later - earlier <= 2 * INTERVAL for earlier, later in pairwise(own))


def calls_of(stored: list[int], calls: list[Request]) -> list[Request]:
    """The call of each sample, whose time is the date of the hub's response: each has its own.

    A collector and its successor may both call within one second; one sample is stored then.
    """
    left = sorted(calls, key=lambda call: call.ended)
    of_calls = []
    for taken in stored:
        call = next((call for call in left if int(call.began) <= taken <= call.ended), None)
        assert call, f"the sample of {taken} is that of no call"
        left.remove(call)
        of_calls.append(call)
    return of_calls


async def test_all_replicas_show_new_samples(deployment: Deployment) -> None:
    def shown(replica: Replica) -> str:
        return str(replica.get("activity/api/now", deployment.token)[1]["taken"])

    before = {replica.name: shown(replica) for replica in deployment.replicas}

    for replica in deployment.replicas:
        wait_until(lambda r=replica: shown(r) > before[r.name], f"{replica.name} shows none")


async def test_gauges_of_activity_are_those_of_one_replica(deployment: Deployment) -> None:
    leader = collector(deployment)
    wait_for_samples(deployment)

    for replica in deployment.replicas:
        lines = replica.read("metrics").splitlines()
        gauges = [line for line in lines if line.startswith("tornado_service_activity_")]
        assert len(gauges) >= 4
        are_unknown = {line.endswith(" NaN") for line in gauges}
        assert are_unknown == {replica is not leader}, gauges
