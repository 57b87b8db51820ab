"""Mistakes with web apps: egress to those at a URL, settings in places that nothing reads."""

import ipaddress
from collections.abc import Iterator

from .. import paths
from ..merge import as_map
from ..network_policy import may_reach
from ..service_settings import (
    SECTION,
    WEB_APPS,
    config_files,
    sets_web_apps,
    web_app_addresses,
    web_app_urls,
)
from ..site import Service, Site, ValuesFinding
from ..web_app_addresses import WebAppAddress
from ..yaml_files.writer import scalar
from .code import config_code

#: The chart's default of ``singleuser.cloudMetadata.ip``.
METADATA_ADDRESS = "169.254.169.254"

PRIVATE = [*map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))]


def check(site: Site) -> Iterator[ValuesFinding]:
    services = [service for service in site.services if service.is_tornado_service]
    if services:
        yield from _unread(site, services)
    for service in services:
        if web_app_urls(site, service):
            yield from _single_file(site, service)
        if site.values.is_enabled("hub", "networkPolicy", "enabled"):
            for name, address in web_app_addresses(site, service):
                yield from _egress(site, name, address)


def _unread(site: Site, services: list[Service]) -> Iterator[ValuesFinding]:
    """Settings of the service in the configuration of the hub."""
    read = {file for service in services for file in config_files(service)}
    found: list[paths.KeyPath] = [
        path
        for path, text in config_code(site)
        if sets_web_apps(text) and site.values.get(*path[:-1], "mountPath") not in read
    ]
    ours: paths.KeyPath = ("hub", "config", SECTION, WEB_APPS)
    if site.values.get(*ours):
        found.append(ours)
    for path in found:
        yield site.finding(
            path,
            "this is the configuration of the hub, of which the service reads nothing: there is no"
            " such web app.",
            f"a file of hub.extraFiles, and its path as --config=... into the command of"
            f" {services[0].name}.",
        )


def _single_file(site: Site, service: Service) -> Iterator[ValuesFinding]:
    if any(str(word).endswith(".pyz") for word in service.command):
        yield site.finding(
            (*service.path, "command"),
            f"the single file does without web apps: those of {service.name} fail.",
            "image.yaml's, with an image that has the package.",
        )


def _egress(site: Site, name: str, address: WebAppAddress) -> Iterator[ValuesFinding]:
    rules = site.values.list(*paths.HUB_EGRESS)
    if _chart_allows(site, address) or may_reach(rules, address):
        return
    where = f"{address.host}:{address.port}"
    fix = scalar(address.rule)
    if address.rule is None:
        peer = {"ipBlock": {"cidr": "ADDRESS/32"}}
        rule = {"to": [peer], "ports": [{"port": address.port}]}
        fix = f"{scalar(rule)} with the address of {address.host}."
    elif address.namespace is not None:
        where = f"the pods of {address.host}"
        fix += f" with the port on which they listen, if it is not {address.port}."
    yield site.finding(
        paths.HUB_EGRESS,
        f"no rule lets the hub's pod out to {where}, the web app {name}: users of it time out.",
        fix,
    )


def _chart_allows(site: Site, address: WebAppAddress) -> bool:
    """Whether the chart's own rules, which are of IPv4 addresses, may admit an address."""
    if address.ip is None:
        # Services are of private addresses; what another name leads to is unknown
        flags = ["privateIPs"] if address.namespace is not None else ["privateIPs", "nonPrivateIPs"]
    elif address.ip.version > 4:
        flags = []
    else:
        metadata = as_map(site.values.get("singleuser", "cloudMetadata")).get("ip")
        if str(address.ip) == (metadata or METADATA_ADDRESS):
            flags = ["cloudMetadataServer"]
        else:
            is_private = any(address.ip in network for network in PRIVATE)
            flags = ["privateIPs" if is_private else "nonPrivateIPs"]
    path = ("hub", "networkPolicy", "egressAllowRules")
    return any(site.values.is_enabled(*path, flag) for flag in flags)
