"""A stand-in for the hub: a real HTTP server with users, tokens, OAuth and faults to switch on."""

from __future__ import annotations

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
from tornado.web import Application, RequestHandler

#: What may be wrong with a hub: see ``StandInHub.fault``.
FAULTS = ("cut", "silent", "error", "garbage", "half", "huge", "redirect")


@dataclass
class StandInHub:
    """Answers what the sign-in library asks. ``fault`` makes it misbehave."""

    service_name: str = "tornado-service"
    version: str = jupyterhub.__version__
    fault: str | None = None
    delay: float = 0.0
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    at_once: int = 0
    most_at_once: int = 0
    _codes: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    def token_for(self, name: str, scopes: tuple[str, ...] = (), **model: Any) -> str:
        """A new token of a user who may use the service."""
        access = f"access:services!service={self.service_name}"
        return self.token_with(name, (access, *scopes), **model)

    def token_with(self, name: str, scopes: tuple[str, ...], **model: Any) -> str:
        """A new token with these scopes and no others."""
        token = secrets.token_hex(16)
        self.users[token] = {
            "kind": "user",
            "name": name,
            "admin": False,
            "groups": [],
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
            ("/hub/api/?", _Root),
            ("/hub/api/user", _User),
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
        """Where the service finds the API."""
        return f"http://127.0.0.1:{self.port}/hub/api"


class _Handler(RequestHandler):
    def initialize(self, hub: StandInHub) -> None:
        self.hub = hub

    async def prepare(self) -> None:
        self.hub.calls[self.request.path] += 1
        self.hub.at_once += 1
        self.hub.most_at_once = max(self.hub.most_at_once, self.hub.at_once)
        if self.hub.delay:
            await asyncio.sleep(self.hub.delay)
        self.hub.at_once -= 1
        await self._misbehave(self.hub.fault)

    async def _misbehave(self, fault: str | None) -> None:
        connection: Any = self.request.connection
        if fault == "silent":
            await asyncio.sleep(30)
        elif fault == "cut":
            connection.stream.close()
            self._finished = True
        elif fault == "error":
            self.set_status(500)
            await self.finish("<h1>Traceback</h1>")
        elif fault == "garbage":
            await self.finish("\x00 no JSON \xff")
        elif fault == "half":
            self.set_header("Content-Length", "1000")
            connection.stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
            connection.stream.close()
            self._finished = True
        elif fault == "huge":
            self.set_header("Content-Type", "application/json")
            await self.finish(json.dumps({"name": "x" * 20_000_000}))
        elif fault == "redirect":
            self.redirect("http://127.0.0.1:1/elsewhere")


class _Root(_Handler):
    def get(self) -> None:
        self.write({"version": self.hub.version})


class _User(_Handler):
    def get(self) -> None:
        token = self.request.headers.get("Authorization", "").partition(" ")[2]
        user = self.hub.users.get(token)
        if user is None:
            self.set_status(403)
            self.write({"status": 403, "message": "Invalid token"})
            return
        self.write(user)


class _Authorize(_Handler):
    """The hub's sign-in page, which knows who you are by the cookie ``hub-user``."""

    def get(self) -> None:
        code = secrets.token_hex(16)
        name = self.get_cookie("hub-user", "ada") or "ada"
        self.hub._codes[code] = (name, self.get_argument("code_challenge", None))
        answer = {"code": code, "state": self.get_argument("state", "")}
        self.redirect(self.get_argument("redirect_uri") + "?" + urlencode(answer))


class _Token(_Handler):
    def post(self) -> None:
        form = {key: values[0] for key, values in parse_qs(self.request.body.decode()).items()}
        name, challenge = self.hub._codes.pop(form.get("code", ""), (None, None))
        verifier = form.get("code_verifier")
        if name is None or (challenge and _challenge(verifier or "") != challenge):
            self.set_status(400)
            self.write({"error": "invalid_grant"})
            return
        self.write({"access_token": self.hub.token_for(name), "token_type": "Bearer"})


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
