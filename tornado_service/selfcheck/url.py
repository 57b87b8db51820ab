"""Checks that the service's URL leads to this process, as the hub and its proxy require."""

import re
import ssl
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from ..network import is_loopback_host
from . import probe
from .findings import CheckedSetup, Finding, FindingState

#: A response repeats this request header: it identifies the process.
INSTANCE_HEADER = "X-Instance"

#: With it comes this one: the service's name and the version of the program.
SERVICE_HEADER = "X-Service"

_PROXY = "{podSelector: {matchLabels: {app.kubernetes.io/component: proxy}}}"
_HUB = "{podSelector: {matchLabels: {app.kubernetes.io/component: hub}}}"
_HUB_EXITS = "A hub that does not reach a service that it launched exits."


class Responder(NamedTuple):
    """The process that responds somewhere; the instance is empty for any other server.

    Attributes:
        service: its name and version; empty for earlier versions.
    """

    instance: str
    service: str = ""


def service_id(setup: CheckedSetup) -> str:
    """The name and version that this process has in ``SERVICE_HEADER``."""
    return f"{setup.name} {setup.version}"


async def check_url(setup: CheckedSetup) -> Finding:
    if setup.in_chart and is_loopback_host(setup.host):
        key = f"{setup.helm_key}.url: http://hub:{setup.url_port}, the name of the hub's Kubernetes"
        message = f"The service's url is {setup.service_url}, which in the proxy's pod is the proxy"
        return Finding("url", "wrong", f"{message} itself.", f"{key} Service")
    try:
        responder = await responder_at(setup, setup.service_url)
    except probe.ProbeError as error:
        if setup.is_external:
            return _external_url_unreachable(setup, error)
        return _url_unreachable(setup, error)
    instance = responder.instance
    is_other = bool(instance and setup.instance and instance != setup.instance)
    if is_other and setup.is_external and responder.service.partition(" ")[0] == setup.name:
        return _other_replica(setup, responder)
    if not instance or is_other:
        other = "another process of this service, maybe left by an earlier hub"
        message = f"The process that responds at the service's url {setup.service_url} is"
        if setup.is_external:
            other = "another service"
        message += f" {other if instance else 'not ours'}."
        return Finding("url", "wrong", message, _port_fix(setup))
    return Finding("url", "ok", f"The service's url {setup.service_url} leads to this process.")


def _other_replica(setup: CheckedSetup, responder: Responder) -> Finding:
    """A load balancer may send each request to another replica of an external service."""
    message = f"The service's url {setup.service_url} leads to another replica of the service"
    if responder.service == service_id(setup):
        return Finding("url", "ok", f"{message}.")
    version = responder.service.partition(" ")[2]
    message += f", which runs version {version}, this one {setup.version}: an update, or two."
    return Finding("url", "unknown", message)


async def responder_at(setup: CheckedSetup, origin: str) -> Responder:
    """The process that serves at an origin.

    Raises:
        ProbeError: none responds.
    """
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE  # only its identity is checked
    try:
        response = await probe.get(f"{origin}{setup.prefix}health", {INSTANCE_HEADER: "?"}, tls)
    except probe.ProbeError as error:
        # with internal_ssl only the hub and its proxy have access; our certificate is sufficient
        if _certificate(setup) in error.certificates:
            return Responder(setup.instance or "certificate")
        raise
    headers = response.headers
    return Responder(headers.get(INSTANCE_HEADER, ""), headers.get(SERVICE_HEADER, ""))


def _certificate(setup: CheckedSetup) -> bytes | None:
    file = setup.tls.certfile
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    match = re.search(f"{begin}.*?{end}", Path(file).read_text(), re.DOTALL) if file else None
    return ssl.PEM_cert_to_DER_cert(match[0]) if match else None


def _url_unreachable(setup: CheckedSetup, error: probe.ProbeError) -> Finding:
    message = f"The service's url {setup.service_url} does not respond yet: {error}. {_HUB_EXITS}"
    if is_loopback_host(setup.host) or error.reason in ("url", "tls", "silent", "closed"):
        key = _url_fix(setup)
    elif error.reason == "name":
        key = f"{setup.helm_key}.url: the name of the hub's Kubernetes Service"
        key += f", and port {setup.url_port}"
    elif error.reason == "refused":
        message += f" In Kubernetes: the Service {setup.host} has no port {setup.url_port}, or the"
        message += " hub's pod is not Ready, which passes."
        key = setup.extra_ports
        if alias := setup.host_alias(setup.host, error.addresses):
            key += f", and {alias}, which waits for nothing"
    else:
        message += " In Kubernetes: a network policy keeps the hub's own pod from it, or the"
        message += f" Service {setup.host} has no port {setup.url_port}."
        rule = f"{{ports: [{{port: {setup.port}}}], from: [{_PROXY}, {_HUB}]}}"
        key = f"hub.networkPolicy.ingress: [{rule}]"
        key += f", or hub.networkPolicy.allowedIngressPorts: [{setup.port}]"
        if alias := setup.host_alias(setup.host, error.addresses):
            key += f", or {alias}"
        key += f"; and {setup.extra_ports}"
    return Finding("url", "wrong", message, key)


def _external_url_unreachable(setup: CheckedSetup, error: probe.ProbeError) -> Finding:
    """The hub's proxy has to reach the URL; this process may be where it cannot."""
    message = f"The service's url {setup.service_url} does not respond here: {error}. The hub's"
    message += " proxy sends users there."
    state: FindingState = "wrong"
    key = f"the service's url at the hub, and JUPYTERHUB_SERVICE_URL: {_right_url(setup)}"
    if setup.in_pod:
        message += f" In Kubernetes: the Service {setup.host} has no port {setup.url_port} or no"
        message += " pod that is Ready, or a network policy keeps this pod from it, which is right."
        key = f"{setup.helm_key}.url: http://SERVICE:PORT of this service's Kubernetes Service, if"
        key += " users see 503 or 504"
    if error.reason != "url" and (setup.in_pod or error.reason in ("name", "dropped", "no-route")):
        state = "unknown"
    return Finding("url", state, message, key)


def _url_fix(setup: CheckedSetup) -> str:
    right = _right_url(setup)
    if right == setup.service_url:
        return _port_fix(setup)
    return f"{_url_key(setup)}: {right}"


def _right_url(setup: CheckedSetup) -> str:
    return setup.origin_at((is_loopback_host(setup.host) and setup.ip) or setup.host)


def _port_fix(setup: CheckedSetup) -> str:
    return f"another port in {_url_key(setup)}, unless what listens there can be stopped"


def _url_key(setup: CheckedSetup) -> str:
    """The setting of the URL: a loopback URL is hardly from Helm values."""
    if setup.is_external:
        return "the service's url at the hub and JUPYTERHUB_SERVICE_URL"
    if is_loopback_host(setup.host):
        return "the service's url in jupyterhub_config.py"
    return f"{setup.helm_key}.url"


def check_listening_address(setup: CheckedSetup, url_reaches_service: bool) -> Finding:
    where = f"The service listens on port {setup.port} of {setup.ip or 'all interfaces'}"
    if setup.is_external and (url_reaches_service or not setup.service_url):
        return Finding("listening", "ok", f"{where}.")
    if is_loopback_host(setup.ip) and not is_loopback_host(setup.host):
        message = f"{where}, where the proxy cannot come from another pod or machine."
        return Finding("listening", "wrong", message, "no TornadoService.ip (--ip)")
    if setup.port == setup.url_port or url_reaches_service:
        return Finding("listening", "ok", f"{where}.")
    message = f"{where}, its url names port {setup.url_port}, and nothing leads from there to here."
    key = f"no TornadoService.port (--port), or {setup.helm_key}.url with port {setup.port}"
    if setup.is_external:
        # the port of a Kubernetes Service is often another one
        state: FindingState = "unknown" if setup.in_pod else "wrong"
        return Finding("listening", state, message, _listening_key(setup))
    return Finding("listening", "wrong", message, f"{key}, or {setup.extra_ports}")


def _listening_key(setup: CheckedSetup) -> str:
    return f"--port={setup.url_port}, or port {setup.port} in {_url_key(setup)}"


async def check_proxy_path(setup: CheckedSetup) -> list[Finding]:
    """Check the proxy's path in a pod, which the service's own URL does not show.

    With a host alias the URL's name resolves to the pod itself; the Kubernetes Service, which the
    proxy uses, then has a longer name. It refuses connections until the pod is Ready.
    """
    if setup.is_external:
        return _external_proxy_path(setup)
    if not setup.namespace or is_loopback_host(setup.host):
        return []
    findings = []
    if "." not in setup.host:
        with suppress(probe.ProbeError):
            if all(map(is_loopback_host, await probe.resolve(setup.host))):
                findings = await _check_kubernetes_service(setup)
    message = f"Whether the proxy's pod gets to {setup.service_url} cannot be seen from here."
    message += " If users see 503 or 504, it does not."
    key = f"proxy.chp.networkPolicy.egress: [{{to: [{_HUB}], ports: [{{port: {setup.port}}}]}}]"
    key += f", and {_PROXY} in hub.networkPolicy.ingress"
    return [*findings, Finding("proxy", "unknown", message, key)]


def _external_proxy_path(setup: CheckedSetup) -> list[Finding]:
    if not setup.in_pod:
        return []
    message = f"Whether the proxy's pod gets to {setup.service_url or 'this pod'} cannot be seen"
    message += " from here. If users see 503 or 504, it does not."
    key = "proxy.chp.networkPolicy.egress, as tornado-service values --external writes it, and the"
    key += f" proxy's pod in the ingress of this pod's network policy, port {setup.port}"
    return [Finding("proxy", "unknown", message, key)]


async def _check_kubernetes_service(setup: CheckedSetup) -> list[Finding]:
    scheme = urlsplit(setup.service_url).scheme
    name = f"{setup.host}.{setup.namespace}.svc"
    state: FindingState = "ok"
    try:
        await responder_at(setup, f"{scheme}://{name}:{setup.url_port}")
        message = f"The Kubernetes Service {setup.host} has port {setup.url_port}."
    except probe.ProbeError as error:
        if error.reason == "name":
            return []
        state = "wrong" if error.reason == "refused" else "unknown"
        message = (
            f"Port {setup.url_port} of the Kubernetes Service {setup.host} does not respond,"
            f" where the proxy expects the service: {error}."
        )
    key = setup.extra_ports if state != "ok" else ""
    return [Finding("service-port", state, message, key)]
