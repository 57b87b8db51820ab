"""A site as its values describe it: the services, the hub's name and version, findings."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import SplitResult, urlsplit

from .deployment import HUB_ACCESS, HUB_PORT, LOOPBACK_ADDRESSES
from .merge import Values, as_list, as_map, hub_service
from .yaml_files.writer import KeyPath

#: What the hub's container calls its one port.
NAMED_PORTS = {"http": HUB_PORT}

EXTRA_PORTS = ("hub", "service", "extraPorts")
INGRESS = ("hub", "networkPolicy", "ingress")
HUB_EGRESS = ("hub", "networkPolicy", "egress")
PROXY_EGRESS = ("proxy", "chp", "networkPolicy", "egress")


@dataclass(frozen=True)
class ValuesFinding:
    """One thing that would fail: where, what happens, and what to write instead."""

    file: str
    key: str
    consequence: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.consequence} Write {self.fix}"


@dataclass(frozen=True)
class Service:
    """An entry of ``hub.services``."""

    key: str
    spec: dict[str, Any]

    @property
    def path(self) -> KeyPath:
        return ("hub", "services", self.key)

    @property
    def name(self) -> str:
        return str(self.spec.get("name") or self.key)

    @property
    def scope(self) -> str:
        return f"access:services!service={self.name}"

    @property
    def command(self) -> list[Any]:
        """The command's words; empty if the hub does not start the service."""
        command = self.spec.get("command") or []
        return command if isinstance(command, list) else [command]

    @property
    def url(self) -> SplitResult:
        """The parsed ``url``; empty if invalid."""
        return split_url(self.spec.get("url"))

    @property
    def host(self) -> str:
        return self.url.hostname or ""

    @property
    def port(self) -> int | None:
        """The port of ``url``, if there is one."""
        try:
            return self.url.port
        except ValueError:
            return None

    @property
    def is_tornado_service(self) -> bool:
        words = " ".join(map(str, self.command)).replace("-", "_")
        return "tornado_service" in words or self.name == "tornado-service"

    @property
    def environment(self) -> dict[str, Any]:
        return as_map(self.spec.get("environment"))


def split_url(url: Any) -> SplitResult:
    try:
        return urlsplit(str(url or ""))
    except ValueError:  # such as http://[hub:8181
        return urlsplit("")


class Site:
    """Merged values, with what the chart and the hub make of them."""

    def __init__(
        self, values: Values, version: tuple[int, ...], release: str = "", service_name: str = ""
    ) -> None:
        self.values = values
        self.version = version
        self.release = release
        self.service_name = service_name

    @cached_property
    def all_services(self) -> list[Service]:
        return [Service(key, spec) for key, spec in self.values.submaps("hub", "services")]

    @cached_property
    def services(self) -> list[Service]:
        """The checked services: those with users, started by the hub or meant to be."""
        return [
            service
            for service in self.all_services
            if (
                self.service_name in (service.name, service.key)
                if self.service_name
                else service.is_tornado_service or (service.command and service.spec.get("url"))
            )
        ]

    @cached_property
    def hub(self) -> str:
        """Name of the hub's Kubernetes Service; empty if it depends on an unknown release."""
        full_name = self.values.raw("fullnameOverride", default="")
        chart_name = self.values.get("nameOverride") or self.values.chart
        return hub_service(full_name, chart_name, self.release)

    def points_to_hub(self, service: Service) -> bool:
        first = service.host.split(".")[0]
        return first == self.hub if self.hub else first.endswith("-hub")

    @property
    def loopback_names(self) -> set[str]:
        """Names that resolve to loopback in the hub's pod."""
        return {
            name
            for alias in self.values.list("hub", "extraPodSpec", "hostAliases")
            if as_map(alias).get("ip") in LOOPBACK_ADDRESSES
            for name in map(str, as_list(alias.get("hostnames")))
        }

    @property
    def hub_loopback_addresses(self) -> set[str]:
        """The loopback addresses on which the hub listens, as far as values show."""
        bind_url = self.values.get("hub", "config", "JupyterHub", "hub_bind_url")
        host = split_url(bind_url).hostname or ""
        wildcards = dict(zip(("0.0.0.0", "::"), LOOPBACK_ADDRESSES, strict=True))  # noqa: S104 - only read
        only = wildcards.get(host, host)
        return {only} if only in LOOPBACK_ADDRESSES else set(LOOPBACK_ADDRESSES)

    def labels(self, component: str) -> dict[str, str]:
        """The labels of the hub's or the proxy's pod that a policy can select."""
        app = str(self.values.get("nameOverride", default=self.values.chart))
        labels = {
            "app": app,
            "component": component,
            "release": self.release,
            "app.kubernetes.io/name": app,
            "app.kubernetes.io/component": component,
            "app.kubernetes.io/instance": self.release,
            "hub.jupyter.org/network-access-singleuser": "true",
        }
        if component == "proxy":
            labels[HUB_ACCESS] = "true"
        return {**labels, **self.values.map(component, "labels")}

    def finding(self, path: KeyPath, consequence: str, fix: str) -> ValuesFinding:
        """A finding at a key of the chart's values, in the file that sets it or a map above it."""
        key = ".".join(map(str, (*self.values.root, *path)))
        return ValuesFinding(self.values.file_of(path), key, consequence, fix)
