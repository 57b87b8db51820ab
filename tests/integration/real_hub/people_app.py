"""An app that shows what the hub returns to the user and to the service."""

from __future__ import annotations

from typing import Any

from tornado_service import APIHandler, Group, ServiceApp, User


class Seen(APIHandler):
    async def get(self) -> None:
        users = {user.name: shown(user) async for user in self.as_caller().users()}
        self.write_json(users)


class SeenUser(APIHandler):
    async def get(self, name: str) -> None:
        user = await self.as_caller().user(name)
        self.write_json(shown(user) if user else None)


class SeenGroups(APIHandler):
    async def get(self) -> None:
        groups = {group.name: shown(group) async for group in self.as_caller().groups()}
        self.write_json(groups)


class All(APIHandler):
    async def get(self) -> None:
        users = {user.name: shown(user) async for user in self.app.hub.users()}
        self.write_json(users)


def shown(model: User | Group) -> list[str]:
    """The fields that the hub returned."""
    fields: dict[str, Any] = dict(model)
    return sorted(name for name, value in fields.items() if value is not None)


class People(ServiceApp):
    """The users of this hub."""

    name = "people"
    service_scopes = {"list:users", "read:users:activity", "read:servers"}
    user_scopes = {"list:users", "read:users:groups", "list:groups", "read:groups"}

    def handlers(self) -> list[tuple[Any, ...]]:
        return [
            ("api/users", Seen),
            ("api/users/([^/]+)", SeenUser),
            ("api/groups", SeenGroups),
            ("api/all", All),
        ]
