"""Where a request comes from: our own origin, or another one."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders

from ..telemetry.redaction import visitor_text
from .request_cache import READ_ONLY


def is_own_url(url: str, headers: HTTPHeaders, public_host: str) -> bool:
    """Whether a URL or an origin is on our own host and port, as browsers see them.

    Args:
        url: the value of a header ``Origin`` or ``Referer``.
        headers: those of the request.
        public_host: host and port in the hub's public URL; empty if unknown.
    """
    forwarded = headers.get("X-Forwarded-Host", "")  # scripts cannot set it
    ours = {headers.get("Host", ""), public_host, *forwarded.split(",")}
    try:
        host = urlsplit(url).netloc.lower()
    except ValueError:  # it is not a URL
        return False
    return bool(host) and host in {name.strip().lower() for name in ours}


def is_allowed_origin(method: str, headers: HTTPHeaders, public_host: str) -> bool:
    """Whether a request with a cookie may come from where it comes from.

    One that changes something, or opens a WebSocket, has to come from a page of our own origin.
    Reading requests may also come from outside of any page, and from links and frames of other
    sites, which cannot read the response: ``frame-ancestors`` decides whether it is shown. See
    https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html#fetch-metadata-headers

    Args:
        method: of the request.
        headers: those of the request.
        public_host: host and port in the hub's public URL; empty if unknown.
    """
    site = headers.get("Sec-Fetch-Site")
    if method in READ_ONLY and headers.get("Upgrade", "").lower() != "websocket":
        return site in (None, "none", "same-origin") or headers.get("Sec-Fetch-Mode") == "navigate"
    if site is not None:
        return site == "same-origin"
    source = headers.get("Origin") or headers.get("Referer", "")
    return is_own_url(source, headers, public_host)


#: Origins that are logged; any page may send one.
MAX_LOGGED_ORIGINS = 20


class RefusedOrigins:
    """Logs once for each origin why requests of its pages are refused, if a setting may fix it.

    A proxy in front of the hub may send its own address as ``Host``: pages of ours then have
    another origin than the one in their requests.

    Args:
        log: the service's log.
        prefix: the service's path.
    """

    def __init__(self, log: logging.Logger, prefix: str) -> None:
        self._log = log
        self._prefix = prefix
        self._logged: set[str] = set()

    def log(self, headers: HTTPHeaders) -> None:
        """Log a refused request, unless its origin was logged or the browser calls it foreign."""
        origin = headers.get("Origin", "")
        foreign = headers.get("Sec-Fetch-Site") not in (None, "same-origin")
        if foreign or origin in self._logged or len(self._logged) >= MAX_LOGGED_ORIGINS:
            return
        if not origin.startswith(("http://", "https://")):  # such as "null"
            return
        self._logged.add(origin)
        shown = visitor_text(origin)
        self._log.warning(
            "A page at %s was refused, as the request's Host is %s. If users open the service at"
            " that origin, set JUPYTERHUB_PUBLIC_URL to %s%s, or have the proxy in front of the hub"
            " send the Host that it gets.",
            shown,
            visitor_text(headers.get("Host", "")),
            shown,
            self._prefix,
        )
