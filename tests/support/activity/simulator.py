"""A hub that follows a script: its users API, in this process and over HTTP.

https://jupyterhub.readthedocs.io/en/stable/reference/rest-api.html#/default/get_users
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from email.utils import formatdate
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from tests.support.activity.script import Run, Script, SimulatedUser
from tornado_service.hub.calls import HubCalls
from tornado_service.hub.transport import HubResponse, HubUnavailable

TOKEN = "the-service's-own-token"
SCOPES = frozenset({"list:users", "read:users:activity", "read:servers"})


class SimulatedHub:
    """The hub of a script: its responses at the time ``now``.

    Attributes:
        now: the hub's clock.
        scopes: of the only token.
        calls: the query of each call.
        between: called before each response, to change the script during a listing.
        is_down: every response is a 503, whatever the script.
    """

    def __init__(self, script: Script, now: int = 0, *, default_limit: int = 50) -> None:
        self.script = script
        self.now = now or script.start
        self.default_limit = default_limit
        self.max_limit = 200
        self.scopes = SCOPES
        self.calls: list[dict[str, str]] = []
        self.between: Callable[[], None] = lambda: None
        self.is_down = False

    @property
    def is_unavailable(self) -> bool:
        return self.is_down or self.script.is_hub_down(self.now)

    def users(self, query: dict[str, str]) -> dict[str, Any]:
        """The response to ``GET /users``."""
        users = [user for user in self.script.users if user.exists(self.now)]
        if query.get("state") == "active":
            users = [user for user in users if user.running(self.now)]
        offset = int(query.get("offset", 0))
        limit = max(1, min(int(query.get("limit", self.default_limit)), self.max_limit))
        page: dict[str, Any] = {"offset": offset, "limit": limit, "total": len(users)}
        later = {"offset": offset + limit, "limit": limit, "url": "http://inside/hub/api/users"}
        page["next"] = later if offset + limit < len(users) else None
        chosen = users[offset : offset + limit]
        return {"items": [self._user(user) for user in chosen], "_pagination": page}

    def _user(self, user: SimulatedUser) -> dict[str, Any]:
        model: dict[str, Any] = {"kind": "user", "name": user.name(self.now), "admin": False}
        if "read:users:activity" in self.scopes:
            model["last_activity"] = iso(user.last_activity(self.now))
        if "read:servers" in self.scopes:
            runs = user.running(self.now)
            model["servers"] = {run.server: self._server(run, model["name"]) for run in runs}
        return model

    def _server(self, run: Run, owner: str) -> dict[str, Any]:
        return {
            "name": run.server,
            "display_name": "",
            "full_name": f"{owner}/{run.server}",
            "last_activity": iso(run.last_activity(self.now)),
            "started": iso(run.started),
            "pending": None,
            "ready": True,
            "stopped": False,
            "url": f"/user/{owner}/{run.server}/",
            "user_options": {"profile": "small"},
            "progress_url": f"/hub/api/users/{owner}/servers/{run.server}/progress",
            "full_url": None,
            "full_progress_url": None,
        }

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1; the same one after ``stop``."""
        sockets = bind_sockets(getattr(self, "port", 0), "127.0.0.1")
        self.port = sockets[0].getsockname()[1]
        routes: list[Any] = [("/hub/api/users", _Users, {"hub": self}), ("/hub/api/user", _Self)]
        self._http = HTTPServer(Application(routes, log_function=lambda handler: None))
        self._http.add_sockets(sockets)

    async def stop(self) -> None:
        self._http.stop()
        await self._http.close_all_connections()

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hub/api"


class _Users(RequestHandler):
    def initialize(self, hub: SimulatedHub) -> None:
        self.hub = hub

    def get(self) -> None:
        query = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        self.hub.calls.append(query)
        self.hub.between()
        self.set_header("Date", formatdate(self.hub.now, usegmt=True))
        is_known = self.request.headers.get("Authorization") == f"token {TOKEN}"
        if self.hub.is_unavailable:
            self.set_status(503)
        elif not is_known or "list:users" not in self.hub.scopes:
            message = "Action is not authorized with current scopes; requires any of [list:users]"
            self.set_status(403)
            self.write({"status": 403, "message": message if is_known else "Missing credentials."})
        elif "application/jupyterhub-pagination+json" not in self.request.headers["Accept"]:
            raise ValueError("asked without the header that asks for pages")
        else:
            self.write(self.hub.users(query))


class _Self(RequestHandler):
    def get(self) -> None:
        self.write({"kind": "service", "name": "tornado-service", "scopes": []})


def iso(moment: int | None) -> str | None:
    """A time as hubs write it, with microseconds."""
    if moment is None:
        return None
    at = datetime.fromtimestamp(moment, timezone.utc).replace(tzinfo=None, microsecond=250_000)
    return at.isoformat() + "Z"


def hub_calls(hub: SimulatedHub) -> HubCalls:
    """The service's own calls, without HTTP."""

    async def ask(path: str, scope: str, **query: str) -> HubResponse:
        if hub.is_unavailable:
            raise HubUnavailable("the script wants it so")
        return HubResponse(200, hub.users(query), hub.now)

    return HubCalls(ask)
