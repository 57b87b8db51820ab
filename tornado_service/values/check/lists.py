"""Lists of one file that a later file replaces, so that a service loses entries."""

from collections.abc import Iterator
from typing import Any

from .. import paths
from ..deployment import HUB_PORT
from ..merge import ReplacedValue, as_list, as_map
from ..network_policy import allows_external, allows_traffic, as_number, may_reach
from ..service_settings import web_app_addresses
from ..site import Site, ValuesFinding


def check(site: Site) -> Iterator[ValuesFinding]:
    """Lists that lost entries; a list that a site narrows on purpose is fine."""
    for replaced in site.values.replaced:
        lost = [str(item) for item in _missed_entries(site, replaced)]
        if lost:
            entries = ", ".join(text if len(text) <= 60 else text[:59] + "..." for text in lost)
            yield site.finding(
                replaced.path,
                f"Helm does not join lists: this one replaces that of {replaced.earlier_file}, and"
                f" {entries} is lost.",
                "all entries here: tornado-service values --site=... joins them.",
                replaced.later_file,
            )


def _missed_entries(site: Site, replaced: ReplacedValue) -> list[Any]:
    """The lost entries that services need, if no later file has them either."""
    path = replaced.path
    final = as_list(site.values.get(*path))
    lost = [item for item in replaced.lost if item not in final]
    if path in paths.SERVICE_LISTS:
        served = _used_by_services(site, path, final)
        missed = [item for item in lost if _used_by_services(site, path, [item]) - served]
        had_ours = _used_by_services(site, path, [*lost, *replaced.kept])
        return missed if had_ours or not served else lost
    is_narrowed = all(item in replaced.kept for item in final)
    return lost if _belongs_to_service(site, path) and not is_narrowed else []


def _used_by_services(site: Site, path: paths.KeyPath, items: list[Any]) -> set[Any]:
    managed = [service for service in site.services if not site.is_external(service)]
    ports = {service.port for service in managed if service.port}
    if path == paths.HOST_ALIASES:
        names = {str(name) for item in items for name in as_list(as_map(item).get("hostnames"))}
        return names & {service.host for service in managed}
    if path in (paths.INGRESS, paths.HUB_EGRESS, paths.PROXY_EGRESS):
        side = "from" if path == paths.INGRESS else "to"
        pods = ("proxy", "hub") if path == paths.INGRESS else ("hub",)
        wanted = {*ports, HUB_PORT} if path == paths.HUB_EGRESS else ports
        used: set[Any] = {
            (pod, port)
            for pod in pods
            for port in wanted
            if allows_traffic(items, side, site.labels(pod), port)
        }
        if path == paths.HUB_EGRESS:
            apps = (app for each in site.services for _, app in web_app_addresses(site, each))
            used |= {app for app in apps if may_reach(items, app)}
        for address in filter(None, map(site.external_address, site.services)):
            port = HUB_PORT if path == paths.INGRESS else address.port
            # the chart's own rule admits pods of the hub's namespace to the Hub API
            is_needed = path != paths.INGRESS or address.namespace
            if is_needed and allows_external(items, side, address, port):
                used.add(address)
        return used
    if path == paths.USER_SCOPES:
        return {service.scope for service in site.services} & set(map(str, items))
    numbers = [as_map(item).get("port") if path == paths.EXTRA_PORTS else item for item in items]
    return ports & {as_number(number) for number in numbers}


def _belongs_to_service(site: Site, path: paths.KeyPath) -> bool:
    """Whether the list is in a service's own entry, or in the role of its token."""
    section, key, field = ("", "", "", *path)[-3:]
    fields = {"loadRoles": ("scopes", "services"), "services": ("oauth_client_allowed_scopes",)}
    names = {name for service in site.services for name in (service.key, service.name)}
    return key in names and field in fields.get(str(section), ())
