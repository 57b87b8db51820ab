"""Access requirements of a handler's method: ``allow_unauthenticated``, ``needs_scopes``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar

from tornado.web import RequestHandler

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

Method = TypeVar("Method", bound=Callable[..., Any])


def allow_unauthenticated(method: Method) -> Method:
    """Allow requests without authentication. Other methods need a session or a token."""
    method._allow_unauthenticated = True  # type: ignore[attr-defined]
    return method


def needs_scopes(*scopes: str) -> Callable[[Method], Method]:
    """Require scopes of the user's token beyond access to the service.

    All are required, without filters: ``list:users!group=a`` does not grant ``list:users``.

    Args:
        scopes: names of scopes, https://jupyterhub.readthedocs.io/en/stable/rbac/scopes.html
    """

    def mark(method: Method) -> Method:
        method._needs_scopes = frozenset(scopes)  # type: ignore[attr-defined]
        return method

    return mark


def allows_anonymous(method: Callable[..., Any]) -> bool:
    return getattr(method, "_allow_unauthenticated", False)


def scopes_needed(method: Callable[..., Any]) -> frozenset[str]:
    return getattr(method, "_needs_scopes", frozenset())


class MethodAccess(NamedTuple):
    """The access requirements of a method."""

    allows_anonymous: bool
    scopes: frozenset[str]


@cache
def access_of(handler: type[Any], method: str) -> MethodAccess | None:
    if method not in METHODS and method != "OPTIONS":
        return None
    function = getattr(handler, "get" if method == "HEAD" else method.lower())
    if function is RequestHandler._unimplemented_method:
        return None
    return MethodAccess(allows_anonymous(function), scopes_needed(function))
