"""A deployment: the parameters of the service in a cluster."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..apps.loader import custom_scopes
from . import names
from .merge import ValuesError
from .web_app_addresses import NAMESPACE, WebAppAddress

COMPONENT = "app.kubernetes.io/component"
INSTANCE = "app.kubernetes.io/instance"
NAME = "app.kubernetes.io/name"
HUB_ACCESS = "hub.jupyter.org/network-access-hub"
HUB_PORT = 8081

#: The built-in app, by the name of its entry point.
ACTIVITY = "activity"

#: Where the chart mounts the volume of the hub's database: the hub's working directory.
HUB_DIRECTORY = "/srv/jupyterhub"

#: The image of the release: the chart's version, then ours.
PUBLIC_IMAGE = "ghcr.io/tornado-service/k8s-hub-tornado-service:4.4.0-0.1.0"

#: A pod's loopback addresses. The hub listens on one or both of them, depending on its settings.
LOOPBACK_ADDRESSES = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class Deployment:
    """The parameters of a deployment."""

    name: str = "tornado-service"
    port: int = 8181
    #: the hub's Kubernetes Service
    hub: str = "hub"
    #: only needed if a namespace holds several
    release: str = ""
    base_url: str = "/"
    image: str = PUBLIC_IMAGE
    #: groups with access; empty: all users
    groups: Sequence[str] = ()
    #: import strings, and the scopes that those apps declare
    apps: Sequence[str] = ()
    service_scopes: Sequence[str] = ()
    user_scopes: Sequence[str] = ()
    #: web apps that run elsewhere, to which the hub's pod connects
    web_apps: Sequence[WebAppAddress] = ()
    #: call the Hub API at localhost, whatever the name of its Service
    loopback_api: bool = False
    #: namespace of an external service; empty: that of the hub
    namespace: str = ""

    @property
    def scope(self) -> str:
        return f"access:services!service={self.name}"

    @property
    def path(self) -> str:
        return f"{self.base_url.rstrip('/')}/services/{self.name}/"

    @property
    def custom_scopes(self) -> list[str]:
        """Custom scopes of the apps."""
        return custom_scopes([*self.service_scopes, *self.user_scopes])

    @property
    def external_host(self) -> str:
        """The Kubernetes Service of an external service, which our own chart names so."""
        return f"{self.name}.{self.namespace}.svc" if self.namespace else self.name

    @property
    def external_selector(self) -> dict[str, Any]:
        """The pods of an external service, in a NetworkPolicy."""
        selector: dict[str, Any] = {"podSelector": {"matchLabels": {NAME: self.name}}}
        if self.namespace:
            selector["namespaceSelector"] = {"matchLabels": {NAMESPACE: self.namespace}}
        return selector

    def pod_selector(self, component: str) -> dict[str, Any]:
        labels = {COMPONENT: component}
        if self.release:
            labels[INSTANCE] = self.release
        return {"podSelector": {"matchLabels": labels}}

    def validate(self, name_override: str) -> None:
        """ValuesError, if Kubernetes, Helm or JupyterHub refuse the resulting values."""
        image, _, tag = self.image.rpartition(":")
        wrong = f"--image={self.image}:"
        rules = [
            (
                names.SERVICE,
                self.name,
                f"--name={self.name}: it is also the name of a role and of a port, so",
            ),
            (names.RELEASE, self.release or "any", f"--release={self.release}: Helm takes"),
            (
                names.LABEL_VALUE,
                name_override,
                f"--name-override={name_override}: it is the value of a label, so",
            ),
            (
                names.KUBERNETES_SERVICE,
                self.hub,
                f"--fullname-override, --name-override and --release make {self.hub!r} of the"
                " hub's Kubernetes Service, which takes",
            ),
            (
                names.DNS_LABEL,
                self.namespace or "any",
                f"--namespace={self.namespace}: Kubernetes takes",
            ),
            (names.IMAGE, image, f"{wrong} its name takes"),
            (names.IMAGE_TAG, tag, f"{wrong} its tag takes"),
            *(
                (names.CUSTOM_SCOPE, scope, f"scope {scope} of an app: the hub takes")
                for scope in self.custom_scopes
            ),
        ]
        if self.name in names.RESERVED_NAMES:
            raise ValuesError(
                f"--name={self.name}: the hub or the chart has a role, service or port of it"
            )
        if self.port == HUB_PORT:
            raise ValuesError(f"--port={HUB_PORT} is the hub's own")
        if not image or "/" in tag:
            raise ValuesError(f"{wrong} write it as NAME:TAG")
        if not all(group.strip() for group in self.groups):
            raise ValuesError("--group= names no group")
        for rule, value, problem in rules:
            if not rule.allows(value):
                raise ValuesError(f"{problem} {rule.hint}")


def includes_activity(apps: Iterable[str]) -> bool:
    return any(app == ACTIVITY or app.startswith("tornado_service.activity") for app in apps)


def normalize_base_url(text: str) -> str:
    """The hub's base URL as in JupyterHub, with a slash at both ends."""
    path = "".join(f"/{part}" for part in text.split("/") if part)
    if not re.fullmatch(r"(/(?!\.{1,2}(/|$))[-A-Za-z0-9._~@+,=]+)*", path) or "://" in text:
        raise ValuesError(f"--base-url={text}: it is a path as in hub.baseUrl, such as /lab/")
    return f"{path}/"
