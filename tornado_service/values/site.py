"""A site as described by its values: services, the hub's name and version, findings."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ..hub.versions import REFUSES_64_CHARACTERS
from . import paths
from .deployment import HUB_ACCESS, HUB_PORT, LOOPBACK_ADDRESSES
from .merge import Values, as_list, as_map, as_maps, hub_service
from .web_app_addresses import WebAppAddress, parse_address

#: The name of the hub container's only port.
NAMED_PORTS = {"http": HUB_PORT}


@dataclass(frozen=True)
class ValuesFinding:
    """A failure: its path, its effect, and the fix."""

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
    def path(self) -> paths.KeyPath:
        return (*paths.SERVICES, self.key)

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

    def is_opened_by(self, scopes: list[str] | None) -> bool:
        return not {self.scope, "access:services"}.isdisjoint(scopes or ())


@dataclass(frozen=True)
class Role:
    """An entry of ``hub.loadRoles``."""

    key: str
    spec: dict[str, Any]

    @property
    def path(self) -> paths.KeyPath:
        return (*paths.ROLES, self.key)

    @property
    def name(self) -> Any:
        return self.spec.get("name", self.key)

    @property
    def scopes(self) -> list[str] | None:
        """The scopes that it sets; empty if it leaves them unchanged."""
        scopes = self.spec.get("scopes")
        return None if scopes is None else [str(scope) for scope in as_list(scopes)]

    @property
    def has_members(self) -> bool:
        return bool(self.spec.get("users") or self.spec.get("groups"))


def split_url(url: Any) -> SplitResult:
    try:
        return urlsplit(str(url or ""))
    except ValueError:  # such as http://[hub:8181
        return urlsplit("")


@dataclass
class Site:
    """Merged values, as interpreted by the chart and the hub."""

    values: Values
    #: the hub's version
    version: tuple[int, ...]
    release: str = ""
    #: the one service to check; empty: all
    service_name: str = ""

    @property
    def refuses_64_characters(self) -> bool:
        return self.version[:3] in REFUSES_64_CHARACTERS

    @cached_property
    def roles(self) -> list[Role]:
        return [Role(key, spec) for key, spec in self.values.submaps(*paths.ROLES).items()]

    def role(self, name: str) -> Role:
        """The role of a name, or an empty one."""
        return next((role for role in self.roles if role.name == name), Role(name, {}))

    @cached_property
    def all_services(self) -> list[Service]:
        services = self.values.submaps(*paths.SERVICES)
        return [Service(key, spec) for key, spec in services.items()]

    @cached_property
    def services(self) -> list[Service]:
        """The checked services: those with users, started by the hub or intended to be."""
        services, name = self.all_services, self.service_name
        if name:
            return [service for service in services if name in (service.name, service.key)]
        return [
            service
            for service in services
            if service.is_tornado_service
            or (service.command and service.spec.get("url"))
            or (self.is_external(service) and self.grants_itself(service))
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

    def is_external(self, service: Service) -> bool:
        """Whether something else than the hub runs a service: it has a Kubernetes Service."""
        return bool(not service.command and service.host and not self.points_to_hub(service))

    def external_address(self, service: Service) -> WebAppAddress | None:
        """The Kubernetes Service of an external service; None: the hub launches it, or it has
        another kind of address.
        """
        try:
            address = parse_address(str(service.spec.get("url")))
        except ValueError:
            return None
        is_pod = self.is_external(service) and address.namespace is not None
        return address if is_pod and not address.is_in_pod else None

    def grants_itself(self, service: Service) -> bool:
        """Whether the code of our values that gives access to a service is there."""
        code = self.values.map(*paths.EXTRA_CONFIG).get(f"~{service.name}-access")
        return isinstance(code, str) and service.scope in code

    def aliases(self, host: str) -> list[str]:
        """The addresses that host aliases give to a name in the hub's pod."""
        return [
            str(alias.get("ip"))
            for alias in as_maps(self.values.list(*paths.HOST_ALIASES))
            if host in map(str, as_list(alias.get("hostnames")))
        ]

    def has_loopback_alias(self, service: Service) -> bool:
        return not set(LOOPBACK_ADDRESSES).isdisjoint(self.aliases(service.host))

    @property
    def hub_loopback_addresses(self) -> set[str]:
        """The loopback addresses on which the hub listens, according to the values."""
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

    def finding(
        self, path: paths.KeyPath, consequence: str, fix: str, file: str = ""
    ) -> ValuesFinding:
        """A finding at a key of the chart's values, in the file that sets it or a map above it."""
        key = ".".join(map(str, (*self.values.root, *path)))
        return ValuesFinding(file or self.values.file_of(path), key, consequence, fix)
