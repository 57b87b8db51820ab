"""Whether the service's URL leads to this process, as the hub and its proxy need it to."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from ..network import is_local
from . import probe
from .findings import Finding, Setup, State

#: A request with this header is answered with it: which process serves here.
INSTANCE_HEADER = "X-Instance"

_PROXY = "{podSelector: {matchLabels: {app.kubernetes.io/component: proxy}}}"
_HUB = "{podSelector: {matchLabels: {app.kubernetes.io/component: hub}}}"
_EXITS = "A hub that does not reach a service that it launched exits."


async def look_at_url(setup: Setup) -> Finding:
    """Whether a request to our own URL comes back to us."""
    if setup.in_chart and is_local(setup.host):
        return _proxy_is_elsewhere(setup)
    try:
        found = await who_answers(setup, setup.service_url)
    except probe.NoAnswer as error:
        return _no_answer(setup, error)
    if not found or (setup.instance and found != setup.instance):
        return _somebody_else(setup, found)
    return Finding("url", "ok", f"The service's url {setup.service_url} leads to this process.")


async def who_answers(setup: Setup, origin: str) -> str:
    """The instance that serves at an address; empty for anything that is not ours.

    Args:
        setup: that of the service.
        origin: the address without a path.

    Raises:
        NoAnswer: nothing does.
    """
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE  # it is only looked at
    try:
        answer = await probe.get(f"{origin}{setup.prefix}health", {INSTANCE_HEADER: "?"}, tls)
    except probe.NoAnswer as error:
        # with internal_ssl only the hub and its proxy may come in; our certificate is enough
        if _certificate(setup) in error.certificates:
            return setup.instance or "certificate"
        raise
    return answer.headers.get(INSTANCE_HEADER, "")


def _certificate(setup: Setup) -> bytes | None:
    file = setup.tls.certfile
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    found = re.search(f"{begin}.*?{end}", Path(file).read_text(), re.DOTALL) if file else None
    return ssl.PEM_cert_to_DER_cert(found[0]) if found else None


def _proxy_is_elsewhere(setup: Setup) -> Finding:
    return Finding(
        "url",
        "wrong",
        f"The service's url is {setup.service_url}, which in the proxy's pod is the proxy itself.",
        f"{setup.key}.url: http://hub:{setup.url_port}, the name of the hub's Kubernetes Service",
    )


def _no_answer(setup: Setup, error: probe.NoAnswer) -> Finding:
    message = f"Nothing answers at the service's url {setup.service_url} yet: {error}. {_EXITS}"
    if is_local(setup.host) or error.why in ("url", "tls", "silent", "closed"):
        key = _right_url(setup)
    elif error.why == "name":
        key = (
            f"{setup.key}.url: the name of the hub's Kubernetes Service, and port {setup.url_port}"
        )
    elif error.why == "refused":
        message += (
            f" In Kubernetes: the Service {setup.host} has no port {setup.url_port}, or the hub's"
            " pod is not Ready, which passes."
        )
        key = setup.extra_ports
        if alias := setup.alias(setup.host, error.addresses):
            key += f", and {alias}, which waits for nothing"
    else:
        message += (
            " In Kubernetes: a network policy keeps the hub's own pod from it, or the Service"
            f" {setup.host} has no port {setup.url_port}."
        )
        key = (
            f"hub.networkPolicy.ingress: [{{ports: [{{port: {setup.port}}}], from:"
            f" [{_PROXY}, {_HUB}]}}], or hub.networkPolicy.allowedIngressPorts: [{setup.port}]"
        )
        if alias := setup.alias(setup.host, error.addresses):
            key += f", or {alias}"
        key += f"; and {setup.extra_ports}"
    return Finding("url", "wrong", message, key)


def _right_url(setup: Setup) -> str:
    host = setup.ip if is_local(setup.host) and setup.ip else setup.host
    host = f"[{host}]" if ":" in host else host
    scheme = "https" if setup.tls.certfile else "http"
    right = f"{scheme}://{host}:{setup.port}"
    if right == setup.service_url:
        return _another_port(setup)
    return f"{_url_key(setup)}: {right}"


def _another_port(setup: Setup) -> str:
    return f"another port in {_url_key(setup)}, unless what listens there can be stopped"


def _url_key(setup: Setup) -> str:
    """Where the URL is set: one that leads to this machine is hardly one of Helm's values."""
    return (
        "the service's url in jupyterhub_config.py" if is_local(setup.host) else f"{setup.key}.url"
    )


def _somebody_else(setup: Setup, found: str) -> Finding:
    who = "another process of this service, maybe left by an earlier hub" if found else "not ours"
    return Finding(
        "url",
        "wrong",
        f"What answers at the service's url {setup.service_url} is {who}.",
        _another_port(setup),
    )


def look_at_listening(setup: Setup, leads_here: bool) -> Finding:
    """Whether we listen where others look for us.

    Args:
        setup: that of the service.
        leads_here: whether our URL was seen to lead here.
    """
    where = f"The service listens on port {setup.port} of {setup.ip or 'all interfaces'}"
    if is_local(setup.ip) and not is_local(setup.host):
        message = f"{where}, where the proxy cannot come from another pod or machine."
        return Finding("listening", "wrong", message, "no TornadoService.ip (--ip)")
    if setup.port == setup.url_port or leads_here:
        return Finding("listening", "ok", f"{where}.")
    return Finding(
        "listening",
        "wrong",
        f"{where}, its url names port {setup.url_port}, and nothing leads from there to here.",
        f"no TornadoService.port (--port), or {setup.key}.url with port {setup.port}, or"
        f" {setup.extra_ports}",
    )


async def look_from_outside(setup: Setup) -> list[Finding]:
    """What in a pod cannot be seen by our URL alone: the way that the proxy takes.

    With a host alias the URL's name leads to the pod itself; the Kubernetes Service, by which the
    proxy comes, then has a longer name. It refuses connections until the pod is Ready.
    """
    if not setup.namespace or is_local(setup.host):
        return []
    findings = []
    if "." not in setup.host and await _is_alias(setup.host):
        findings = await _look_at_service(setup)
    proxy = Finding(
        "proxy",
        "unknown",
        f"Whether the proxy's pod gets to {setup.service_url} cannot be seen from here. If people"
        " read 503 or 504, it does not.",
        f"proxy.chp.networkPolicy.egress: [{{to: [{_HUB}], ports: [{{port: {setup.port}}}]}}], and"
        f" {_PROXY} in hub.networkPolicy.ingress",
    )
    return [*findings, proxy]


async def _is_alias(host: str) -> bool:
    try:
        return all(is_local(address) for address in await probe.resolve(host))
    except probe.NoAnswer:
        return False


async def _look_at_service(setup: Setup) -> list[Finding]:
    scheme = urlsplit(setup.service_url).scheme
    name = f"{setup.host}.{setup.namespace}.svc"
    state: State = "ok"
    try:
        await who_answers(setup, f"{scheme}://{name}:{setup.url_port}")
        message = f"The Kubernetes Service {setup.host} has port {setup.url_port}."
    except probe.NoAnswer as error:
        if error.why == "name":
            return []
        state = "wrong" if error.why == "refused" else "unknown"
        message = (
            f"Nothing answers at port {setup.url_port} of the Kubernetes Service {setup.host},"
            f" where the proxy looks for the service: {error}."
        )
    key = setup.extra_ports if state != "ok" else ""
    return [Finding("service-port", state, message, key)]
