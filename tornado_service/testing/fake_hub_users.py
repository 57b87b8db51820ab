"""Users, servers and groups of a fake hub, shown according to a token's scopes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from jupyterhub.scopes import Scope, parse_scopes, scope_definitions
from tornado.web import HTTPError

#: The default creation time.
CREATED = "2026-01-05T08:00:00.000000Z"

#: Fields of a user by the required scope.
USER_FIELDS = {
    "read:users": {"admin", "created", "groups", "last_activity", "pending", "roles", "server"},
    "read:users:name": {"admin"},
    "read:users:groups": {"groups"},
    "read:users:activity": {"last_activity"},
    "read:servers": {"servers"},
    "read:roles:users": {"admin", "roles"},
}

#: Fields of a group by the required scope.
GROUP_FIELDS = {
    "read:groups": {"properties", "users"},
    "read:groups:name": set(),
    "read:roles:groups": {"roles"},
}

Model = dict[str, Any]


@dataclass
class Directory:
    """The users and groups of the fake hub; tests fill it.

    Attributes:
        users: models of users by name, with all fields.
        groups: models of groups by name.
        max_page: the largest page of a response.
    """

    users: dict[str, Model] = field(default_factory=dict)
    groups: dict[str, Model] = field(default_factory=dict)
    max_page: int = 200

    def add_user(self, name: str, *, groups: Iterable[str] = (), **model: Any) -> Model:
        """Add a user and their groups; ``model`` has more fields of the hub's model."""
        self.users[name] = {
            "kind": "user",
            "name": name,
            "admin": False,
            "roles": ["user"],
            "groups": list(groups),
            "server": None,
            "pending": None,
            "created": CREATED,
            "last_activity": None,
            "servers": {},
            **model,
        }
        for group in groups:
            self.add_group(group)["users"].append(name)
        return self.users[name]

    def add_group(self, name: str, **properties: Any) -> Model:
        """Add a group, or properties to an existing one."""
        new = {"kind": "group", "name": name, "roles": [], "users": [], "properties": {}}
        group = self.groups.setdefault(name, new)
        group["properties"].update(properties)
        return group

    def add_server(
        self, user: str, name: str = "", *, started: str = CREATED, **model: Any
    ) -> Model:
        """Add a running server of a user."""
        server = {
            "name": name,
            "full_name": f"{user}/{name}",
            "started": started,
            "last_activity": started,
            "pending": None,
            "ready": True,
            "stopped": False,
            "url": f"/user/{user}/{name}",
            "user_options": {},
            "progress_url": f"/hub/api/users/{user}/server/progress",
            **model,
        }
        self.users[user]["servers"][name] = server
        return server

    def list_users(
        self, scopes: Iterable[str], state: str | None, *, newest_first: bool = False
    ) -> list[Model]:
        """GET /users."""
        view = _ScopedView(scopes, "list:users")
        users = list(self.users.values())
        return [
            view.visible_fields(user, USER_FIELDS)
            for user in (reversed(users) if newest_first else users)
            if view.allows("list:users", user) and (state != "active" or user["servers"])
        ]

    def user(self, scopes: Iterable[str], name: str) -> Model:
        """GET /users/NAME."""
        view = _ScopedView(scopes, *USER_FIELDS)
        user = self.users.get(name)
        if user is None or not any(view.allows(scope, user) for scope in USER_FIELDS):
            raise HTTPError(404, "No access to resources or resources not found")
        return view.visible_fields(user, USER_FIELDS)

    def list_groups(self, scopes: Iterable[str]) -> list[Model]:
        """GET /groups."""
        view = _ScopedView(scopes, "list:groups")
        return [
            view.visible_fields(group, GROUP_FIELDS)
            for group in self.groups.values()
            if view.allows("list:groups", group)
        ]

    def page(self, items: list[Model], offset: int, limit: int, total: int | None = None) -> Model:
        """A page of a list; ``total`` if the hub counts more items than it shows."""
        limit = max(1, min(limit, self.max_page))
        following = offset + limit
        total = len(items) if total is None else total
        place: Model = {"offset": offset, "limit": limit, "total": total, "next": None}
        if following < total:
            wrong_url = "http://127.0.0.1:1/elsewhere"  # clients must not use this URL
            place["next"] = {"offset": following, "limit": limit, "url": wrong_url}
        return {"items": items[offset:following], "_pagination": place}


class _ScopedView:
    """What a token's scopes allow to read."""

    def __init__(self, scopes: Iterable[str], *any_of: str) -> None:
        self._held = parse_scopes(expand_scopes(scopes))
        if self._held.keys().isdisjoint(any_of):
            refusal = "Action is not authorized with current scopes; requires any of"
            raise HTTPError(403, f"{refusal} [{', '.join(any_of)}]")

    def allows(self, scope: str, model: Model) -> bool:
        held = self._held.get(scope, {})
        if held == Scope.ALL:
            return True
        groups = {model["name"]} if model["kind"] == "group" else set(model.get("groups", ()))
        by_name = model["kind"] == "user" and model["name"] in held.get("user", ())
        return by_name or bool(groups & set(held.get("group", ())))

    def visible_fields(self, model: Model, fields: dict[str, set[str]]) -> Model:
        visible = {"kind", "name"}.union(
            *(fields[scope] for scope in fields if self.allows(scope, model))
        )
        return {key: value for key, value in model.items() if key in visible}


def expand_scopes(scopes: Iterable[str]) -> set[str]:
    """The scopes and all included ones, with their filters."""
    expanded: set[str] = set()
    pending = list(scopes)
    while pending:
        scope = pending.pop()
        base, mark, filters = scope.partition("!")
        expanded.add(scope)
        definition = scope_definitions.get(base, {})
        pending += [f"{name}{mark}{filters}" for name in definition.get("subscopes", ())]
    return expanded
