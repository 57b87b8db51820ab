"""The headers of a response to a visitor: the app's, limited to its own part of the site."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from functools import partial

from ..exchange import Headers
from ..paths import AppPaths, Locations, has_dot_segments
from .cookies import CookieRules
from .raw import RawHeaders
from .request import HOP_BY_HOP, connection_options, spelled_alike

#: They are for all of the site, of which an app has a part only: they would sign visitors out of
#: the hub, send its other pages to another server or protocol, or have the browser report the URLs
#: of all pages (``NEL``, https://www.w3.org/TR/network-error-logging/).
FOR_THE_SITE = frozenset({"alt-svc", "clear-site-data", "nel", "strict-transport-security"})

#: All whose values are changed, or that are dropped.
CHANGED = FOR_THE_SITE | {
    "content-location",
    "location",
    "refresh",
    "service-worker-allowed",
    "set-cookie",
}

#: Fields that must not come after the body (RFC 9110, section 6.5.1).
NOT_IN_TRAILERS = frozenset(
    {
        "authorization",
        "cache-control",
        "content-encoding",
        "content-length",
        "content-location",
        "content-range",
        "content-security-policy",
        "content-type",
        "host",
        "location",
        "refresh",
        "set-cookie",
        "trailer",
        "www-authenticate",
    }
)

#: Some HTTP parsers, as that of the hub's proxy, refuse a response with them (RFC 9110, 5.5).
_CONTROL_CHARACTER = re.compile("[\x00-\x08\x0a-\x1f\x7f]")

#: The directive in a policy, or in one of several that are joined by commas.
_FRAME_ANCESTORS = re.compile(r"(?:^|[;,])\s*frame-ancestors(?![\w-])", re.IGNORECASE)

#: Directives by which an app lets shared caches give its responses to others.
_FOR_OTHERS = frozenset({"public", "s-maxage"})


@dataclass
class ResponseRules:
    """How the headers of an app's response are changed.

    Attributes:
        paths: those of the app.
        locations: puts URLs under the app's prefix.
        cookies: which cookies pass.
        frame_ancestors: the sites whose pages may show the app in a frame, if it does not say so in
            a ``Content-Security-Policy`` of its own.
        request_path: of the visitor's request.
    """

    paths: AppPaths
    locations: Locations
    cookies: CookieRules
    frame_ancestors: str
    request_path: str

    def make_headers(self, status: int, sent: Headers) -> RawHeaders:
        """The headers for the visitor, without those of the connection.

        Args:
            status: of the response.
            sent: the app's headers, with its spelling.
        """
        headers = self._pass(sent)
        if status < 200 or status == 204:  # RFC 9110, section 8.6
            headers.discard("Content-Length")
        if not self.request_path.startswith(self._folder):
            # else a service worker at this path could have all apps of the service
            headers["Service-Worker-Allowed"] = self._folder
        if status >= 200 and status != 304:  # that replaces headers of the response in the cache
            policies = headers.get_list("Content-Security-Policy")
            if not any(map(_FRAME_ANCESTORS.search, policies)):
                # one more policy: browsers apply each
                ancestors = self._frame_ancestors(headers)
                headers.add("Content-Security-Policy", f"frame-ancestors {ancestors}")
            _keep_private(headers)
        elif "Cache-Control" in headers:
            _keep_private(headers)
        return headers

    @property
    def _folder(self) -> str:
        return f"{self.paths.prefix}/"

    def _frame_ancestors(self, headers: RawHeaders) -> str:
        """The configured ones, and our own pages unless the app forbids frames.

        Browsers ignore ``X-Frame-Options`` beside ``frame-ancestors``
        (https://www.w3.org/TR/CSP3/#frame-ancestors-and-frame-options).
        """
        options = ",".join(headers.get_list("X-Frame-Options")).lower().split(",")
        if "deny" not in map(str.strip, options):
            return self.frame_ancestors
        others = [site for site in self.frame_ancestors.split() if site != "'self'"]
        return " ".join(others) or "'none'"

    def make_trailers(self, sent: Headers) -> RawHeaders:
        """The fields after the body, without those that must not be there."""
        fields = self._pass(sent)
        for name in NOT_IN_TRAILERS:
            fields.discard(name)
        return fields

    def _pass(self, sent: Headers) -> RawHeaders:
        headers = RawHeaders(
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in sent]
        )
        headers.change(partial(self._change, connection_options(headers)))
        return headers

    def _change(self, named: Set[str], name: str, value: str) -> str | None:
        if name in HOP_BY_HOP or (named and spelled_alike(name) in named):
            return None
        if _CONTROL_CHARACTER.search(value):
            return None
        if name not in CHANGED:
            return value
        if name == "set-cookie":
            return self.cookies.for_visitor(value, self.paths, self.request_path)
        if name in ("location", "content-location"):
            return self.locations.translate(value)
        if name == "refresh":
            return self.locations.translate_refresh(value)
        if name == "service-worker-allowed":
            # the slash counts: scopes are compared character by character
            is_own = value.startswith(self._folder) and not has_dot_segments(value)
            return value if is_own else self._folder
        return None


def _keep_private(headers: RawHeaders) -> None:
    """Keep a response for the user who has got it, as the app does not know that users sign in.

    Without any directive, browsers may show it for months
    (https://www.rfc-editor.org/rfc/rfc9111#section-4.2.2), also after the user has signed out.
    """
    if "Cache-Control" not in headers:
        headers.add("Cache-Control", "private" if "Expires" in headers else "private, no-cache")
        return
    value = headers["Cache-Control"]
    directives = [directive.strip() for directive in value.split(",")]
    if {"no-store", "private"} & {directive.lower() for directive in directives}:
        return
    kept = [one for one in directives if one.partition("=")[0].strip().lower() not in _FOR_OTHERS]
    headers["Cache-Control"] = ", ".join([*filter(None, kept), "private"])
