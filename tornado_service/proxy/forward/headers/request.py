"""The headers of a request to an app: the visitor's, without credentials, and who they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from tornado.httputil import HTTPHeaders

from .cookies import CookieRules
from .raw import RawHeaders
from .tokens import without_tokens

#: For one connection only (RFC 9110, section 7.6.1), in both directions.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "transfer-encoding",
        "upgrade",
    }
)

#: The service sets these itself, or answers them (``Expect``); ``Trailer`` announces fields that
#: Tornado does not accept in requests.
OWN = frozenset({"content-length", "expect", "host", "trailer"})

#: Names by which proxies tell an app who the visitor is and where the request comes from; gunicorn
#: takes its prefix from ``SCRIPT_NAME``, and CGI a proxy for the app's own requests from ``Proxy``.
IDENTITY = frozenset(
    {
        "forwarded",
        "proxy",
        "remote-user",
        "script-name",
        "x-client-ip",
        "x-forwarded",
        "x-real-ip",
        "x-remote-user",
        "x-request-id",
        "x-scheme",
        "x-script-name",
    }
)
IDENTITY_PREFIXES = ("x-forwarded-", "x-remote-", "x-auth-request-", "x-webauth-")

#: Names of headers, users and groups that are remembered, of each.
NAMES = 1000

#: Servers in the tradition of CGI take any other character of a name for an underscore.
_OTHER_CHARACTER = re.compile("[^a-z0-9]")

#: Characters of names that need no percent-encoding: the visible ones, without those that separate
#: names, mark an encoding, or mark a kind of account.
_SAFE_IN_GROUP = "!\"#$&'()*+-./:;<=>?@[\\]^_`{|}~"
_SAFE_IN_USER = _SAFE_IN_GROUP.replace(":", "")


class VisitorFacts(NamedTuple):
    """What the app is told about a request.

    Attributes:
        user: the hub's model of the visitor.
        address: of the visitor's machine.
        host: host and port in the browser's URL.
        protocol: ``http`` or ``https``, in the browser's URL.
        prefix: the path of the app, without a slash at its end.
        request_id: links the app's log to ours.
    """

    user: Mapping[str, Any]
    address: str
    host: str
    protocol: str
    prefix: str
    request_id: str

    def lines(self) -> list[tuple[str, str]]:
        """The headers that tell it."""
        user = [("X-Forwarded-User", encode_user(self.user))]
        if "groups" in self.user:  # else the hub does not show them
            user.append(("X-Forwarded-Groups", ",".join(map(_encode_group, self.user["groups"]))))
        return [
            *user,
            ("X-Forwarded-Prefix", self.prefix),
            ("X-Forwarded-Host", self.host),
            ("X-Forwarded-Proto", self.protocol),
            ("X-Forwarded-For", self.address),
            ("X-Request-ID", self.request_id),
        ]


def encode_user(user: Mapping[str, Any]) -> str:
    """The name of a user, percent-encoded where it is not visible ASCII.

    A service of the hub with a token of its own is ``service:NAME``; a user cannot have that name
    here, as ``:`` is encoded in theirs.
    """
    name = _encode_user_name(user["name"])
    return name if user.get("kind", "user") == "user" else f"{user['kind']}:{name}"


@lru_cache(NAMES)
def _encode_user_name(name: str) -> str:
    return quote(name, _SAFE_IN_USER)


@lru_cache(NAMES)
def _encode_group(name: str) -> str:
    return quote(name, _SAFE_IN_GROUP)


@lru_cache(NAMES)
def spelled_alike(name: str) -> str:
    """The name of a header as servers may see it: ``X_Forwarded.User`` is ``x-forwarded-user``."""
    return _OTHER_CHARACTER.sub("-", name.lower())


@lru_cache(NAMES)
def is_dropped(name: str) -> bool:
    """Whether a header of a visitor never reaches the app; by its name, in any spelling."""
    alike = spelled_alike(name)
    return (
        alike in HOP_BY_HOP
        or alike in OWN
        or alike in IDENTITY
        or alike.startswith(IDENTITY_PREFIXES)
    )


def connection_options(headers: HTTPHeaders) -> set[str]:
    """What ``Connection`` names: further headers that are for one connection only."""
    if "Connection" not in headers:
        return set()
    options = ",".join(headers.get_list("Connection")).split(",")
    return {spelled_alike(option.strip()) for option in options if option.strip()}


def asks_for_websocket(headers: HTTPHeaders) -> bool:
    """Whether a request asks for a WebSocket instead of a response (RFC 9110, section 7.8)."""
    if "Upgrade" not in headers or headers["Upgrade"].lower() != "websocket":
        return False
    return "upgrade" in connection_options(headers)


def make_request_headers(
    sent: HTTPHeaders,
    facts: VisitorFacts,
    cookies: CookieRules,
    *,
    keeps_authorization: bool,
    hub_tokens: Set[str],
) -> RawHeaders:
    """The headers for the app, without those of the connection and of the body's length.

    Args:
        sent: the visitor's.
        facts: what the app is told.
        cookies: which cookies pass.
        keeps_authorization: whether ``Authorization`` is the app's own, and no token of the hub.
        hub_tokens: tokens of the hub that are dropped from ``Referer``.
    """
    named = connection_options(sent)
    lines: list[tuple[str, str]] = []
    for name, value in sent.get_all():
        if is_dropped(name) or (named and spelled_alike(name) in named):
            continue
        lower = name.lower()
        if lower == "cookie":
            value = cookies.for_app(value)
            if not value:
                continue
        elif lower == "authorization":
            if not keeps_authorization:
                continue
        elif lower == "referer":
            value = without_tokens(value, hub_tokens)
        lines.append((name, value))
    lines += facts.lines()
    if accepts_trailers(sent):
        lines += [("TE", "trailers"), ("Connection", "TE")]
    return RawHeaders(lines)


def accepts_trailers(headers: HTTPHeaders) -> bool:
    """Whether the sender reads fields after a body (RFC 9110, section 10.1.4)."""
    if "TE" not in headers:
        return False
    codings = ",".join(headers.get_list("TE")).lower().split(",")
    return any(coding.partition(";")[0].strip() == "trailers" for coding in codings)
