"""Cookies: their case-insensitive attributes, and their values in a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http.cookies import Morsel
from typing import Any

from tornado.httputil import parse_cookie

#: By their names in Tornado's ``set_cookie``. ``Partitioned`` is included from Python 3.14 on.
ATTRIBUTES = frozenset(
    {name.replace("-", "_") for name in Morsel()} - {"comment", "version"} | {"expires_days"}
)

SAME_SITE = ("strict", "lax", "none")


def cookie_attributes(options: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes by their names in Tornado's ``set_cookie``: ``Max-Age`` becomes ``max_age``.

    ``SameSite=None`` implies ``Secure``, without which browsers refuse the cookie
    (https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#samesitesamesite-value).

    Raises:
        ValueError: an attribute is unknown, or the value of ``SameSite`` is invalid.
    """
    attributes = {name.lower().replace("-", "_"): value for name, value in options.items()}
    for name in options:
        if name.lower().replace("-", "_") not in ATTRIBUTES:
            raise ValueError(f"{name} is not an attribute of cookies, such as Secure or SameSite")
    same_site = attributes.get("samesite")
    if not same_site:
        return attributes
    if str(same_site).lower() not in SAME_SITE:
        raise ValueError(f"SameSite is Strict, Lax or None, and not {same_site}")
    if str(same_site).lower() == "none":
        attributes["secure"] = True
    return attributes


#: Browsers neither store nor send cookies with a longer name and value
#: (https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html#section-5.6).
MAX_COOKIE = 4096


def cookie_values(header: str, name: str) -> Iterator[str]:
    """The values of all cookies of a name, in the browser's order: the longest path first.

    Other servers on our origin, or on a parent domain, may set cookies with our names; Tornado's
    ``request.cookies`` contains the last one only
    (https://www.rfc-editor.org/rfc/rfc6265#section-5.4).
    """
    for cookie in header.split(";"):
        cookie_name, mark, _ = cookie.partition("=")
        if mark and cookie_name.strip() == name and len(cookie) <= MAX_COOKIE:
            yield parse_cookie(cookie)[name]


def without_cookies(header: str, name: str) -> str:
    return ";".join(
        cookie for cookie in header.split(";") if cookie.partition("=")[0].strip() != name
    )
