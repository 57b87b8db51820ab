"""Kubernetes Services and NetworkPolicies as rules of nftables, for the node.

All packets between pods pass its forward hook. ``tests.packaging.chart.policy`` evaluates the same
policies independently, so that tests compare both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tests.packaging.chart.charts import Object
from tests.packaging.chart.policy import Pod, namespace_of, selects

#: The network of Kubernetes Services; an address of it that has no endpoints refuses.
SERVICE_NETWORK = "10.96.0.0/16"


def policy_rules(objects: Sequence[Object], pods: Sequence[Pod]) -> str:
    """The policies of these objects for these pods; they replace those before.

    Replies pass. All other packets are checked, also those of open connections, so that a change
    of the policies takes effect at once.
    """
    forward = ["ct direction reply accept", "ct state related accept"]
    forward.append(f"ip daddr {SERVICE_NETWORK} meta l4proto tcp reject with tcp reset")
    chains = []
    for pod in pods:
        for kind, own_side in (("Egress", "saddr"), ("Ingress", "daddr")):
            policies = [
                item["spec"]
                for item in objects
                if item["kind"] == "NetworkPolicy"
                and namespace_of(item) == pod.namespace
                and selects(item["spec"]["podSelector"], pod.labels)
                and kind in item["spec"]["policyTypes"]
            ]
            if policies:
                chain = f"{kind.lower()}-{pod.name}"
                forward.append(f"ip {own_side} {pod.ip} jump {chain}")
                chains.append(_chain(chain, _policy_lines(policies, kind, pod, pods)))
    head = "type filter hook forward priority filter; policy accept;"
    return _table("policies", [*chains, _chain("forward", [head, *forward])])


def _policy_lines(
    policies: Iterable[dict[str, Any]], kind: str, pod: Pod, pods: Sequence[Pod]
) -> list[str]:
    """Rules that return from the chain for allowed packets, and drop others."""
    side, address = ("to", "daddr") if kind == "Egress" else ("from", "saddr")
    allowed = [
        f"{peer} {port} return"
        for policy in policies
        for rule in policy.get(kind.lower()) or []
        for peer in _peers(rule.get(side), f"ip {address}", pod.namespace, pods)
        for port in _ports(rule.get("ports"), [pod] if kind == "Ingress" else pods)
    ]
    return [*allowed, "counter drop"]


def _peers(
    peers: list[dict[str, Any]] | None, address: str, namespace: str, pods: Sequence[Pod]
) -> list[str]:
    if not peers:
        return [""]
    matches = []
    for peer in peers:
        if block := peer.get("ipBlock"):
            parts = ", ".join(block.get("except", []))
            but = f" {address} != {{ {parts} }}" if parts else ""
            matches.append(f"{address} {block['cidr']}{but}")
            continue
        taken = [pod.ip for pod in pods if _takes(peer, pod, namespace)]
        if taken:
            matches.append(f"{address} {{ {', '.join(taken)} }}")
    # this network has IPv4 only
    return [match for match in matches if ":" not in match]


def _takes(peer: dict[str, Any], pod: Pod, namespace: str) -> bool:
    if "namespaceSelector" not in peer:
        is_there = pod.namespace == namespace
    else:
        labels = {"kubernetes.io/metadata.name": pod.namespace}
        is_there = selects(peer["namespaceSelector"], labels)
    return is_there and selects(peer.get("podSelector"), pod.labels)


def _ports(entries: list[dict[str, Any]] | None, listeners: Sequence[Pod]) -> list[str]:
    """Matches of ports; a name is that of a port of the pod that listens."""
    if not entries:
        return [""]
    matches = []
    for entry in entries:
        protocol = entry.get("protocol", "TCP").lower()
        port = entry.get("port")
        if port is None:
            matches.append(f"meta l4proto {protocol}")
        elif isinstance(port, str):
            matches += [
                f"ip daddr {pod.ip} {protocol} dport {pod.ports[port]}"
                for pod in listeners
                if port in pod.ports
            ]
        else:
            last = f"-{entry['endPort']}" if "endPort" in entry else ""
            matches.append(f"{protocol} dport {port}{last}")
    return matches


def service_rules(services: Iterable[dict[str, Any]], ready: set[str], pods: Iterable[str]) -> str:
    """What kube-proxy does: an address of a Service becomes that of one of its endpoints.

    Args:
        services: their ``addresses`` and ``ports``, each with ``endpoints``: address and port.
        ready: the addresses of pods that are.
        pods: the addresses of all.
    """
    lines = ["type nat hook prerouting priority dstnat;"]
    for service in services:
        for port in service["ports"]:
            endpoints = [f"{ip} . {to}" for ip, to in port["endpoints"] if ip in ready]
            if endpoints:
                choices = ", ".join(f"{n} : {end}" for n, end in enumerate(endpoints))
                lines += [
                    f"ip daddr {address} {port['protocol'].lower()} dport {port['port']}"
                    f" dnat ip to numgen random mod {len(endpoints)} map {{ {choices} }}"
                    for address in service["addresses"]
                ]
    # a pod that reaches itself through a Service would not know its own packets as replies
    hairpin = [f"ip saddr {ip} ip daddr {ip} masquerade" for ip in pods]
    post = ["type nat hook postrouting priority srcnat;", *hairpin]
    return _table("services", [_chain("prerouting", lines), _chain("postrouting", post)])


def _chain(name: str, lines: Iterable[str]) -> str:
    return "\n".join([f"chain {name} {{", *lines, "}"])


def _table(name: str, chains: Iterable[str]) -> str:
    """A table that replaces the one before, in one transaction."""
    return "\n".join(
        [f"add table ip {name}", f"delete table ip {name}", f"table ip {name} {{", *chains, "}", ""]
    )
