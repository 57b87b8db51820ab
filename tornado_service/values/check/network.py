"""Mistakes in ports and network policies: four places must name one port."""

from collections.abc import Iterable, Iterator
from typing import Any

from .. import names
from ..deployment import COMPONENT, HUB_ACCESS, HUB_PORT, LOOPBACK_ADDRESSES
from ..merge import as_list, as_map
from ..network_policy import allows_traffic, as_number, ports_for
from ..site import EXTRA_PORTS, HUB_EGRESS, INGRESS, PROXY_EGRESS, Service, Site, ValuesFinding

OPEN_PORTS = ("hub", "networkPolicy", "allowedIngressPorts")


def check(site: Site) -> Iterator[ValuesFinding]:
    yield from _aliases(site)
    for service in site.services:
        if service.port in (None, HUB_PORT) or service.host in LOOPBACK_ADDRESSES:
            continue  # a finding of the service's own
        if not service.is_tornado_service and not site.points_to_hub(service):
            continue  # a Kubernetes Service of the site's own, with policies of its own
        yield from _service_port(site, service, service.port)
        if site.values.is_enabled("hub", "networkPolicy", "enabled"):
            yield from _ingress(site, service, service.port)
            yield from _hub_api(site, service)
            yield from _hub_egress(site, service, service.port)
        if site.values.is_enabled("proxy", "chp", "networkPolicy", "enabled"):
            yield from _proxy_egress(site, service, service.port)


def _aliases(site: Site) -> Iterator[ValuesFinding]:
    path = ("hub", "extraPodSpec", "hostAliases")
    hosts = {service.host for service in site.services}
    leads: dict[str, list[str]] = {}
    for alias in site.values.list(*path):
        for name in hosts.intersection(map(str, as_list(as_map(alias).get("hostnames")))):
            leads.setdefault(name, []).append(str(as_map(alias).get("ip")))
    for name, addresses in leads.items():
        elsewhere = [address for address in addresses if address not in LOOPBACK_ADDRESSES]
        right = ", ".join(f'{{ip: "{ip}", hostnames: [{name}]}}' for ip in LOOPBACK_ADDRESSES)
        if elsewhere:
            yield site.finding(
                path,
                f"in the hub's pod {name} leads to {elsewhere[0]} and not to the pod itself: the"
                " start-up check misses the service and the hub exits.",
                right,
            )
        elif not site.hub_loopback_addresses.intersection(addresses):
            yield site.finding(
                path,
                f"in the hub's pod {name} leads to {' and '.join(addresses)}, where the hub does"
                " not listen (hub.config.JupyterHub.hub_bind_url): every visit gets 503.",
                right,
            )


def _service_port(site: Site, service: Service, port: int) -> Iterator[ValuesFinding]:
    entries = [entry for entry in site.values.list(*EXTRA_PORTS) if isinstance(entry, dict)]
    name = names.suggest_name(service.name, names.DNS_LABEL, "service")
    right = f"{{name: {name}, port: {port}, targetPort: {port}}}"
    mine = [entry for entry in entries if as_number(entry.get("port")) == port]
    if not mine:
        others = ", ".join(str(entry.get("port")) for entry in entries)
        yield site.finding(
            EXTRA_PORTS,
            f"the hub's Kubernetes Service has no port {port}{f', only {others}' if others else ''}"
            f", which the url of {service.name} names: {_port_effect(site, service)}.",
            right,
        )
    for entry in mine:
        target = entry.get("targetPort", port)
        if as_number(target) != port:
            yield site.finding(
                EXTRA_PORTS,
                f"port {port} leads to {target}, but {service.name} listens on the port of its"
                f" url: {_port_effect(site, service)}.",
                right,
            )
        elif entry.get("protocol", "TCP") != "TCP":
            yield site.finding(EXTRA_PORTS, f"port {port} is open for UDP only.", right)


def _port_effect(site: Site, service: Service) -> str:
    """What follows when the service cannot be reached through the hub's Kubernetes Service."""
    if service.host in site.loopback_names:
        return "visitors get 503"
    return f'"Cannot connect to {service.name} service managed", and the hub exits'


def _ingress(site: Site, service: Service, port: int) -> Iterator[ValuesFinding]:
    rules = site.values.list(*INGRESS)
    open_ports = [as_number(entry) for entry in site.values.list(*OPEN_PORTS)]
    if port in open_ports:
        if port in _allowed_ports(site, rules):
            yield site.finding(
                INGRESS,
                f"void: allowedIngressPorts opens port {port} to every pod already.",
                "one of the two: allowed-ingress-ports.yaml or ingress.yaml.",
            )
        return
    missing = [
        pod for pod in ("proxy", "hub") if not allows_traffic(rules, "from", site.labels(pod), port)
    ]
    if len(missing) == 2:
        yield from _port_closed(site, service, port, [*open_ports, *_allowed_ports(site, rules)])
    elif missing == ["proxy"]:
        yield site.finding(
            INGRESS,
            f"no rule admits the proxy to port {port}: the hub runs, visitors of"
            f" {service.name} time out.",
            _peer("proxy"),
        )
    elif missing == ["hub"]:
        yield site.finding(
            INGRESS,
            f"no rule admits the hub's own pod to port {port}: {_policy_effect(site, service)}.",
            _peer("hub"),
        )


def _allowed_ports(site: Site, rules: list[Any]) -> list[int]:
    return [
        number for pod in ("proxy", "hub") for number in ports_for(rules, "from", site.labels(pod))
    ]


def _port_closed(
    site: Site, service: Service, port: int, others: list[int | None]
) -> Iterator[ValuesFinding]:
    other_ports = sorted({other for other in others if other and other != HUB_PORT})
    instead = _they_name(other_ports)
    key = OPEN_PORTS if site.values.list(*OPEN_PORTS) else INGRESS
    yield site.finding(
        key,
        f"the hub's policy admits nobody to port {port} of {service.name}{instead}: visitors time"
        f" out; {_policy_effect(site, service)}.",
        f"{port} here." if other_ports else "ingress.yaml's or allowed-ingress-ports.yaml's.",
    )


def _policy_effect(site: Site, service: Service) -> str:
    """What follows when the hub's policy keeps the hub's own pod from the service."""
    if service.host in site.loopback_names:
        return "the hub's start-up check passes only as long as the host alias is there"
    return (
        "where policy applies to a pod's way to itself, the start-up check is dropped and the hub"
        " exits"
    )


def _hub_api(site: Site, service: Service) -> Iterator[ValuesFinding]:
    """The service's calls of the Hub API, from the hub's pod to its own Kubernetes Service."""
    open_ports = [as_number(entry) for entry in site.values.list(*OPEN_PORTS)]
    labels = site.labels("hub")
    api_url = str(service.environment.get("JUPYTERHUB_API_URL", ""))
    if (
        labels.get(HUB_ACCESS) == "true"
        or HUB_PORT in open_ports
        or any(f"://{host}" in api_url for host in ("127.0.0.1", "[::1]", "localhost"))
        or allows_traffic(site.values.list(*INGRESS), "from", labels, HUB_PORT)
    ):
        return
    effect = "sign-in ends in 500" + _once_alias_is_gone(site, service)
    yield site.finding(
        ("hub", "labels", HUB_ACCESS),
        f"the hub's policy keeps the hub's pod, and so {service.name}, from the Hub API on port"
        f" {HUB_PORT}: where policy applies to a pod's way to itself, {effect}.",
        '"true"',
    )


def _hub_egress(site: Site, service: Service, port: int) -> Iterator[ValuesFinding]:
    path = ("hub", "networkPolicy", "egressAllowRules", "privateIPs")
    rules = site.values.list(*HUB_EGRESS)
    labels = site.labels("hub")
    missing = [to for to in (HUB_PORT, port) if not allows_traffic(rules, "to", labels, to)]
    if site.values.is_enabled(*path) or not missing:
        return
    effect = "the hub exits or sign-in fails" + _once_alias_is_gone(site, service)
    ports = ", ".join(f"{{port: {number}}}" for number in missing)
    yield site.finding(
        HUB_EGRESS,
        "egressAllowRules.privateIPs is off and no rule lets the hub's pod out to itself on"
        f" {' and '.join(map(str, missing))}: where policy applies to a pod's way to itself,"
        f" {effect}.",
        f"{{to: [podSelector: {{matchLabels: {{{COMPONENT}: hub}}}}], ports: [{ports}]}}",
    )


def _once_alias_is_gone(site: Site, service: Service) -> str:
    return ", once the host alias is gone" if service.host in site.loopback_names else ""


def _proxy_egress(site: Site, service: Service, port: int) -> Iterator[ValuesFinding]:
    rules = site.values.list(*PROXY_EGRESS)
    labels = site.labels("hub")
    if allows_traffic(rules, "to", labels, port):
        return
    instead = _they_name(other for other in ports_for(rules, "to", labels) if other != HUB_PORT)
    where = "on Cilium"
    if not site.values.is_enabled(
        "proxy", "chp", "networkPolicy", "egressAllowRules", "privateIPs"
    ):
        where = "since its egressAllowRules.privateIPs is off"
    yield site.finding(
        PROXY_EGRESS,
        f"no rule lets the proxy out to port {port} of the hub's pod{instead}: {where}, visitors of"
        f" {service.name} time out.",
        f"{{to: [podSelector: {{matchLabels: {{{COMPONENT}: hub}}}}], ports: [{{port: {port}}}]}}",
    )


def _they_name(ports: Iterable[int]) -> str:
    names = ", ".join(map(str, ports))
    return f" (they name {names})" if names else ""


def _peer(component: str) -> str:
    return f"under from: podSelector: {{matchLabels: {{{COMPONENT}: {component}}}}}"
