"""Three replicas are one service, as far as the policies of both charts let them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys

from tests.packaging.chart.charts import secret_texts
from tests.packaging.cluster.cluster import NAMESPACES, PATH, Cluster
from tests.packaging.cluster.conftest import TOKEN
from tests.packaging.cluster.layout import REPLICAS
from tests.support.replicated.deployment import wait_until


def users_in(log: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, log))


def test_all_replicas_get_ready_and_the_hub_runs_on(cluster: Cluster) -> None:
    state = cluster.state

    assert cluster.ready == list(REPLICAS)
    assert {name: facts["ended"] for name, facts in state.items()} == dict.fromkeys(state)
    assert {facts["liveness_failures"] for facts in state.values()} == {0}
    assert "JupyterHub is now running" in cluster.log("hub")
    assert "Cannot connect to" not in cluster.log("hub")


def test_30_sign_ins_at_random_replicas_succeed(cluster: Cluster) -> None:
    names = [f"visitor-{number}" for number in range(30)]
    visits = cluster.sign_in(*names)

    assert {visit["status"] for visit in visits} == {200}
    assert {visit["url"].removeprefix(PATH) for visit in visits} == {""}
    assert [json.loads(visit["user"])["name"] for visit in visits] == names
    assert all(cluster.status(name)["sign_ins"]["failed"] == 0 for name in REPLICAS)
    signed_in = [users_in(cluster.log(name), r"Logged-in user (\S+)") for name in REPLICAS]
    served = [users_in(cluster.log(name), rf"200 GET {PATH} \((\S+?)@") for name in REPLICAS]
    assert all(signed_in), "a replica has signed nobody in"
    elsewhere = [seen - own for seen, own in zip(served, signed_in, strict=True)]
    assert all(elsewhere), "a replica has served nobody whom another had signed in"


def test_all_replicas_sign_cookies_with_the_secret_that_the_chart_makes(cluster: Cluster) -> None:
    name = "tornado-service-cookie-secret"
    secret = secret_texts(cluster.layout.objects, name)["cookie-secret"]
    for replica in REPLICAS:
        pid = str(cluster.state[replica]["pid"])
        environment = cluster.run("node", "cat", f"/proc/{pid}/environ").split("\0")
        assert f"TORNADO_SERVICE_COOKIE_SECRET={secret}" in environment


def test_an_event_reaches_the_reader_of_another_replica(cluster: Cluster) -> None:
    for reader, sender in (("replica-1", "replica-2"), ("replica-3", "replica-1")):
        urls = [cluster.at_replica(name) for name in (reader, sender)]

        assert cluster.client("node", "relay-event", *urls, TOKEN) == ["hello"]


def leader_of(cluster: Cluster, *replicas: str) -> str:
    """The replica that collects the samples of Activity; waits until there is one."""
    found: list[str] = []

    def has_one() -> bool:
        statuses = {name: cluster.status(name) for name in replicas}
        found[:] = [
            name
            for name, status in statuses.items()
            if status["leaders"].get("activity") == status["instance"]
        ]
        return len(found) == 1

    cluster.wait_until(has_one, replicas[0])
    return found[0]


def test_activity_has_one_leader(cluster: Cluster) -> None:
    leader = leader_of(cluster, *REPLICAS)
    statuses = [cluster.status(name) for name in REPLICAS]

    assert len({status["instance"] for status in statuses}) == len(REPLICAS)
    assert {status["leaders"]["activity"] for status in statuses} == {
        cluster.status(leader)["instance"]
    }


def test_two_replicas_go_on_when_the_leader_is_killed(cluster: Cluster) -> None:
    killed = leader_of(cluster, *REPLICAS)
    others = [name for name in REPLICAS if name != killed]
    cluster.run("node", "kill", "-9", str(cluster.state[killed]["pid"]))
    for name in others:
        assert cluster.request("node", f"{cluster.at_replica(name)}health/ready")["status"] == 200
    cluster.wait_until(lambda: cluster.ready == others, killed)
    names = [f"late-{number}" for number in range(6)]

    assert [visit["status"] for visit in cluster.sign_in(*names)] == [200] * 6
    assert cluster.state[killed]["ended"] == -signal.SIGKILL
    assert leader_of(cluster, *others) in others


def test_nothing_is_left_when_a_test_is_killed(cluster: Cluster) -> None:
    mark = "86399.125"  # seconds that no other process sleeps
    program = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    command = [*NAMESPACES, "sh", "-c", f"sleep {mark} & wait"]
    starter = subprocess.Popen([sys.executable, "-c", program, *command])
    wait_until(lambda: sleeps(mark) > 0)
    starter.kill()
    starter.wait()

    wait_until(lambda: sleeps(mark) == 0)


def sleeps(mark: str) -> int:
    done = subprocess.run(["pgrep", "--full", "--count", f"^sleep {mark}"], capture_output=True)
    return int(done.stdout)
