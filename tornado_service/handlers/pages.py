"""The pages that a person opens, and the ways in and out."""

from __future__ import annotations

from typing import Any

from jupyterhub.scopes import scope_definitions
from jupyterhub.services.auth import HubOAuthCallbackHandler
from tornado.web import HTTPError

from ..auth import allow_unauthenticated
from .base import BaseHandler, PageHandler


class HomeHandler(PageHandler):
    """GET P: who you are to the hub, and what you may open."""

    def get(self) -> None:
        """Show what the hub says of the caller."""
        user = self.current_user
        self.write_page(
            "home.html",
            kind=user.get("kind", "user"),
            groups=sorted(user.get("groups") or []),
            scopes=describe_scopes(user.get("scopes") or [], user["name"]),
            servers=describe_servers(user.get("servers") or {}),
            sees_servers="servers" in user,
        )


def describe_servers(servers: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """A caller's servers, with every field that the page shows.

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
    """Scopes in plain words, as the hub itself describes them.

    Args:
        scopes: raw scopes, filters included.
        name: the caller's; a filter by it reads "only you".
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
    """Every address that nothing else answers."""

    async def prepare(self) -> None:
        """Nobody needs to sign in to be told that there is nothing.

        Raises:
            HTTPError: 404, always.
        """
        raise HTTPError(404, "There is nothing at this address.")


class SlashHandler(BaseHandler):
    """GET P without its slash: the proxy sends it here, too."""

    @allow_unauthenticated
    def get(self) -> None:
        """Go to the home page."""
        self.redirect(self.hub_auth.base_url)


class OAuthCallbackHandler(PageHandler, HubOAuthCallbackHandler):
    """GET oauth_callback: the hub sends the browser back here, signed in."""

    @allow_unauthenticated
    async def get(self) -> None:
        """Finish the sign-in as the hub's library does."""
        await HubOAuthCallbackHandler.get(self)

    def redirect(self, url: str, permanent: bool = False, status: int | None = None) -> None:
        """Go on to the page that was asked for; it lies below our prefix, or is the home page."""
        super().redirect(inside(url, self.hub_auth.base_url), permanent, status)


def inside(url: str, prefix: str) -> str:
    """The path that was asked for, if it is one of ours, else the prefix.

    Args:
        url: where a sign-in is to end.
        prefix: ours, with slashes around.
    """
    path = url.split("?", 1)[0]
    odd = "\\" in url or "//" in path or ".." in path or not url.isprintable()
    return url if path.startswith(prefix) and not odd else prefix


class LogoutHandler(PageHandler):
    """GET logout: sign out here, then at the hub."""

    @allow_unauthenticated
    def get(self) -> None:
        """Drop cookie and cached identity.

        Raises:
            HTTPError: 403, another page tried to do it without the person's knowledge.
        """
        mode = self.request.headers.get("Sec-Fetch-Mode", "navigate")
        if mode != "navigate":
            raise HTTPError(403, "Sign out by opening this address, not from a script.")
        self.hub_auth.forget(self)
        self.redirect(self.hub_auth.hub_host + self.hub_auth.hub_prefix + "logout")

    def template_namespace(self) -> dict[str, Any]:
        """The names of every page; nobody is signed in here."""
        return {**super().template_namespace(), "user": None}
