"""A small app as an author writes it: the same JSON by an `async def` and by a plain `def`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from tornado_service import APIHandler, ServiceApp


class Caller(BaseModel):
    name: str
    kind: str
    admin: bool
    groups: list[str]
    scopes: list[str]


def caller(user: dict[str, Any]) -> Caller:
    return Caller(
        name=user["name"],
        kind=user["kind"],
        admin=user["admin"],
        groups=user["groups"],
        scopes=user["scopes"],
    )


class Async(APIHandler):
    async def get(self) -> Caller:
        return caller(self.current_user)


class Plain(APIHandler):
    def get(self) -> Caller:
        return caller(self.current_user)


class Typed(ServiceApp):
    name = "typed"

    def handlers(self) -> list[tuple[Any, ...]]:
        return [("api/async", Async), ("api/def", Plain)]
