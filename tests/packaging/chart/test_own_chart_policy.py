"""Who reaches whom with our own chart beside zero-to-jupyterhub's, by the policies of both."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import yaml

from tests.packaging.chart.charts import HARDENED, Object, Values, one
from tests.packaging.chart.conftest import Render
from tests.packaging.chart.pods import Deployed, pod_of
from tests.packaging.chart.policy import HUB_PORT, OUTSIDE, Cluster, Pod
from tornado_service.values.deployment import HUB_ACCESS, Deployment
from tornado_service.values.overlays import overlay_text

PORT = 8181
DATABASE = Pod("postgres", {"app": "postgres"}, "10.1.1.1", namespace="databases")
DNS = Pod("dns", {"k8s-app": "kube-dns"}, "10.1.1.2", namespace="kube-system")
PROMETHEUS = Pod("prometheus", {"app": "prometheus"}, "10.1.1.3", namespace="monitoring")
INTERNET = Pod("web", {}, "203.0.113.5", namespace=OUTSIDE)

MODES = ("ingress", "allowed-ingress-ports")
PLUGINS: dict[str, dict[str, bool]] = {
    "ipBlock covers pods": {},
    "ipBlock does not": {"ip_blocks_cover_pods": False},
}
SITES: dict[str, Values] = {
    "as it comes": {},
    "hardened": HARDENED,
    "other names": {"nameOverride": "lab"},
    "a list of its own": {"hub": {"networkPolicy": {"ingress": []}}},
}
#: Connections that must be, and that must not be.
ALLOWED = {
    "proxy to service": True,
    "hub to service": True,
    "service to Hub API": True,
    "service to database": True,
    "service to DNS": True,
    "user to service": False,
    "labelled to service": False,
    "other namespace to service": False,
    "Prometheus to service": False,
    "service to internet": False,
    "service to DNS of the internet": False,
    "service to another port of the database": False,
    "service to user's server": False,
    "service to proxy": False,
    "service to service": False,
    "user to Hub API": True,
    "other namespace to Hub API": False,
}


def z2jh_side(mode: str, namespace: str = "", **options: Any) -> Values:
    """The hub's values, as the command writes them."""
    deployment = Deployment(namespace=namespace, **options)
    return yaml.safe_load(overlay_text(deployment, ["external.yaml", f"{mode}.yaml"]))


def placed(objects: list[Object], namespace: str) -> list[Object]:
    """The objects in a namespace, as Helm puts them there."""
    return [{**item, "metadata": {**item["metadata"], "namespace": namespace}} for item in objects]


class Cast:
    """Both charts in one cluster, and pods that try to connect."""

    def __init__(
        self, hub: list[Object], own: list[Object], namespace: str = "lab", **plugin: bool
    ) -> None:
        own = placed(own, namespace)
        hubs = Deployed.of(hub)
        first = pod_of(one(own, "Deployment", "tornado-service"), "10.1.2.1")
        self.service = [first, replace(first, name="second", ip="10.1.2.2")]
        others = [DATABASE, DNS, PROMETHEUS, INTERNET]
        self.hub, self.proxy, self.user, self.elsewhere = (
            *(hubs.hub, hubs.proxy, hubs.user),
            hubs.elsewhere,
        )
        # as zero-to-jupyterhub's documentation says for what calls the hub
        self.labelled = Pod("labelled", {HUB_ACCESS: "true"}, "10.1.1.9")
        pods = [*hubs.cluster.pods, *self.service, *others, self.labelled]
        self.cluster = Cluster([*hub, *own], pods, **plugin)
        self.host = f"tornado-service.{namespace}.svc"

    def to_service(self, source: Pod) -> bool:
        """Whether a pod reaches all pods of the service, through their Kubernetes Service."""
        return self.cluster.reaches(source, self.host, PORT)

    def from_service(self, target: Pod, port: int) -> bool:
        """Whether a pod of the service reaches another: one does as the other, by their labels."""
        ways = {self.cluster.lets_through(pod, target, port) for pod in self.service}
        (way,) = ways
        return way

    def outcome(self) -> dict[str, bool]:
        return {
            "proxy to service": self.to_service(self.proxy),
            "hub to service": self.to_service(self.hub),
            "service to Hub API": all(
                self.cluster.reaches(pod, "hub", HUB_PORT) for pod in self.service
            ),
            "service to database": self.from_service(DATABASE, 5432),
            "service to DNS": self.from_service(DNS, 53),
            "user to service": self.to_service(self.user),
            "labelled to service": self.to_service(self.labelled),
            "other namespace to service": self.to_service(self.elsewhere),
            "Prometheus to service": self.to_service(PROMETHEUS),
            "service to internet": self.from_service(INTERNET, 443),
            "service to DNS of the internet": self.from_service(INTERNET, 53),
            "service to another port of the database": self.from_service(DATABASE, 22),
            "service to user's server": self.from_service(self.user, 8888),
            "service to proxy": self.from_service(self.proxy, 8001),
            "service to service": self.cluster.lets_through(*self.service, PORT),
            "user to Hub API": self.cluster.reaches(self.user, "hub", HUB_PORT),
            "other namespace to Hub API": self.cluster.reaches(self.elsewhere, "hub", HUB_PORT),
        }


def expected(mode: str, **differences: bool) -> dict[str, bool]:
    is_open = mode == "allowed-ingress-ports"
    return {**ALLOWED, "other namespace to Hub API": is_open, **differences}


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("mode", MODES)
def test_allowed_and_blocked_connections(
    render: Render, render_own: Render, mode: str, site: str, plugin: str
) -> None:
    hub = render(z2jh_side(mode), SITES[site])

    assert Cast(hub, render_own({}), **PLUGINS[plugin]).outcome() == expected(mode)


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("mode", MODES)
def test_in_a_namespace_of_its_own(
    render: Render, render_own: Render, mode: str, plugin: str
) -> None:
    hub = render(z2jh_side(mode, "tools"), HARDENED)
    own = render_own({"hub": {"namespace": "lab"}})

    assert Cast(hub, own, "tools", **PLUGINS[plugin]).outcome() == expected(mode)


@pytest.mark.parametrize("mode", MODES)
def test_with_names_of_a_release(render: Render, render_own: Render, mode: str) -> None:
    hub = render(z2jh_side(mode, release="one"), {"hub": {"baseUrl": "/lab/"}}, release="one")
    mine, other = (
        Cast(hub, render_own({"hub": {"release": release}})) for release in ("one", "two")
    )

    assert mine.outcome() == expected(mode)
    assert not other.outcome()["proxy to service"]
    assert not other.outcome()["service to Hub API"]


def test_without_the_hubs_policies(render: Render, render_own: Render) -> None:
    off = {"networkPolicy": {"enabled": False}}
    hub = render(z2jh_side("ingress"), {"hub": off, "proxy": {"chp": off}, "singleuser": off})

    assert Cast(hub, render_own({})).outcome() == expected(
        "ingress", **{"other namespace to Hub API": True}
    )


def test_prometheus_the_database_and_others_by_choice(render: Render, render_own: Render) -> None:
    def peer(pod: Pod) -> Values:
        namespace = {"kubernetes.io/metadata.name": pod.namespace}
        return {
            "namespaceSelector": {"matchLabels": namespace},
            "podSelector": {"matchLabels": dict(pod.labels)},
        }

    mail = {"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}], "ports": [{"port": 443}]}
    policy = {"ingress": [peer(PROMETHEUS)], "egress": [mail]}
    hub = render(z2jh_side("ingress"))
    cast = Cast(hub, render_own({"networkPolicy": policy, "database": {"peers": [peer(DATABASE)]}}))
    elsewhere = {"peers": [peer(PROMETHEUS)]}

    assert cast.outcome() == expected(
        "ingress", **{"Prometheus to service": True, "service to internet": True}
    )
    assert not cast.from_service(PROMETHEUS, 5432)
    assert not Cast(hub, render_own({"database": elsewhere})).outcome()["service to database"]


#: Every rule of the hub's values and of our policy, with what fails without it.
HUB_RULES = [
    (("proxy", "chp", "networkPolicy", "egress"), "ingress", "proxy to service"),
    (("hub", "networkPolicy", "egress"), "ingress", "hub to service"),
    (("hub", "networkPolicy", "ingress"), "ingress", "service to Hub API"),
    (
        ("hub", "networkPolicy", "allowedIngressPorts"),
        "allowed-ingress-ports",
        "service to Hub API",
    ),
]
OWN_RULES = [
    (("ingress", 0, "from", 0), "proxy to service"),
    (("ingress", 0, "from", 1), "hub to service"),
    (("egress", 0), "service to Hub API"),
    (("egress", 1), "service to DNS"),
    (("egress", 2), "service to database"),
]


@pytest.mark.parametrize(("path", "mode", "fails"), HUB_RULES)
def test_every_rule_of_the_hubs_is_needed(
    render: Render, render_own: Render, path: tuple[str, ...], mode: str, fails: str
) -> None:
    ours = z2jh_side(mode, "tools")
    inner: Any = ours
    for key in path[:-1]:
        inner = inner[key]
    assert len(inner.pop(path[-1])) == 1
    own = render_own({"hub": {"namespace": "lab"}})

    assert not Cast(render(ours, HARDENED), own, "tools").outcome()[fails]


def test_no_rule_was_forgotten(render_own: Render) -> None:
    spec = one(render_own({}), "NetworkPolicy", "tornado-service")["spec"]
    found = {("ingress", n, "from", m) for n, r in enumerate(spec["ingress"]) for m in range(2)}
    found |= {("egress", n) for n in range(len(spec["egress"]))}

    assert found == {path for path, _ in OWN_RULES}
    for mode in MODES:
        values = z2jh_side(mode)
        lists = {("hub", "networkPolicy", key) for key in values["hub"]["networkPolicy"]}
        lists.add(("proxy", "chp", "networkPolicy", "egress"))
        assert lists <= {path for path, *_ in HUB_RULES}


@pytest.mark.parametrize(("path", "fails"), OWN_RULES)
def test_every_rule_of_ours_is_needed(
    render: Render, render_own: Render, path: tuple[str | int, ...], fails: str
) -> None:
    own = copy.deepcopy(render_own({}))
    inner: Any = one(own, "NetworkPolicy", "tornado-service")["spec"]
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]

    assert not Cast(render(z2jh_side("ingress")), own).outcome()[fails]


def test_the_label_is_enough_for_the_hub_api(render: Render, render_own: Render) -> None:
    own = copy.deepcopy(render_own({}))
    labels = one(own, "Deployment", "tornado-service")["spec"]["template"]["metadata"]["labels"]
    hub = render(z2jh_side("ingress"), {"hub": {"networkPolicy": {"ingress": []}}})

    assert Cast(hub, own).outcome()["service to Hub API"]
    del labels[HUB_ACCESS]
    assert not Cast(hub, own).outcome()["service to Hub API"]
    assert Cast(render(z2jh_side("ingress")), own).outcome()["service to Hub API"]
