"""Sends requests of all kinds to handlers, each with the cache of requests and without."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import HTTPError, create_signed_value

from tests.support.cookie_names import SESSION
from tornado_service import APIHandler
from tornado_service.app import TornadoService
from tornado_service.auth.identity_cache import IdentityCache
from tornado_service.auth.request_cache import RequestCache
from tornado_service.handlers.base import BaseHandler
from tornado_service.testing import StandInHub

IP, OTHER_IP = "10.0.0.1", "10.0.0.2"
AGENT, OTHER_AGENT = "Firefox", "Chromium"
USERS = ("ada", "bob", "kim", "lea")


HUB_SESSION = "jupyterhub-session-id=1"


class Plain(APIHandler):
    pass


class WithoutXSRF(APIHandler):
    """As authors disable the check."""

    def check_xsrf_cookie(self) -> None:
        pass


#: For each part of a request its possible values. "{…}" becomes a token, a cookie or an XSRF token.
PARTS: dict[str, tuple[Any, ...]] = {
    "handler": (Plain, WithoutXSRF),
    "method": ("GET", "HEAD", "OPTIONS", "POST"),
    "Authorization": (
        None, "token {ada}", "Bearer {bob}", "token {kim}", "token {lea}", "token unknown",
        "Basic YTpi", "",
    ),
    "Cookie": (
        None,
        "{ada cookie}; {ada xsrf}; " + HUB_SESSION,
        "{ada cookie}; {ada xsrf}; jupyterhub-session-id=2",
        "{ada cookie}; {anonymous xsrf}",
        "{ada cookie}; {ada cookie}; {ada xsrf}; " + HUB_SESSION,
        "{ended cookie}; {ada cookie}; {ada xsrf}; " + HUB_SESSION,
        "{bob cookie}; {ada cookie}; {bob xsrf}; {ada xsrf}; " + HUB_SESSION,
        "{ada cookie}; {bob cookie}; {ada xsrf}; {bob xsrf}; " + HUB_SESSION,
        f"{SESSION}=junk; " + "{bob cookie}; _xsrf=junk; {bob xsrf}; " + HUB_SESSION,
        "{ended cookie}; " + HUB_SESSION,
        "{ada xsrf}",
    ),
    "Sec-Fetch-Site": (None, "same-origin", "cross-site"),
    "Sec-Fetch-Mode": (None, "navigate", "cors", "no-cors", "websocket"),
    "Sec-Fetch-Dest": (None, "document", "image", "empty", "iframe"),
    "Service-Worker-Navigation-Preload": (None, "true"),
    "X-Xsrftoken": (None, "{ada token}", "{bob token}", "{anonymous token}", "junk", ""),
    "X-Csrftoken": (None, "{ada token}", "{bob token}", "junk"),
    "User-Agent": (AGENT, OTHER_AGENT, None),
    "remote_ip": (IP, OTHER_IP),
    "query": ("", "x=%ff", "_xsrf={ada token}", "%5Fxsrf={bob token}", "_xsrf=junk", "_xsrf=%ff"),
    "body": ("", "_xsrf={ada token}", "_xsrf=junk"),
    "Upgrade": (None, "websocket"),
}  # fmt: skip


Step = tuple[str, Any]


@dataclass
class Caller:
    """Sends requests to handlers, each with and without the cache."""

    service: TornadoService
    hub: StandInHub

    def __post_init__(self) -> None:
        self.parts = {name: values[0] for name, values in PARTS.items()}
        auth = self.service.auth
        self.hub.users.clear()
        tokens = {name: self.hub.token_for(name) for name in USERS}
        auth.identities = IdentityCache(
            size=3,
            max_age=auth.cache_max_age,
            refused_max_age=auth.refused_max_age,
            stale_grace=auth.stale_grace,
            metrics=self.service.hub.metrics,
        )
        auth._requests = RequestCache(auth.cache_size, auth.cache_max_age)
        self.texts = dict(tokens)
        for name, token in {**tokens, "ended": "0" * 32}.items():
            self.texts[f"{name} cookie"] = f"{SESSION}={self.signed(SESSION, token)}"
        for name in ("ada", "bob"):
            self._add_xsrf(name, f"{{{name} cookie}}; {HUB_SESSION}")
        self._add_xsrf("anonymous", "{ada cookie}")

    def signed(self, name: str, value: str | bytes) -> str:
        """A signed value that differs from that of this second."""
        secret = self.service.web_app.settings["cookie_secret"]
        return create_signed_value(secret, name, value, clock=lambda: time.time() - 100).decode()

    def _add_xsrf(self, name: str, cookies: str) -> None:
        session_of = self.handler({**self.parts, "User-Agent": AGENT, "Cookie": cookies})
        signed = self.signed("_xsrf", session_of._xsrf_token_id).encode()
        token = base64.urlsafe_b64encode(signed).rstrip(b"=").decode()
        self.texts |= {f"{name} token": token, f"{name} xsrf": f"_xsrf={token}"}

    def handler(self, parts: dict[str, Any]) -> BaseHandler:
        parts = {
            name: value.format_map(self.texts) if isinstance(value, str) else value
            for name, value in parts.items()
        }
        names = ("handler", "method", "query", "body", "remote_ip")
        cls, method, query, body, remote_ip = (parts.pop(name) for name in names)
        sent = {name: value for name, value in parts.items() if value is not None}
        headers = HTTPHeaders({"Host": "localhost", **sent})
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection: Any = SimpleNamespace(
            context=SimpleNamespace(remote_ip=remote_ip, protocol="http"),
            set_close_callback=lambda callback: None,
        )
        request = HTTPServerRequest(
            start_line=RequestStartLine(method, f"/x?{query}", "HTTP/1.1"),
            headers=headers,
            body=body.encode(),
            connection=connection,
        )
        request._parse_body()
        handler: BaseHandler = cls(self.service.web_app, request)
        handler.on_finish()
        return handler

    async def run(self, steps: list[Step]) -> list[object]:
        """Change a part of the request and send it, or let something happen and send it."""
        decisions = []
        for name, value in steps:
            if name in PARTS:
                self.parts[name] = value
            else:
                await self.let_happen(value)
            cached = await self.decision(self.service.auth.authenticate)
            oracle = await self.decision(lambda h: self.service.auth.get_user(h, sync=False))
            assert cached == oracle, self.parts
            decisions.append(cached)
        return decisions

    async def decision(self, decide: Callable[[Any], Any]) -> object:
        handler = self.handler(self.parts)
        try:
            identity = await decide(handler)
        except HTTPError as error:
            return error.status_code
        auth = self.service.auth
        by_header, token = auth.uses_header_token(handler), auth.token_of(handler)
        return identity and (identity["name"], identity["token_id"], by_header, token)

    async def let_happen(self, event: str) -> None:
        auth, identities = self.service.auth, self.service.auth.identities
        if event == "sign out":
            auth.sign_out(self.handler(self.parts))
        elif event == "invalidate":
            handler = self.handler(self.parts)
            with suppress(HTTPError):
                if await auth.authenticate(handler):
                    auth.invalidate_identity(handler)
        elif event.startswith("revoke"):
            self.hub.users.pop(self.texts[event.split()[1]], None)
        elif event == "time passes":
            for identity in identities._identities._entries.values():
                identity.confirmed_at -= 1000
            for token in list(identities._refused):
                identities._refused.put(token, 0.0)
        else:
            for name in USERS:
                await auth.user_for_token(self.texts[name], sync=False)
