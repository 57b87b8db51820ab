"""Mistakes in ports and network policies: four places must name one port."""

from collections.abc import Iterable, Iterator

from .. import names, paths
from ..deployment import COMPONENT, HUB_ACCESS, HUB_PORT, LOOPBACK_ADDRESSES, NAME
from ..merge import as_maps
from ..network_policy import (
    allows_external,
    allows_traffic,
    as_number,
    is_external_pod,
    ports_for,
)
from ..site import Service, Site, ValuesFinding
from ..web_app_addresses import NAMESPACE, WebAppAddress
from ..yaml_files.writer import scalar


def check(site: Site) -> Iterator[ValuesFinding]:
    yield from _aliases(site)
    for service in site.services:
        if site.is_external(service):
            yield from _external(site, service)
            continue
        if service.port in (None, HUB_PORT) or service.host in LOOPBACK_ADDRESSES:
            continue  # that is a separate finding
        if not service.is_tornado_service and not site.points_to_hub(service):
            continue  # another Kubernetes Service of the site, with its own policies
        yield from _service_port(site, service, service.port)
        if site.values.is_enabled("hub", "networkPolicy", "enabled"):
            yield from _ingress(site, service, service.port)
            yield from _hub_api(site, service)
            yield from _hub_egress(site, service, service.port)
        if site.values.is_enabled("proxy", "chp", "networkPolicy", "enabled"):
            yield from _proxy_egress(site, service, service.port)


def _aliases(site: Site) -> Iterator[ValuesFinding]:
    managed = (service for service in site.services if not site.is_external(service))
    for name in dict.fromkeys(service.host for service in managed):
        addresses = site.aliases(name)
        others = [address for address in addresses if address not in LOOPBACK_ADDRESSES]
        right = ", ".join(f'{{ip: "{ip}", hostnames: [{name}]}}' for ip in LOOPBACK_ADDRESSES)
        if others:
            yield site.finding(
                paths.HOST_ALIASES,
                f"in the hub's pod {name} leads to {others[0]} and not to the pod itself: the"
                " start-up check misses the service and the hub exits.",
                right,
            )
        elif addresses and site.hub_loopback_addresses.isdisjoint(addresses):
            yield site.finding(
                paths.HOST_ALIASES,
                f"in the hub's pod {name} leads to {' and '.join(addresses)}, where the hub does"
                " not listen (hub.config.JupyterHub.hub_bind_url): every visit gets 503.",
                right,
            )


def _service_port(site: Site, service: Service, port: int) -> Iterator[ValuesFinding]:
    entries = as_maps(site.values.list(*paths.EXTRA_PORTS))
    name = names.suggest_name(service.name, names.DNS_LABEL, "service")
    right = f"{{name: {name}, port: {port}, targetPort: {port}}}"
    effect = f'"Cannot connect to {service.name} service managed", and the hub exits'
    if site.has_loopback_alias(service):
        effect = "users get 503"
    mine = [entry for entry in entries if as_number(entry.get("port")) == port]
    if not mine:
        others = ", ".join(str(entry.get("port")) for entry in entries)
        yield site.finding(
            paths.EXTRA_PORTS,
            f"the hub's Kubernetes Service has no port {port}{f', only {others}' if others else ''}"
            f", which the url of {service.name} names: {effect}.",
            right,
        )
    for entry in mine:
        target = entry.get("targetPort", port)
        if as_number(target) != port:
            yield site.finding(
                paths.EXTRA_PORTS,
                f"port {port} leads to {target}, but {service.name} listens on the port of its"
                f" url: {effect}.",
                right,
            )
        elif entry.get("protocol", "TCP") != "TCP":
            yield site.finding(paths.EXTRA_PORTS, f"port {port} is open for UDP only.", right)


def _ingress(site: Site, service: Service, port: int) -> Iterator[ValuesFinding]:
    rules = site.values.list(*paths.INGRESS)
    pods = {pod: site.labels(pod) for pod in ("proxy", "hub")}
    open_ports = [as_number(entry) for entry in site.values.list(*paths.OPEN_PORTS)]
    rule_ports = [number for labels in pods.values() for number in ports_for(rules, "from", labels)]
    missing = [pod for pod in pods if not allows_traffic(rules, "from", pods[pod], port)]
    effect = "the hub's start-up check passes only as long as the host alias is there"
    if not site.has_loopback_alias(service):
        effect = (
            "where policy applies to a pod's way to itself, the start-up check is dropped and the"
            " hub exits"
        )
    if port in open_ports:
        if port in rule_ports:
            yield site.finding(
                paths.INGRESS,
                f"void: allowedIngressPorts opens port {port} to every pod already.",
                "one of the two: allowed-ingress-ports.yaml or ingress.yaml.",
            )
    elif len(missing) == 2:
        instead = _they_name(sorted({number for number in (*open_ports, *rule_ports) if number}))
        yield site.finding(
            paths.OPEN_PORTS if open_ports else paths.INGRESS,
            f"the hub's policy blocks all access to port {port} of {service.name}{instead}: users"
            f" time out; {effect}.",
            f"{port} here." if instead else "ingress.yaml's or allowed-ingress-ports.yaml's.",
        )
    elif missing:
        source = "the hub's own pod"
        if missing == ["proxy"]:
            source, effect = "the proxy", f"the hub runs, users of {service.name} time out"
        yield site.finding(
            paths.INGRESS,
            f"no rule admits {source} to port {port}: {effect}.",
            f"under from: podSelector: {{matchLabels: {{{COMPONENT}: {missing[0]}}}}}",
        )


def _hub_api(site: Site, service: Service) -> Iterator[ValuesFinding]:
    """The service's calls of the Hub API, from the hub's pod to its own Kubernetes Service."""
    open_ports = [as_number(entry) for entry in site.values.list(*paths.OPEN_PORTS)]
    labels = site.labels("hub")
    api_url = str(service.environment.get("JUPYTERHUB_API_URL", ""))
    if (
        labels.get(HUB_ACCESS) == "true"
        or HUB_PORT in open_ports
        or any(f"://{host}" in api_url for host in ("127.0.0.1", "[::1]", "localhost"))
        or allows_traffic(site.values.list(*paths.INGRESS), "from", labels, HUB_PORT)
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
    rules = site.values.list(*paths.HUB_EGRESS)
    labels = site.labels("hub")
    missing = [to for to in (HUB_PORT, port) if not allows_traffic(rules, "to", labels, to)]
    if site.values.is_enabled(*path) or not missing:
        return
    effect = "the hub exits or sign-in fails" + _once_alias_is_gone(site, service)
    yield site.finding(
        paths.HUB_EGRESS,
        "egressAllowRules.privateIPs is off and no rule lets the hub's pod out to itself on"
        f" {' and '.join(map(str, missing))}: where policy applies to a pod's way to itself,"
        f" {effect}.",
        _egress_rule(missing),
    )


def _once_alias_is_gone(site: Site, service: Service) -> str:
    return ", once the host alias is removed" if site.has_loopback_alias(service) else ""


def _proxy_egress(site: Site, service: Service, port: int) -> Iterator[ValuesFinding]:
    rules = site.values.list(*paths.PROXY_EGRESS)
    labels = site.labels("hub")
    if allows_traffic(rules, "to", labels, port):
        return
    where = _where_it_counts(site, "proxy", "chp")
    yield site.finding(
        paths.PROXY_EGRESS,
        f"no rule lets the proxy out to port {port} of the hub's pod"
        f"{_they_name(ports_for(rules, 'to', labels))}: {where}, users of {service.name} time"
        " out.",
        _egress_rule([port]),
    )


def _external(site: Site, service: Service) -> Iterator[ValuesFinding]:
    """The ways to and from the pods of an external service."""
    address = site.external_address(service)
    if not address:
        return  # no pods of this cluster
    yield from _leftovers(site, service, address.port)
    proxy_rules = site.values.list(*paths.PROXY_EGRESS)
    if site.values.is_enabled("proxy", "chp", "networkPolicy", "enabled") and not allows_external(
        proxy_rules, "to", address, address.port
    ):
        yield site.finding(
            paths.PROXY_EGRESS,
            f"no rule lets the proxy out to port {address.port} of the pods of {service.name}:"
            f" {_where_it_counts(site, 'proxy', 'chp')}, users of it time out.",
            _external_rule("to", address, address.port),
        )
    if site.values.is_enabled("hub", "networkPolicy", "enabled"):
        yield from _external_check(site, service, address)
        peers = [peer for rule in as_maps(proxy_rules) for peer in as_maps(rule.get("to"))]
        elsewhere = [peer for peer in peers if peer.get("namespaceSelector")]
        if address.namespace and any(is_external_pod(peer, address) for peer in elsewhere):
            yield from _external_hub_api(site, service, address)


def _leftovers(site: Site, service: Service, port: int) -> Iterator[ValuesFinding]:
    """What only a service in the hub's pod needs, if there is none."""
    if any(other.command and site.points_to_hub(other) for other in site.all_services):
        return
    ingress = [
        entry for rule in as_maps(site.values.list(*paths.INGRESS)) for entry in _ports_of(rule)
    ]
    is_left = {
        paths.EXTRA_PORTS: port in _ports_of({"ports": site.values.list(*paths.EXTRA_PORTS)}),
        paths.OPEN_PORTS: port in map(as_number, site.values.list(*paths.OPEN_PORTS)),
        paths.INGRESS: port in ingress,
        paths.HOST_ALIASES: not set(LOOPBACK_ADDRESSES).isdisjoint(site.aliases(site.hub)),
    }
    for path, is_there in is_left.items():
        if is_there:
            what = f"port {port}" if path != paths.HOST_ALIASES else f"the alias of {site.hub}"
            yield site.finding(
                path,
                f"{what} is left over: {service.name} has pods of its own, and the hub launches no"
                " other service.",
                f"the list without {what}.",
            )


def _ports_of(rule: dict[str, object]) -> list[int | None]:
    return [as_number(entry.get("port")) for entry in as_maps(rule.get("ports"))]


def _external_check(
    site: Site, service: Service, address: WebAppAddress
) -> Iterator[ValuesFinding]:
    """The hub's own check, at its start and then each minute."""
    rules = site.values.list(*paths.HUB_EGRESS)
    if site.values.is_enabled("hub", "networkPolicy", "egressAllowRules", "privateIPs"):
        return  # on Cilium the hub only logs a warning
    if not allows_external(rules, "to", address, address.port):
        yield site.finding(
            paths.HUB_EGRESS,
            "egressAllowRules.privateIPs is off and no rule lets the hub's pod out to port"
            f" {address.port} of the pods of {service.name}: each start of the hub waits for a"
            " timeout, and each minute it logs a warning.",
            _external_rule("to", address, address.port),
        )


def _external_hub_api(
    site: Site, service: Service, address: WebAppAddress
) -> Iterator[ValuesFinding]:
    """The Hub API, for pods in another namespace: the chart's own rule admits those of its own."""
    open_ports = [as_number(entry) for entry in site.values.list(*paths.OPEN_PORTS)]
    accept = site.values.get("hub", "networkPolicy", "interNamespaceAccessLabels") == "accept"
    rules = site.values.list(*paths.INGRESS)
    if accept or HUB_PORT in open_ports or allows_external(rules, "from", address, HUB_PORT):
        return
    yield site.finding(
        paths.INGRESS,
        f"no rule admits the pods of {service.name}, in the namespace {address.namespace}, to the"
        f" Hub API on port {HUB_PORT}: every sign-in fails.",
        _external_rule("from", address, HUB_PORT),
    )


def _external_rule(side: str, address: WebAppAddress, port: int) -> str:
    peer: dict[str, object] = {
        "podSelector": {"matchLabels": {NAME: address.host.split(".")[0]}},
    }
    if address.namespace:
        peer["namespaceSelector"] = {"matchLabels": {NAMESPACE: address.namespace}}
    return scalar({side: [peer], "ports": [{"port": port}]})


def _where_it_counts(site: Site, *pod: str) -> str:
    """The clusters on which a missing egress rule for other pods is felt."""
    if site.values.is_enabled(*pod, "networkPolicy", "egressAllowRules", "privateIPs"):
        return "on Cilium"
    return "since its egressAllowRules.privateIPs is off"


def _they_name(ports: Iterable[int]) -> str:
    others = ", ".join(str(port) for port in ports if port != HUB_PORT)
    return f" (they name {others})" if others else ""


def _egress_rule(ports: Iterable[int]) -> str:
    entries = ", ".join(f"{{port: {port}}}" for port in ports)
    return f"{{to: [podSelector: {{matchLabels: {{{COMPONENT}: hub}}}}], ports: [{entries}]}}"
