"""Rules out calls that the hub would refuse, by the known scopes of a token.

The hub decides: this covers only what it certainly refuses.
"""

from __future__ import annotations

from collections.abc import Collection

from jupyterhub.scopes import Scope, parse_scopes

#: Filters that the hub supports for its lists; with any other it refuses the whole list.
LIST_FILTERS = {"list:users": {"user", "group"}, "list:groups": {"group"}}

#: One of these shows a user, https://jupyterhub.readthedocs.io/en/stable/reference/rest-api.html
READ_USER = (
    "read:users",
    "read:users:name",
    "read:users:groups",
    "read:users:activity",
    "read:servers",
    "read:roles:users",
)


def may_list(scope: str, scopes: Collection[str]) -> bool:
    """Whether the hub may return a list, or a part of it."""
    filters = parse_scopes(frozenset(scopes)).get(scope)
    if filters is None or filters == Scope.ALL:
        return filters is not None
    return LIST_FILTERS[scope].issuperset(filters)


def may_read_some_user(scopes: Collection[str]) -> bool:
    """Whether the hub may show any user."""
    return not parse_scopes(frozenset(scopes)).keys().isdisjoint(READ_USER)


def may_read_user(name: str, scopes: Collection[str]) -> bool:
    """Whether the hub may show a user. Only the hub knows the members of a group."""
    parsed = parse_scopes(frozenset(scopes))
    held = [parsed[scope] for scope in READ_USER if scope in parsed]
    return any(
        filters == Scope.ALL or "group" in filters or name in filters.get("user", ())
        for filters in held
    )
