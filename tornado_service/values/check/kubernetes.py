"""Names that Kubernetes refuses: of ports, labels, files, Services and images."""

from collections.abc import Iterator
from typing import Any

from .. import names
from ..deployment import HUB_PORT
from ..merge import as_list, as_map
from ..site import EXTRA_PORTS, HUB_EGRESS, INGRESS, PROXY_EGRESS, Site, ValuesFinding

BASE_URL = ("hub", "baseUrl")


def check(site: Site) -> Iterator[ValuesFinding]:
    yield from _ports(site)
    for path in (INGRESS, HUB_EGRESS, PROXY_EGRESS):
        yield from _policy_ports(site, path)
    yield from _labels(site)
    yield from _files(site)
    yield from _hub_service(site)
    yield from _image(site)
    yield from _base_url(site)


def _ports(site: Site) -> Iterator[ValuesFinding]:
    known: list[Any] = ["hub"]
    numbers: list[Any] = [HUB_PORT]
    for entry in site.values.list(*EXTRA_PORTS):
        name, number = as_map(entry).get("name"), as_map(entry).get("port")
        target = as_map(entry).get("targetPort")
        if not names.DNS_LABEL.allows(name):
            yield site.finding(
                EXTRA_PORTS,
                f"Kubernetes refuses the name {name!r}: the hub's Service is not changed.",
                f"a name of {names.DNS_LABEL.hint}:"
                f" {names.suggest_name(str(name or 'http'), names.DNS_LABEL, 'port')}",
            )
        elif name in known:
            yield site.finding(
                EXTRA_PORTS, f"Kubernetes refuses a second port called {name}.", "another name."
            )
        if number in numbers:
            yield site.finding(
                EXTRA_PORTS, f"Kubernetes refuses a second port {number}.", "another port."
            )
        if isinstance(number, str):
            yield site.finding(
                EXTRA_PORTS, f'Kubernetes refuses the port "{number}", a text.', _port_fix(number)
            )
        if isinstance(target, str) and not names.CONTAINER_PORT.allows(target):
            yield site.finding(EXTRA_PORTS, _invalid_port_name(target), _port_fix(target))
        known.append(name)
        numbers.append(number)


def _policy_ports(site: Site, path: tuple[str, ...]) -> Iterator[ValuesFinding]:
    for rule in site.values.list(*path):
        for entry in as_list(as_map(rule).get("ports")):
            port = as_map(entry).get("port")
            if isinstance(port, str) and not names.CONTAINER_PORT.allows(port):
                yield site.finding(path, _invalid_port_name(port), _port_fix(port))


def _invalid_port_name(text: str) -> str:
    return f'Kubernetes takes "{text}", a text, for the name of a port, and refuses it.'


def _port_fix(text: str) -> str:
    if text.isdigit():
        return f"{text}, without quotes."
    return f"a number, or a name of {names.CONTAINER_PORT.hint}."


def _labels(site: Site) -> Iterator[ValuesFinding]:
    for component in ("hub", "proxy"):
        for key, value in site.values.map(component, "labels").items():
            path = (component, "labels", key)
            refuses = f"Kubernetes refuses the Deployment {component}"
            if not names.LABEL_KEY.allows(str(key)):
                yield site.finding(
                    path, f"{refuses}: this is no name of a label.", names.LABEL_KEY.hint
                )
            elif isinstance(value, str) and not names.LABEL_VALUE.allows(value):
                yield site.finding(
                    path,
                    f"{refuses}: a label does not take this value.",
                    f"{names.LABEL_VALUE.hint}; or an annotation.",
                )


def _files(site: Site) -> Iterator[ValuesFinding]:
    for component in ("hub", "singleuser"):
        for key in site.values.map(component, "extraFiles"):
            if not names.SECRET_KEY.allows(str(key)):
                yield site.finding(
                    (component, "extraFiles", key),
                    "Kubernetes refuses the Secret with the files: this is a key in it.",
                    f"a name of {names.SECRET_KEY.hint}; where the file goes is its mountPath.",
                )


def _hub_service(site: Site) -> Iterator[ValuesFinding]:
    if site.hub and not names.KUBERNETES_SERVICE.allows(site.hub):
        key = "fullnameOverride" if site.values.get("fullnameOverride") else "nameOverride"
        yield site.finding(
            (key,),
            f"Kubernetes refuses a Service called {site.hub}, which is the hub's.",
            f"a name of {names.KUBERNETES_SERVICE.hint}, with -hub.",
        )
    chart_name = site.values.get("nameOverride", default="")
    if isinstance(chart_name, str) and not names.LABEL_VALUE.allows(chart_name):
        yield site.finding(
            ("nameOverride",),
            "it is the value of a label, and Kubernetes refuses it.",
            f"a name of {names.LABEL_VALUE.hint}.",
        )


def _image(site: Site) -> Iterator[ValuesFinding]:
    rules = {"name": names.IMAGE, "tag": names.IMAGE_TAG}
    for field, rule in rules.items():
        value = site.values.get("hub", "image", field)
        if isinstance(value, str) and value and not rule.allows(value):
            yield site.finding(
                ("hub", "image", field),
                f"no image has the {field} {value}: the hub's pod stays at InvalidImageName.",
                f"a {field} of {rule.hint}.",
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
