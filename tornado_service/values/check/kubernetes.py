"""Names that Kubernetes refuses and that more than one key decides."""

from collections.abc import Iterator
from typing import Any

from .. import names
from ..deployment import HUB_PORT
from ..merge import as_map
from ..site import EXTRA_PORTS, Site, ValuesFinding

BASE_URL = ("hub", "baseUrl")


def check(site: Site) -> Iterator[ValuesFinding]:
    yield from _ports(site)
    yield from _hub_service(site)
    yield from _base_url(site)


def _ports(site: Site) -> Iterator[ValuesFinding]:
    used_names: list[Any] = ["hub"]
    used_ports: list[Any] = [HUB_PORT]
    for entry in map(as_map, site.values.list(*EXTRA_PORTS)):
        name, port = entry.get("name"), entry.get("port")
        if not names.DNS_LABEL.allows(name):
            yield site.finding(
                EXTRA_PORTS,
                f"Kubernetes refuses the name {name!r}: the hub's Service is not changed.",
                f"a name of {names.DNS_LABEL.hint}:"
                f" {names.suggest_name(str(name or 'http'), names.DNS_LABEL, 'port')}",
            )
        elif name in used_names:
            yield site.finding(
                EXTRA_PORTS, f"Kubernetes refuses a second port called {name}.", "another name."
            )
        if port in used_ports:
            yield site.finding(
                EXTRA_PORTS, f"Kubernetes refuses a second port {port}.", "another port."
            )
        used_names.append(name)
        used_ports.append(port)


def _hub_service(site: Site) -> Iterator[ValuesFinding]:
    if site.hub and not names.KUBERNETES_SERVICE.allows(site.hub):
        key = "fullnameOverride" if site.values.get("fullnameOverride") else "nameOverride"
        yield site.finding(
            (key,),
            f"Kubernetes refuses a Service called {site.hub}, which is the hub's.",
            f"a name of {names.KUBERNETES_SERVICE.hint}, with -hub.",
        )


def _base_url(site: Site) -> Iterator[ValuesFinding]:
    path = site.values.get(*BASE_URL)
    if not isinstance(path, str):
        return
    if "://" in path:
        yield site.finding(
            BASE_URL, "it is taken for a path, so the hub is nowhere.", "its path alone: /lab/"
        )
    elif path and not path.startswith("/") and site.values.get("ingress", "enabled") is True:
        yield site.finding(
            BASE_URL, "Kubernetes refuses the Ingress: its paths begin with a slash.", f"/{path}"
        )
