"""Whether rules of a NetworkPolicy, as they stand in values, let a pod through."""

from collections.abc import Iterable, Mapping
from typing import Any

from .merge import as_list, as_map
from .site import NAMED_PORTS


def allows_traffic(rules: Iterable[Any], side: str, labels: Mapping[str, str], port: int) -> bool:
    """Whether one of the rules lets through.

    Args:
        rules: the entries of ``ingress`` or ``egress``.
        side: ``from`` or ``to``.
        labels: of the pod at the other end.
        port: at the hub's pod.
    """
    return any(
        _ports_match(as_list(rule.get("ports")), port)
        and _peers_match(as_list(rule.get(side)), labels)
        for rule in rules
        if isinstance(rule, dict)
    )


def ports_for(rules: Iterable[Any], side: str, labels: Mapping[str, str]) -> list[int]:
    return [
        number
        for rule in rules
        if isinstance(rule, dict) and _peers_match(as_list(rule.get(side)), labels)
        for entry in as_list(rule.get("ports"))
        if (number := as_number(as_map(entry).get("port"))) is not None
    ]


def as_number(port: Any) -> int | None:
    """A port as a number; a name is one of the hub's container."""
    if isinstance(port, str):
        return int(port) if port.isdigit() else NAMED_PORTS.get(port)
    return port if isinstance(port, int) else None


def _ports_match(entries: list[Any], port: int) -> bool:
    return not entries or any(
        entry.get("protocol", "TCP") == "TCP" and _is_port(entry, port)
        for entry in entries
        if isinstance(entry, dict)
    )


def _is_port(entry: dict[str, Any], port: int) -> bool:
    first = as_number(entry.get("port"))
    last = as_number(entry.get("endPort", first))
    return "port" not in entry or (first is not None and first <= port <= (last or first))


def _peers_match(peers: list[Any], labels: Mapping[str, str]) -> bool:
    return not peers or any(
        _is_in_our_namespace(peer) and selector_matches(peer.get("podSelector"), labels)
        for peer in peers
        if isinstance(peer, dict)
    )


def _is_in_our_namespace(peer: dict[str, Any]) -> bool:
    """Whether a peer may be a pod of this chart; an ipBlock is for none on Cilium."""
    if "ipBlock" in peer:
        return False
    # what labels a namespace has cannot be told from values
    return not peer.get("namespaceSelector") or "podSelector" in peer


def selector_matches(selector: Any, labels: Mapping[str, str]) -> bool:
    """Whether a selector takes a pod; a label whose value is not known fits any."""
    wanted = as_map(as_map(selector).get("matchLabels"))
    expressions = as_list(as_map(selector).get("matchExpressions"))
    return all(labels.get(key) in (value, "") for key, value in wanted.items()) and all(
        _expression_matches(expression, labels)
        for expression in expressions
        if isinstance(expression, dict)
    )


def _expression_matches(expression: dict[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(str(expression.get("key")))
    operator = expression.get("operator")
    if operator in ("Exists", "DoesNotExist"):
        return (value is None) == (operator == "DoesNotExist")
    if value == "":
        return True
    return (value in as_list(expression.get("values"))) == (operator == "In")
