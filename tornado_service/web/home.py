"""The home page, and responses for unknown paths."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from jupyterhub.scopes import scope_definitions
from tornado.web import HTTPError

from ..auth.decorators import allow_unauthenticated
from ..handlers.base import BaseHandler, PageHandler
from ..handlers.errors import NOT_FOUND

if TYPE_CHECKING:
    from ..apps.manager import AppManager


class HomeHandler(PageHandler):
    """GET home: the user's apps, and the hub's data about the session."""

    metrics_name = "HomeHandler"

    def initialize(self, apps: AppManager) -> None:  # type: ignore[override]
        super().initialize()
        self._apps = apps

    async def get(self) -> None:
        user = self.current_user
        apps = self._apps.accessible_to(user)
        headlines = await asyncio.gather(*(mounted.headline(self) for mounted in apps))
        self.write_page(
            "home.html",
            kind=user.get("kind", "user"),
            groups=sorted(user.get("groups") or []),
            scopes=describe_scopes(user.get("scopes") or [], user["name"]),
            servers=describe_servers(user.get("servers") or {}),
            sees_servers="servers" in user,
            cards=list(zip(apps, headlines, strict=True)),
        )


class StartHandler(HomeHandler):
    """GET P: the app that opens first, else the home page."""

    metrics_name = "HomeHandler"

    async def get(self) -> None:
        app = self._apps.home_app_of(self.current_user)
        if app:
            self.redirect(f"{self.hub_auth.base_url}{app.name}/")
        else:
            await super().get()


def describe_servers(servers: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """A user's servers, with all fields that the page shows.

    Args:
        servers: by name, as in the hub's user model.
    """
    return [
        {
            "name": name or "default server",
            "url": server.get("url") if server.get("ready") else None,
            "state": server.get("pending") or ("running" if server.get("ready") else "stopped"),
            "last_activity": server.get("last_activity"),
        }
        for name, server in sorted(servers.items())
    ]


def describe_scopes(scopes: list[str], name: str) -> list[dict[str, str]]:
    """Scopes in plain words, as the hub describes them.

    Args:
        scopes: raw scopes, filters included.
        name: the user's; a filter by it becomes "only you".
    """
    rows = []
    for raw in sorted(scopes):
        scope, _, limit = raw.partition("!")
        kind, _, value = limit.partition("=")
        if limit in ("user", f"user={name}"):
            words = "only you"
        else:
            words = f"only {kind} {value}".strip() if limit else ""
        known = scope_definitions.get(scope, {})
        rows.append({"scope": scope, "meaning": known.get("description", ""), "limit": words})
    return rows


class NotFoundHandler(PageHandler):
    """Unknown paths."""

    metrics_name = "NotFoundHandler"

    async def prepare(self) -> None:
        """Respond with 404, without authentication.

        Raises:
            HTTPError: 404, always.
        """
        raise HTTPError(404, NOT_FOUND)


class SlashHandler(BaseHandler):
    """GET P without its slash, which the proxy routes here, too."""

    metrics_name = "SlashHandler"

    @allow_unauthenticated
    def get(self) -> None:
        self.redirect(self.hub_auth.base_url)
