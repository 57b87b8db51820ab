"""Attributes of cookies, whose names have no case."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import Morsel
from typing import Any

#: As Tornado's ``set_cookie`` calls them. ``Partitioned`` is among them from Python 3.14 on.
ATTRIBUTES = frozenset(
    {name.replace("-", "_") for name in Morsel()} - {"comment", "version"} | {"expires_days"}
)

SAME_SITE = ("strict", "lax", "none")


def cookie_attributes(options: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes under the names of Tornado's ``set_cookie``: ``Max-Age`` becomes ``max_age``.

    ``SameSite=None`` comes with ``Secure``, without which browsers refuse the cookie
    (https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#samesitesamesite-value).

    Raises:
        ValueError: there is no such attribute, or ``SameSite`` cannot have this value.
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
