"""Addresses of web apps outside of the hub's pod, and the rules that let the pod out to them."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

#: The label that every namespace has:
#: https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name
NAMESPACE = "kubernetes.io/metadata.name"

DEFAULT_PORTS = {"http": 80, "https": 443}

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class WebAppAddress:
    """The host and port of a web app's ``url``.

    Attributes:
        url: without path, as far as it was given.
        host: a name or an IP address.
        port: where the app listens; of a Kubernetes Service, the port of its pods.
    """

    url: str
    host: str
    port: int

    @property
    def ip(self) -> IPAddress | None:
        """The address itself, where the URL has one."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def is_in_pod(self) -> bool:
        """Whether it is the hub's own pod, to which no policy applies."""
        return self.host == "localhost" or bool(self.ip and self.ip.is_loopback)

    @property
    def namespace(self) -> str | None:
        """The namespace of a Kubernetes Service; empty: the hub's own. None: any other host.

        https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
        """
        labels = self.host.lower().rstrip(".").split(".")
        if len(labels) == 1:
            return None if self.ip else ""
        return labels[labels.index("svc", 2) - 1] if "svc" in labels[2:] else None

    @property
    def peer(self) -> dict[str, Any] | None:
        """The other end of a rule; None if it has to be an address that the URL does not tell."""
        if self.ip:
            return {"ipBlock": {"cidr": f"{self.ip}/{self.ip.max_prefixlen}"}}
        if self.namespace is None:
            return None
        if self.namespace:
            return {"namespaceSelector": {"matchLabels": {NAMESPACE: self.namespace}}}
        return {"podSelector": {}}

    @property
    def rule(self) -> dict[str, Any] | None:
        """The egress rule of a NetworkPolicy; None if the URL does not tell the address."""
        return {"to": [self.peer], "ports": [{"port": self.port}]} if self.peer else None


def parse_address(text: str) -> WebAppAddress:
    """The address of a URL, which ``=PORT`` may follow: the port of the Service's pods.

    ValueError: it is no URL of http or https.
    """
    given, pods_port = text, ""
    if found := re.fullmatch(r"(.*)=(\d+)", text):
        given, pods_port = found.groups()
    url = urlsplit(given)
    host = url.hostname or ""
    port = int(pods_port or url.port or DEFAULT_PORTS.get(url.scheme, 0))
    is_host = ":" in host or re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9.])?", host)
    if url.scheme not in DEFAULT_PORTS or not is_host or not 0 < port < 2**16:
        raise ValueError(text)
    netloc = url.netloc.rpartition("@")[2]  # without a password
    return WebAppAddress(f"{url.scheme}://{netloc}", host, port)
