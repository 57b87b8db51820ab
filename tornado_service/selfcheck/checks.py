"""All checks of the self-check, for the doctor and for a running service."""

import asyncio
from urllib.parse import urlsplit

from ..auth.service_auth import derive_cookie_secret
from ..network import is_loopback_host
from .findings import CheckedSetup, Finding
from .hub import check_hub
from .url import check_listening_address, check_proxy_path, check_url


async def run_checks(setup: CheckedSetup, include_proxy: bool = False) -> list[Finding]:
    """Run all checks, in some seconds at most; on request also the proxy's path to a pod."""
    hub, url = await asyncio.gather(check_hub(setup), _check_url(setup))
    is_reached = all(finding.state == "ok" for finding in url)
    findings = [*hub, *url, check_listening_address(setup, is_reached)]
    if include_proxy:
        findings += await check_proxy_path(setup)
    findings.append(check_cookie_secret(setup))
    return [*findings, *check_public_url(setup), *check_origin(setup)]


async def _check_url(setup: CheckedSetup) -> list[Finding]:
    """Check the service's URL; an external service need not know it."""
    return [await check_url(setup)] if setup.service_url else []


def check_cookie_secret(setup: CheckedSetup) -> Finding:
    if setup.cookie_secret == derive_cookie_secret(setup.token):
        message = "Cookies are signed with a key made from the service's token, and last as long."
        return Finding("cookie-secret", "ok", message)
    if len(setup.cookie_secret) >= 32:
        return Finding("cookie-secret", "ok", "Cookies are signed with a key from the settings.")
    variable = setup.variable("TORNADO_SERVICE_COOKIE_SECRET")
    message = "The key that signs cookies is shorter than 32 bytes."
    return Finding("cookie-secret", "wrong", message, f"{variable}, made by openssl rand -hex 32")


def check_public_url(setup: CheckedSetup) -> list[Finding]:
    if not setup.public_url:
        return []
    url = urlsplit(setup.public_url)
    message = f"Users connect to {setup.public_url}"
    if url.scheme == "https" or is_loopback_host(url.hostname or ""):
        return [Finding("public-url", "ok", f"{message}.")]
    message += ", without TLS, if the hub's settings are right."
    key = f"hub.config.JupyterHub.public_url: https://{url.netloc}{setup.base_url}"
    if setup.is_external:
        key = setup.variable("JUPYTERHUB_PUBLIC_URL", f"https://{url.netloc}{setup.prefix}")
    return [Finding("public-url", "unknown", message, key)]


def check_origin(setup: CheckedSetup) -> list[Finding]:
    """Check the protection from other users' servers, and from the network.

    A hub on a loopback address is for its own user, who needs neither.
    """
    origin = setup.public_url or setup.hub_host or setup.seen_origin
    url, hub, callback = map(urlsplit, (origin, setup.hub_host, setup.callback_url))
    if not url.hostname:
        return []
    if hub.hostname and callback.hostname and callback.hostname != hub.hostname:
        message = "The service has its own origin, set by c.JupyterHub.subdomain_host."
    elif url.scheme == "https":
        message = "Users connect by https; other users' servers share the service's origin."
    elif is_loopback_host(url.hostname):
        message = "Users connect from this machine only."
    else:
        message = (
            "The hub has neither c.JupyterHub.subdomain_host nor https: other users' servers share"
            " the service's origin, and their pages can act here as a user who opens them; so"
            " can the network. see SECURITY.md."
        )
        key = "c.JupyterHub.subdomain_host, with names and certificates for its subdomains"
        return [Finding("origin", "note", message, key, origin)]
    return [Finding("origin", "ok", message, value=origin)]
