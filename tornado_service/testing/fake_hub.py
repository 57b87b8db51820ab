"""A fake hub: a real HTTP server with users, tokens, OAuth and simulated faults."""

import asyncio
import base64
import hashlib
import json
import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import jupyterhub
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

from .fake_hub_users import Directory, expand_scopes

#: Faults of a hub: a closed connection, a long delay, a status of 500, 503 or 429, a response that
#: is invalid JSON, incomplete or too large, a redirect.
FAULTS = ("cut", "silent", "error", "busy", "limited", "garbage", "half", "huge", "redirect")

#: The service's own token, which is also the secret of its OAuth client.
SERVICE_TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105


#: Status and body of the faults that are a response.
_FAULTY_RESPONSES = {
    "error": (500, "<h1>Traceback</h1>"),
    "busy": (503, "<h1>Service Unavailable</h1>"),
    "limited": (429, "<h1>Too Many Requests</h1>"),
    "garbage": (200, "\x00 no JSON \xff"),
}


@dataclass
class StandInHub:
    """Responds to the sign-in library and apps. ``fault`` simulates a fault.

    ::

        hub.directory.add_user("ines", groups=["instructors"])
        hub.grant("ines", "custom:reports:write")  # when she signs in with a browser
        token = hub.token_for("ines", ("custom:reports:write",))
        hub.fault = "error"  # every call, until it is None
        await hub.stop()  # simulate an outage; ``start`` ends it

    Attributes:
        users: users by token.
        directory: the users, servers and groups of the API.
        fault: one of ``FAULTS``, if any.
        delay: seconds before each response.
        gate: an event that each response waits for, if any.
        calls: the number of requests by path.
        service_scopes: the scopes of the service's own token.
        client_secret: the secret of the service's OAuth client; another one after a rotation of the
            service's token.
        base_url: the hub's base URL in its redirects.
        faults: faults of the next requests, one for each.
        date: the ``Date`` of its responses; the actual one if empty.
    """

    service_name: str = "tornado-service"
    version: str = jupyterhub.__version__
    fault: str | None = None
    delay: float = 0.0
    gate: asyncio.Event | None = None
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    directory: Directory = field(default_factory=Directory)
    service_scopes: set[str] = field(default_factory=set)
    client_secret: str = SERVICE_TOKEN
    base_url: str = "/"
    faults: list[str] = field(default_factory=list)
    date: str = ""
    calls: Counter[str] = field(default_factory=Counter)
    concurrent_calls: int = 0
    peak_concurrent_calls: int = 0
    _codes: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    _grants: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def grant(self, name: str, *scopes: str) -> None:
        """Grant a user more scopes, for later browser sign-ins."""
        self._grants[name] = (*self._grants.get(name, ()), *scopes)

    def login_token_for(self, name: str) -> str:
        """A new token of a user who signed in with a browser."""
        return self.token_for(name, self._grants.get(name, ()))

    def token_for(self, name: str, scopes: tuple[str, ...] = (), **model: Any) -> str:
        """A new token of a user with access to the service.

        Args:
            name: the user, who need not be in the directory.
            scopes: more scopes of the token.
            model: fields of the hub's model of the user, such as ``admin=True``.
        """
        access = f"access:services!service={self.service_name}"
        return self.token_with(name, (access, *scopes), **model)

    def token_with(self, name: str, scopes: tuple[str, ...], **model: Any) -> str:
        """A new token with exactly these scopes."""
        token = secrets.token_hex(16)
        user = self.directory.users.get(name, {})
        self.users[token] = {
            "kind": "user",
            "name": name,
            "admin": user.get("admin", False),
            "groups": user.get("groups", []),
            "scopes": list(scopes),
            "session_id": "hub-" + secrets.token_hex(8),
            "token_id": "a" + token[:6],
            **model,
        }
        return token

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1; the same one after ``stop``."""
        self._sockets = bind_sockets(getattr(self, "port", 0), "127.0.0.1")
        self.port = self._sockets[0].getsockname()[1]
        routes = [
            ("/", _BaseURL),
            ("/hub/api/?", _Root),
            ("/hub/api/user", _User),
            ("/hub/api/users", _Users),
            ("/hub/api/users/([^/]+)", _OneUser),
            ("/hub/api/groups", _Groups),
            ("/hub/api/oauth2/authorize", _Authorize),
            ("/hub/api/oauth2/token", _Token),
        ]
        app = Application(
            [(path, handler, {"hub": self}) for path, handler in routes],
            log_function=lambda handler: None,
        )
        self._server = HTTPServer(app)
        self._server.add_sockets(self._sockets)

    async def stop(self) -> None:
        """Refuse connections from now on."""
        self._server.stop()
        await self._server.close_all_connections()

    @property
    def api_url(self) -> str:
        """The URL of the API."""
        return f"http://127.0.0.1:{self.port}/hub/api"


class _Handler(RequestHandler):
    def initialize(self, hub: StandInHub) -> None:
        self.hub = hub

    async def prepare(self) -> None:
        if self.hub.date:
            self.set_header("Date", self.hub.date)
        self.hub.calls[self.request.path] += 1
        self.hub.concurrent_calls += 1
        self.hub.peak_concurrent_calls = max(
            self.hub.peak_concurrent_calls, self.hub.concurrent_calls
        )
        if self.hub.delay:
            await asyncio.sleep(self.hub.delay)
        if self.hub.gate:
            await self.hub.gate.wait()
        self.hub.concurrent_calls -= 1
        await self._apply_fault(self.hub.faults.pop(0) if self.hub.faults else self.hub.fault)

    async def _apply_fault(self, fault: str | None) -> None:
        connection: Any = self.request.connection
        if fault == "silent":
            await asyncio.sleep(30)
        elif fault in ("cut", "half"):
            if fault == "half":
                connection.stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
            connection.stream.close()
            self._finished = True
        elif fault in _FAULTY_RESPONSES:
            status, body = _FAULTY_RESPONSES[fault]
            self.set_status(status)
            if fault == "limited":
                self.set_header("Retry-After", "1")
            await self.finish(body)
        elif fault == "huge":
            self.set_header("Content-Type", "application/json")
            await self.finish(json.dumps({"name": "x" * 20_000_000}))
        elif fault == "redirect":
            self.redirect("http://127.0.0.1:1/elsewhere")

    @property
    def token(self) -> str:
        return self.request.headers.get("Authorization", "").partition(" ")[2]

    @property
    def scopes(self) -> list[str]:
        if self.token in self.hub.users:
            scopes: list[str] = self.hub.users[self.token]["scopes"]
            return scopes
        if self.token == SERVICE_TOKEN:
            return sorted(self.hub.service_scopes)
        raise HTTPError(403, "Missing or invalid credentials.")

    def write_page(self, items: list[dict[str, Any]], **total: int) -> None:
        offset, limit = (int(self.get_argument(name, "0")) for name in ("offset", "limit"))
        directory = self.hub.directory
        page = directory.page(items, offset, limit or directory.max_page, **total)
        if self.request.headers.get("Accept") == "application/jupyterhub-pagination+json":
            self.write(page)
        else:
            self.finish(json.dumps(page["items"]))

    def log_exception(self, *_: Any) -> None:
        """Log nothing: the service logs errors."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1]
        message = error.log_message if isinstance(error, HTTPError) else str(error)
        self.finish({"status": status_code, "message": message})


class _BaseURL(_Handler):
    def get(self) -> None:
        self.redirect(f"{self.hub.base_url}hub/")


class _Root(_Handler):
    def get(self) -> None:
        self.write({"version": self.hub.version})


class _User(_Handler):
    def get(self) -> None:
        if self.token not in self.hub.users:
            raise HTTPError(403, "Invalid token")
        user = self.hub.users[self.token]
        self.write({**user, "scopes": sorted(expand_scopes(user.get("scopes", ())))})


class _Users(_Handler):
    def get(self) -> None:
        state = self.get_argument("state", None)
        newest_first = self.get_argument("sort", "id") == "-id"
        users = self.hub.directory.list_users(self.scopes, state, newest_first=newest_first)
        self.write_page(users)


class _OneUser(_Handler):
    def get(self, name: str) -> None:
        self.write(self.hub.directory.user(self.scopes, name))


class _Groups(_Handler):
    def get(self) -> None:
        directory = self.hub.directory
        # the hub's total includes groups that it does not show, but not such users
        self.write_page(directory.list_groups(self.scopes), total=len(directory.groups))


class _Authorize(_Handler):
    """The hub's sign-in page, with the user from the cookie ``hub-user``."""

    def get(self) -> None:
        code = secrets.token_hex(16)
        name = self.get_cookie("hub-user", "ada") or "ada"
        self.hub._codes[code] = (name, self.get_argument("code_challenge", None))
        response = {"code": code, "state": self.get_argument("state", "")}
        self.redirect(self.get_argument("redirect_uri") + "?" + urlencode(response))


class _Token(_Handler):
    def post(self) -> None:
        form = {key: values[0] for key, values in parse_qs(self.request.body.decode()).items()}
        client = (f"service-{self.hub.service_name}", self.hub.client_secret)
        if (form.get("client_id"), form.get("client_secret")) != client:
            self.set_status(401)
            self.write({"error": "invalid_client"})
            return
        name, challenge = self.hub._codes.pop(form.get("code", ""), (None, None))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proven = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if name is None or challenge not in (None, proven):
            self.set_status(400)
            self.write({"error": "invalid_grant"})
            return
        self.write({"access_token": self.hub.login_token_for(name), "token_type": "Bearer"})
