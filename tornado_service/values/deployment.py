"""A deployment: where in a cluster the service runs, and as what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..apps.loader import custom_scopes

COMPONENT = "app.kubernetes.io/component"
INSTANCE = "app.kubernetes.io/instance"
HUB_ACCESS = "hub.jupyter.org/network-access-hub"
HUB_PORT = 8081

PLACEHOLDER_IMAGE = "registry.example.org/k8s-hub-tornado-service:4.4.0-1"

#: The addresses of a pod's loopback. The hub listens on one of them or both, as its settings say.
LOOPBACK_ADDRESSES = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class Deployment:
    """What differs from one deployment to the next."""

    name: str = "tornado-service"
    port: int = 8181
    #: the hub's Kubernetes Service
    hub: str = "hub"
    #: only needed where a namespace holds several
    release: str = ""
    base_url: str = "/"
    image: str = PLACEHOLDER_IMAGE
    #: who may open it; nobody named: everyone
    groups: Sequence[str] = ()
    #: import strings, and what those apps declare
    apps: Sequence[str] = ()
    service_scopes: Sequence[str] = ()
    user_scopes: Sequence[str] = ()
    #: call the Hub API at localhost, whatever its Service is called
    loopback_api: bool = False

    @property
    def scope(self) -> str:
        return f"access:services!service={self.name}"

    @property
    def path(self) -> str:
        return f"{self.base_url.rstrip('/')}/services/{self.name}/"

    @property
    def custom_scopes(self) -> list[str]:
        """The scopes that apps have made up."""
        return custom_scopes([*self.service_scopes, *self.user_scopes])

    def pod_selector(self, component: str) -> dict[str, Any]:
        labels = {COMPONENT: component}
        if self.release:
            labels[INSTANCE] = self.release
        return {"podSelector": {"matchLabels": labels}}
