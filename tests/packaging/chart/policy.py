"""The effect of NetworkPolicies: allowed connections, computed from rendered objects.

https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]

HUB_PORT = 8081

#: Where objects without a namespace are, such as those of the hub's chart.
NAMESPACE = "lab"
#: The namespace of a host outside of the cluster, which only an ipBlock selects.
OUTSIDE = ""


@dataclass(frozen=True)
class Pod:
    """A pod with an address of its own.

    Attributes:
        ports: the container's ports, by name.
        aliases: names in its /etc/hosts that resolve to itself, with the loopback addresses.
    """

    name: str
    labels: Mapping[str, str]
    ip: str
    namespace: str = NAMESPACE
    ports: Mapping[str, int] = field(default_factory=dict)
    aliases: Mapping[str, set[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Cluster:
    """Behaviour of the network plugin that Kubernetes leaves open.

    Attributes:
        ip_blocks_cover_pods: whether an ipBlock counts for pod addresses; not on Cilium.
        hairpin_is_subject: whether policy applies when a pod reaches itself through a Service.
        hub_is_ready: whether the hub's Service has endpoints yet.
        hub_has_ipv4: whether the hub listens on IPv4; the service listens on both.
        hub_has_ipv6: whether it listens on IPv6.
    """

    objects: list[Object]
    pods: list[Pod]
    ip_blocks_cover_pods: bool = True
    hairpin_is_subject: bool = True
    hub_is_ready: bool = True
    hub_has_ipv4: bool = True
    hub_has_ipv6: bool = True

    def reaches(self, source: Pod, host: str, port: int) -> bool:
        """Whether a connection to a Service is let through, all the way to a pod."""
        if host in source.aliases:
            listening = {"127.0.0.1"} if self.hub_has_ipv4 else set()
            listening |= {"::1"} if self.hub_has_ipv6 else set()
            return port != HUB_PORT or not listening.isdisjoint(source.aliases[host])
        targets = list(self._endpoints(host, port)) if self.hub_is_ready else []
        return bool(targets) and all(
            self.lets_through(source, pod, number) for pod, number in targets
        )

    def _endpoints(self, host: str, port: int) -> Iterable[tuple[Pod, int]]:
        name, _, suffix = host.partition(".")
        namespace = suffix.removesuffix(".svc") or NAMESPACE
        for service in self._all("Service"):
            if (service["metadata"]["name"], namespace_of(service)) != (name, namespace):
                continue
            for entry in service["spec"]["ports"]:
                if entry["port"] != port or entry.get("protocol", "TCP") != "TCP":
                    continue
                target = entry.get("targetPort", port)
                for pod in self.pods:
                    number = pod.ports.get(target) if isinstance(target, str) else target
                    selector = {"matchLabels": service["spec"]["selector"]}
                    if pod.namespace == namespace and selects(selector, pod.labels) and number:
                        yield pod, number

    def lets_through(self, source: Pod, target: Pod, port: int) -> bool:
        """Whether the policies at both ends let a connection to a pod through."""
        if source is target and not self.hairpin_is_subject:
            return True
        return self._may(source, "Egress", "to", target, port, target) and self._may(
            target, "Ingress", "from", source, port, target
        )

    def _may(self, pod: Pod, kind: str, side: str, other: Pod, port: int, listener: Pod) -> bool:
        policies = [
            policy["spec"]
            for policy in self._all("NetworkPolicy")
            if pod.namespace == namespace_of(policy)
            and selects(policy["spec"]["podSelector"], pod.labels)
            and kind in policy["spec"]["policyTypes"]
        ]
        return not policies or any(
            self._is_peer(rule.get(side), other, pod.namespace)
            and _is_port(rule.get("ports"), port, listener)
            for policy in policies
            for rule in policy.get(kind.lower()) or []
        )

    def _is_peer(self, peers: list[Any] | None, pod: Pod, namespace: str) -> bool:
        return not peers or any(self._matches(peer, pod, namespace) for peer in peers)

    def _matches(self, peer: dict[str, Any], pod: Pod, namespace: str) -> bool:
        if block := peer.get("ipBlock"):
            return self.ip_blocks_cover_pods and _in_block(block, pod.ip)
        if pod.namespace == OUTSIDE:
            return False
        if "namespaceSelector" in peer:
            names = {"kubernetes.io/metadata.name": pod.namespace}
            if not selects(peer["namespaceSelector"], names):
                return False
        elif pod.namespace != namespace:
            return False
        return selects(peer.get("podSelector"), pod.labels)

    def _all(self, kind: str) -> list[Object]:
        return [item for item in self.objects if item["kind"] == kind]


def namespace_of(item: Object) -> str:
    """The namespace of an object."""
    return item["metadata"].get("namespace", NAMESPACE)


def selects(selector: dict[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a selector, of which the chart uses only matchLabels, takes these labels."""
    selector = selector or {}
    assert set(selector) <= {"matchLabels"}, selector
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def _is_port(entries: list[dict[str, Any]] | None, port: int, listener: Pod) -> bool:
    if not entries:
        return True
    for entry in entries:
        named = entry.get("port", port)
        number = listener.ports.get(named) if isinstance(named, str) else named
        last = entry.get("endPort", number)
        if entry.get("protocol", "TCP") == "TCP" and number and number <= port <= last:
            return True
    return False


def _in_block(block: dict[str, Any], ip: str) -> bool:
    address = ipaddress.ip_address(ip)
    return address in ipaddress.ip_network(block["cidr"]) and not any(
        address in ipaddress.ip_network(part) for part in block.get("except", [])
    )
