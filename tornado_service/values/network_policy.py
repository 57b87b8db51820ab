"""Whether rules of a NetworkPolicy in values allow a pod's traffic."""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from .deployment import COMPONENT, NAME
from .merge import as_list, as_map, as_maps
from .site import NAMED_PORTS
from .web_app_addresses import NAMESPACE, IPAddress, WebAppAddress


def allows_traffic(rules: Iterable[Any], side: str, labels: Mapping[str, str], port: int) -> bool:
    """Whether one of the rules allows traffic on a port of the hub's pod.

    The labels are those of the pod at the other end, on the side ``from`` or ``to``.
    """
    return any(
        not as_list(rule.get("ports"))
        or any(_is_port(entry, port) for entry in as_maps(rule.get("ports")))
        for rule in _rules_for(rules, side, labels)
    )


def ports_for(rules: Iterable[Any], side: str, labels: Mapping[str, str]) -> list[int]:
    return [
        number
        for rule in _rules_for(rules, side, labels)
        for entry in as_maps(rule.get("ports"))
        if (number := as_number(entry.get("port"))) is not None
    ]


def as_number(port: Any) -> int | None:
    """A port as a number; a name is resolved in the hub's container."""
    if isinstance(port, str):
        return int(port) if port.isdigit() else NAMED_PORTS.get(port)
    return port if isinstance(port, int) else None


def _rules_for(
    rules: Iterable[Any], side: str, labels: Mapping[str, str]
) -> Iterable[dict[str, Any]]:
    return (
        rule
        for rule in as_maps(rules)
        if not as_list(rule.get(side))
        or any(_is_pod(peer, labels) for peer in as_maps(rule.get(side)))
    )


def _is_port(entry: dict[str, Any], port: int) -> bool:
    first = as_number(entry.get("port"))
    last = as_number(entry.get("endPort", first)) or first
    is_open = "port" not in entry or (first is not None and first <= port <= (last or first))
    return is_open and entry.get("protocol", "TCP") == "TCP"


def _is_pod(peer: dict[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a peer may be a pod of this chart; on Cilium an ipBlock matches no pods."""
    # values do not show a namespace's labels
    is_elsewhere = peer.get("namespaceSelector") and "podSelector" not in peer
    if "ipBlock" in peer or is_elsewhere:
        return False
    selector = as_map(peer.get("podSelector"))
    wanted = as_map(selector.get("matchLabels"))
    # a label with an unknown value matches any
    return all(labels.get(key) in (value, "") for key, value in wanted.items()) and all(
        _expression_matches(expression, labels)
        for expression in as_maps(selector.get("matchExpressions"))
    )


def _expression_matches(expression: dict[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(str(expression.get("key")))
    operator = expression.get("operator")
    if operator in ("Exists", "DoesNotExist"):
        return (value is None) == (operator == "DoesNotExist")
    return value == "" or (value in as_list(expression.get("values"))) == (operator == "In")


def may_reach(rules: Iterable[Any], address: WebAppAddress) -> bool:
    """Whether one of a site's egress rules may be meant for a web app.

    What values do not show, such as labels of pods and namespaces, counts as a match.
    """
    return any(
        _may_include_port(rule, address.port)
        if not as_list(rule.get("to"))
        else any(_may_be_app(rule, peer, address) for peer in as_maps(rule.get("to")))
        for rule in as_maps(rules)
    )


def allows_external(rules: Iterable[Any], side: str, address: WebAppAddress, port: int) -> bool:
    """Whether one of the rules allows traffic between the hub's or the proxy's pod and the pods of
    an external service, on a port.

    Of their labels only the name is known, that of their Kubernetes Service; any other counts as a
    match.
    """
    return any(
        _may_include_port(rule, port)
        and (
            not as_list(rule.get(side))
            or any(is_external_pod(peer, address) for peer in as_maps(rule.get(side)))
        )
        for rule in as_maps(rules)
    )


def is_external_pod(peer: Mapping[str, Any], address: WebAppAddress) -> bool:
    """Whether a peer may be the pods of an external service; on Cilium an ipBlock matches none."""
    labels = as_map(as_map(peer.get("podSelector")).get("matchLabels"))
    name = address.host.split(".")[0]
    return (
        "ipBlock" not in peer
        and COMPONENT not in labels  # those are the chart's pods
        and labels.get(NAME, name) == name
        and _may_be_namespace(peer, address.namespace)
    )


def _may_include_port(rule: Mapping[str, Any], port: int) -> bool:
    entries = as_maps(rule.get("ports"))
    return not as_list(rule.get("ports")) or any(
        # a name is one of the other pod's ports
        _is_port({**entry, "port": port} if isinstance(entry.get("port"), str) else entry, port)
        for entry in entries
    )


def _may_be_app(rule: Mapping[str, Any], peer: Mapping[str, Any], address: WebAppAddress) -> bool:
    if "ipBlock" in peer:
        is_inside = address.ip is None or _is_in_block(as_map(peer["ipBlock"]), address.ip)
        return is_inside and _may_include_port(rule, address.port)
    # from here on any port: a policy counts that of the pods, to which a Service maps its own
    if address.ip and address.ip.is_global:
        return False
    if "namespaceSelector" not in peer:
        labels = as_map(as_map(peer.get("podSelector")).get("matchLabels"))
        return COMPONENT not in labels  # those are the chart's pods
    return _may_be_namespace(peer, address.namespace)


def _may_be_namespace(peer: Mapping[str, Any], name: str | None) -> bool:
    """Whether a peer may be in a namespace, as far as that is known."""
    selector = as_map(peer.get("namespaceSelector"))
    if not name:
        return True
    return as_map(selector.get("matchLabels")).get(NAMESPACE, name) == name and all(
        (name in as_list(entry.get("values"))) == (entry.get("operator") == "In")
        for entry in as_maps(selector.get("matchExpressions"))
        if entry.get("key") == NAMESPACE and entry.get("operator") in ("In", "NotIn")
    )


def _is_in_block(block: Mapping[str, Any], ip: IPAddress) -> bool:
    networks = [block.get("cidr"), *as_list(block.get("except"))]
    try:
        first, *others = (ipaddress.ip_network(str(text), strict=False) for text in networks)
    except ValueError:  # Kubernetes refuses it
        return False
    return ip in first and not any(ip in other for other in others)
