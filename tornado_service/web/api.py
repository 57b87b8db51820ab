"""The JSON API of the core."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from tornado.web import HTTPError

from .._version import __version__
from ..apps.typed.responses import responds_with
from ..auth.decorators import allow_unauthenticated
from ..auth.service_auth import ADMIN_SCOPE
from ..config.secret_settings import public_environment
from ..handlers.base import APIHandler, BaseHandler
from ..handlers.errors import NOT_FOUND

#: Fields of the hub's user model for the user's own API. Ids of sessions and tokens are omitted.
USER_FIELDS = (
    "name",
    "kind",
    "admin",
    "groups",
    "roles",
    "scopes",
    "created",
    "last_activity",
    "server",
    "pending",
    "servers",
)


@dataclass(frozen=True)
class ServiceInfo:
    """Name and version of the service."""

    name: str
    version: str


@dataclass(frozen=True)
class CurrentUser:
    """A user or service of the hub; some fields occur only if the token may see them."""

    name: str
    kind: Literal["user", "service"]
    admin: bool
    groups: list[str]
    scopes: list[str]
    roles: list[str] = field(default_factory=list)
    created: str | None = None
    last_activity: str | None = None
    server: str | None = None
    pending: str | None = None
    servers: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class DebugInfo:
    """Data of a request and of the service, without secrets."""

    headers: dict[str, str]
    environment: dict[str, str]
    user: CurrentUser


class RootHandler(APIHandler):
    """GET api/: name and version, without authentication."""

    metrics_name = "RootHandler"
    operation_ids = {"get": "get_version"}

    @responds_with(ServiceInfo)
    @allow_unauthenticated
    def get(self) -> None:
        """Name and version of the service."""
        self.set_header("Cache-Control", "public, max-age=60")
        self.write_json({"name": self.context.name, "version": __version__})


class UserHandler(APIHandler):
    """GET api/user: the user of the request, according to the hub."""

    metrics_name = "UserHandler"
    operation_ids = {"get": "get_user"}

    @responds_with(CurrentUser)
    def get(self) -> None:
        """The user or service of the request, for OAuth, API and service tokens alike."""
        self.write_json(public_user(self.current_user))


def public_user(user: dict[str, Any]) -> dict[str, Any]:
    """The user's own model, without data that would allow impersonation.

    Args:
        user: the hub's model; OAuth and service tokens have fewer fields.
    """
    shown = {field: user[field] for field in USER_FIELDS if field in user}
    shown["kind"] = user.get("kind", "user")
    shown["admin"] = bool(user.get("admin"))
    shown["groups"] = sorted(user.get("groups") or [])
    shown["scopes"] = sorted(user.get("scopes") or [])
    return shown


class DebugHandler(APIHandler):
    """GET api/debug: headers and environment for administrators; off by default."""

    metrics_name = "DebugHandler"
    operation_ids = {"get": "get_debug_info"}

    #: Request headers that show the route of a request, and nothing about its user.
    PUBLIC_HEADERS = frozenset(
        {
            "Accept",
            "Accept-Encoding",
            "Accept-Language",
            "Connection",
            "Content-Length",
            "Content-Type",
            "Forwarded",
            "Host",
            "Origin",
            "Sec-Fetch-Dest",
            "Sec-Fetch-Mode",
            "Sec-Fetch-Site",
            "Sec-Fetch-User",
            "User-Agent",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Port",
            "X-Forwarded-Proto",
            "X-Real-Ip",
            "X-Scheme",
        }
    )

    @responds_with(DebugInfo)
    def get(self) -> None:
        """Show headers, environment and user to an admin, each by an allow-list.

        Raises:
            HTTPError: 403 for others than admins.
        """
        if not self.hub_auth.is_admin(self):
            raise HTTPError(403, "For admins of the hub; a token needs the scope %s.", ADMIN_SCOPE)
        self.write_json(
            {
                "headers": {
                    name: value if name in self.PUBLIC_HEADERS else "[hidden]"
                    for name, value in self.request.headers.get_all()
                },
                "environment": public_environment(),
                "user": public_user(self.current_user),
            }
        )


class NotFoundAPIHandler(BaseHandler):
    """Every path below api/ without another handler."""

    metrics_name = "NotFoundAPIHandler"

    async def prepare(self) -> None:
        """Respond in JSON.

        Raises:
            HTTPError: 404, always.
        """
        raise HTTPError(404, NOT_FOUND)
