"""All checks of the self-check, for the doctor and for a service that runs."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from ..auth.service_auth import derived_cookie_secret
from ..network import is_local
from .findings import Finding, Setup
from .hub import look_at_hub
from .url import look_at_listening, look_at_url, look_from_outside


async def examine(setup: Setup, from_outside: bool = False) -> list[Finding]:
    """Look at everything, in some seconds at most.

    Args:
        setup: that of the service.
        from_outside: whether to look at the proxy's way to a pod, too.
    """
    hub, url, outside = await asyncio.gather(
        look_at_hub(setup), look_at_url(setup), _outside(setup, from_outside)
    )
    listening = look_at_listening(setup, url.state == "ok")
    return [
        *hub,
        url,
        listening,
        *outside,
        look_at_cookie_secret(setup),
        *look_at_public_url(setup),
        *look_at_origin(setup),
    ]


async def _outside(setup: Setup, wanted: bool) -> list[Finding]:
    return await look_from_outside(setup) if wanted else []


def look_at_cookie_secret(setup: Setup) -> Finding:
    """Whether cookies are signed with a good key, and how long that lasts."""
    if setup.cookie_secret == derived_cookie_secret(setup.token):
        message = "Cookies are signed with a key made from the service's token, and last as long."
        return Finding("cookie-secret", "ok", message)
    if len(setup.cookie_secret) >= 32:
        return Finding("cookie-secret", "ok", "Cookies are signed with a key from the settings.")
    return Finding(
        "cookie-secret",
        "wrong",
        "The key that signs cookies is shorter than 32 bytes.",
        f"{setup.key}.environment.TORNADO_SERVICE_COOKIE_SECRET, made by openssl rand -hex 32",
    )


def look_at_public_url(setup: Setup) -> list[Finding]:
    """Whether people come by https, as far as the hub says."""
    if not setup.public_url:
        return []
    url = urlsplit(setup.public_url)
    if url.scheme == "https" or is_local(url.hostname or ""):
        return [Finding("public-url", "ok", f"People come by {setup.public_url}.")]
    return [
        Finding(
            "public-url",
            "unknown",
            f"People come by {setup.public_url}, without TLS, if the hub's settings are right.",
            f"hub.config.JupyterHub.public_url: https://{url.netloc}{setup.hub_prefix[:-4]}",
        )
    ]


def look_at_origin(setup: Setup) -> list[Finding]:
    """What keeps other users' servers, and the network, from acting as a visitor.

    A hub on a loopback address is for its own user, who needs neither.
    """
    origin = setup.public_url or setup.hub_host or setup.seen_origin
    url, hub, callback = map(urlsplit, (origin, setup.hub_host, setup.callback_url))
    if not url.hostname:
        return []
    if hub.hostname and callback.hostname and callback.hostname != hub.hostname:
        message = "The service has an origin of its own, by c.JupyterHub.subdomain_host."
    elif url.scheme == "https":
        message = "Visitors come by https; other users' servers share the service's origin."
    elif is_local(url.hostname):
        message = "Visitors come from this machine alone."
    else:
        return [
            Finding(
                "origin",
                "note",
                "The hub has neither c.JupyterHub.subdomain_host nor https: other users' servers"
                " share the service's origin, and their pages can act here as a visitor who opens"
                " them; so can the network. SECURITY.md says how.",
                "c.JupyterHub.subdomain_host, with names and certificates for its subdomains",
                origin,
            )
        ]
    return [Finding("origin", "ok", message, value=origin)]
