"""Inputs and findings of the self-check."""

import os
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from .._version import __version__
from ..auth.login_state import SignIns
from ..network import TLSFiles, port_of

FindingState = Literal["ok", "wrong", "note", "unknown"]

#: Loopback addresses of this machine or pod.
LOOPBACK_ADDRESSES = ("127.0.0.1", "::1")

#: The zero-to-jupyterhub chart puts this into the hub's container.
CHART_FILE = Path("/usr/local/etc/jupyterhub/z2jh.py")

#: Kubernetes puts the name of a pod's namespace here.
NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def pod_namespace() -> str:
    return NAMESPACE_FILE.read_text().strip() if NAMESPACE_FILE.exists() else ""


def is_in_pod() -> bool:
    """Whether this process runs in a pod of Kubernetes, which sets this variable in each.

    https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    """
    return "KUBERNETES_SERVICE_HOST" in os.environ


#: Titles of the checks for display.
TITLES = {
    "base-url": "Base URL of the hub",
    "cookie-secret": "Cookie secret",
    "hub-api": "Hub API",
    "hub-version": "JupyterHub version",
    "listening": "Listening address",
    "origin": "Origin of users' servers",
    "proxy": "Network policy",
    "public-url": "Public URL",
    "redirect": "Redirect after sign-in",
    "replicas": "Replicas",
    "scopes": "Scopes of the service",
    "service-port": "Service port",
    "sign-in": "OAuth client of the service",
    "token": "API token",
    "token-length": "Length of the API token",
    "url": "URL of the service",
}

#: The most urgent first.
BY_URGENCY: tuple[FindingState, ...] = ("wrong", "unknown", "note", "ok")


@dataclass(frozen=True)
class Finding:
    """The result of a check.

    Attributes:
        name: the check.
        state: ``note`` if it passed, but administrators should know more.
        message: one line of text.
        key: what to set, if something is wrong.
        value: the observed value, for clients.
    """

    name: str
    state: FindingState
    message: str
    key: str = ""
    value: str = ""

    @property
    def title(self) -> str:
        return TITLES.get(self.name, self.name)

    def __str__(self) -> str:
        return f"{self.message} Fix: {self.key}" if self.key else self.message


def unknown_findings(*names: str, needs: str = "be reached") -> list[Finding]:
    """Checks that have to wait until the Hub API can ``be reached``, or more than that."""
    message = f"The Hub API has to {needs} first."
    return [Finding(name, "unknown", message) for name in names]


@dataclass(frozen=True)
class CheckedSetup:
    """A service's settings, as far as the self-check needs them.

    Attributes:
        service_url: the URL at which the hub and its proxy reach it.
        ip: the address it listens on; empty for all.
        tls: the files of ``internal_ssl``, if the hub has it.
        required_scopes: the scopes that the service's own token needs.
        instance: the process that should respond at the URL; empty: any of ours.
        callback_url: where the hub redirects after sign-in; absolute if it has subdomains.
        hub_host: the hub's public origin, if it is configured.
        seen_origin: the origin of the first browser that signed in.
        in_chart: whether zero-to-jupyterhub runs the hub here.
        namespace: the pod's namespace, if any.
        is_external: whether something else than the hub has started the service.
        in_pod: whether this process runs in a pod.
        client_id: of the service's OAuth client, whose secret is the token.
        token_file: the file with the token, if any.
        version: that of this program.
        sign_ins: the number of sign-ins since the start.
    """

    name: str
    prefix: str
    service_url: str
    ip: str
    port: int
    api_url: str
    token: str = field(repr=False)
    cookie_secret: bytes = field(default=b"", repr=False)
    hub_prefix: str = "/hub/"
    public_url: str = ""
    callback_url: str = ""
    hub_host: str = ""
    seen_origin: str = ""
    tls: TLSFiles = field(default_factory=TLSFiles)
    required_scopes: frozenset[str] = frozenset()
    instance: str = ""
    in_chart: bool = False
    namespace: str = ""
    is_external: bool = False
    in_pod: bool = field(default_factory=is_in_pod)
    client_id: str = ""
    token_file: str = ""
    version: str = __version__
    sign_ins: SignIns = field(default_factory=SignIns)

    @property
    def host(self) -> str:
        return urlsplit(self.service_url).hostname or ""

    @property
    def url_port(self) -> int:
        return port_of(self.service_url)

    @property
    def api_path(self) -> str:
        return f"{self.hub_prefix.rstrip('/')}/api"

    @property
    def helm_key(self) -> str:
        return f"hub.services.{self.name}"

    @property
    def default_client_id(self) -> str:
        """The OAuth client that a hub makes for the service."""
        return f"service-{self.name}"

    @property
    def base_url(self) -> str:
        """The hub's base URL, such as ``/``."""
        return self.hub_prefix.removesuffix("hub/")

    def variable(self, name: str, value: str = "") -> str:
        """The setting of a variable in the service's environment."""
        if self.is_external:
            return f"{name}={value}" if value else name
        key = f"{self.helm_key}.environment.{name}"
        return f"{key}: {value}" if value else key

    def chart_keys(self, keys: str) -> str:
        """The keys of the service's own chart for a setting, if this is a pod of its own."""
        return f" (in the service's chart: {keys})" if self.is_external and self.in_pod else ""

    @property
    def token_fix(self) -> str:
        """The setting of the service's token, which the hub has in another place."""
        if not self.is_external:
            environment = f"{self.helm_key}.environment"
            return f"no JUPYTERHUB_API_TOKEN in {environment}, as the hub sets it by itself"
        source = "the token that the hub has for the service (api_token in c.JupyterHub.services;"
        source += f" with zero-to-jupyterhub {self.helm_key}.apiToken in the Secret of the hub)"
        if self.token_file:
            chart = self.chart_keys("token.existingSecret")
            return f"in {self.token_file}{chart} {source}; the service reads a new one by itself"
        return f"in JUPYTERHUB_API_TOKEN {source}; then restart the service"

    def origin_at(self, host: str) -> str:
        """The origin of the port that the service listens on, at a host."""
        scheme = "https" if self.tls.certfile else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def extra_ports(self) -> str:
        """The setting that opens the port on the hub's Kubernetes Service."""
        entry = f"{{name: {self.name}, port: {self.url_port}, targetPort: {self.port}}}"
        return f"hub.service.extraPorts: [{entry}]"

    @staticmethod
    def host_alias(host: str, current_addresses: Container[str]) -> str:
        """The setting that keeps requests to a name in the hub's pod; empty if already set."""
        if all(address in current_addresses for address in LOOPBACK_ADDRESSES):
            return ""
        entries = [f'{{ip: "{address}", hostnames: [{host}]}}' for address in LOOPBACK_ADDRESSES]
        return f"hub.extraPodSpec.hostAliases: [{', '.join(entries)}]"
