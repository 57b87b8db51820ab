"""Who reaches whom, under the policies of both charts."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.packaging.chart import policy
from tests.packaging.chart.charts import HARDENED, one
from tests.packaging.chart.pods import external
from tests.packaging.cluster.cluster import PATH, Cluster
from tests.packaging.cluster.conftest import RenderHub, RenderOwn
from tests.packaging.cluster.documented import documented
from tests.packaging.cluster.layout import PUBLIC, REPLICAS

SERVICE = ["tornado-service.lab.svc:8181", *(f"{name}:8181" for name in REPLICAS)]
DATABASE = ["postgres.databases.svc:5432", "database:5432"]


@pytest.mark.parametrize("pod", ["user", "unlabelled", "elsewhere"])
def test_other_pods_reach_neither_the_service_nor_the_database(cluster: Cluster, pod: str) -> None:
    outcomes = cluster.connections(pod, *SERVICE, *DATABASE)

    assert outcomes == dict.fromkeys([*SERVICE, *DATABASE], "dropped")


def test_the_documented_policy_closes_the_database_to_other_pods(
    cluster: Cluster, render_hub: RenderHub, render_own: RenderOwn
) -> None:
    with cluster.policies_of(*render_hub(), *render_own({}), site=[]):
        outcomes = {
            pod: cluster.connections(pod, "database:5432")["database:5432"]
            for pod in ("user", "unlabelled", "elsewhere")
        }

    assert outcomes == {"user": "dropped", "unlabelled": "open", "elsewhere": "open"}


@pytest.mark.parametrize(
    ("peers", "outcome"),
    [([], "open"), ([{"podSelector": {"matchLabels": {"app": "another"}}}], "dropped")],
    ids=["by default", "elsewhere"],
)
def test_the_value_that_names_the_database(
    cluster: Cluster, render_hub: RenderHub, render_own: RenderOwn, peers: list[Any], outcome: str
) -> None:
    own = render_own({"database": {"peers": peers}})
    with cluster.policies_of(*render_hub(), *own):
        assert set(cluster.connections("replica-1", *DATABASE).values()) == {outcome}


@pytest.mark.parametrize("pod", ["hub", "proxy"])
def test_the_hub_and_its_proxy_reach_the_service(cluster: Cluster, pod: str) -> None:
    assert cluster.connections(pod, *SERVICE) == dict.fromkeys(SERVICE, "open")


@pytest.mark.parametrize("replica", REPLICAS)
def test_a_replica_reaches_what_it_needs_and_nothing_more(cluster: Cluster, replica: str) -> None:
    needed = ["hub:8081", *DATABASE, "kube-dns.kube-system.svc:53"]
    needed.append("kube-dns.kube-system.svc:53/udp")
    others = [f"{name}:8181" for name in REPLICAS if name != replica]
    blocked = [
        "internet:443",
        "internet:53",
        "user:8888",
        "proxy:8000",
        "proxy:8001",
        "proxy-api:8001",
    ]
    blocked += ["unlabelled:8888", "elsewhere:8888", "prometheus:9090", *others]
    outcomes = cluster.connections(replica, *needed, *blocked)

    assert outcomes == dict.fromkeys(needed, "open") | dict.fromkeys(blocked, "dropped")


def test_prometheus_reaches_the_replicas_by_the_documented_value_alone(
    cluster: Cluster, render_hub: RenderHub, render_own: RenderOwn
) -> None:
    assert set(cluster.connections("prometheus", *SERVICE).values()) == {"dropped"}
    own = render_own(documented("own chart", "podMonitor"))
    with cluster.policies_of(*render_hub(), *own):
        assert set(cluster.connections("prometheus", *SERVICE).values()) == {"open"}
        assert set(cluster.connections("unlabelled", *SERVICE).values()) == {"dropped"}


def visit(cluster: Cluster) -> int:
    """The status of a page of the service for a visitor from outside; 599 if none arrives."""
    status: int = cluster.request("internet", f"http://{PUBLIC}{PATH}health")["status"]
    return status


def test_a_hardened_hub_needs_the_proxys_rule(
    cluster: Cluster, render_hub: RenderHub, render_own: RenderOwn, mode: str
) -> None:
    ours = external(mode)
    with cluster.policies_of(*render_hub(HARDENED, ours=ours), *render_own({})):
        assert visit(cluster) == 200
    del ours["proxy"]["chp"]["networkPolicy"]["egress"]
    with cluster.policies_of(*render_hub(HARDENED, ours=ours), *render_own({})):
        assert visit(cluster) == 599
    assert visit(cluster) == 200


def test_no_visit_gets_through_if_the_service_does_not_admit_the_proxy(
    cluster: Cluster, render_hub: RenderHub, render_own: RenderOwn
) -> None:
    own = copy.deepcopy(render_own({}))
    (rule,) = one(own, "NetworkPolicy", "tornado-service")["spec"]["ingress"]
    rule["from"] = rule["from"][1:]  # the hub alone
    with cluster.policies_of(*render_hub(), *own):
        assert visit(cluster) == 599


def test_the_kernel_and_the_evaluator_of_policies_agree(cluster: Cluster) -> None:
    pods = cluster.pods
    evaluator = policy.Cluster(cluster.layout.objects, list(pods.values()))
    targets: list[tuple[str, int]] = [(name, 8181) for name in REPLICAS]
    targets += [("hub", 8081), ("proxy", 8000), ("proxy", 8001), ("database", 5432), ("dns", 53)]
    targets += [("user", 8888), ("unlabelled", 8888), ("elsewhere", 8888), ("prometheus", 9090)]
    targets += [("internet", 443), ("internet", 53)]

    def reached(source: str) -> dict[str, str]:
        others = [f"{name}:{port}" for name, port in targets if name != source]
        return cluster.connections(source, *others)

    with ThreadPoolExecutor(8) as pool:
        kernel = dict(zip(pods, pool.map(reached, pods), strict=True))
    assert kernel == {
        source: {
            f"{name}:{port}": "open"
            if evaluator.lets_through(pods[source], pods[name], port)
            else "dropped"
            for name, port in targets
            if name != source
        }
        for source in pods
    }
