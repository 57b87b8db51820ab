"""The request to the app, made of the visitor's."""

from __future__ import annotations

from functools import cache
from typing import Any

import h11
from jupyterhub.utils import get_browser_protocol
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

from ... import PageHandler
from .headers.cookies import CookieRules
from .headers.raw import RawHeaders
from .headers.request import VisitorFacts, make_request_headers
from .headers.response import ResponseRules
from .headers.tokens import find_tokens, without_tokens
from .paths import AppPaths, Locations
from .target import Target
from .visitor_body import UNKNOWN

#: Headers that say how long the body is.
FRAMING = frozenset({"content-length", "transfer-encoding"})

#: Values of parameters ``token`` in one request: each is a call of the hub.
MAX_TOKENS = 16


class AppRequest:
    """One request of a visitor, as the app gets it.

    Args:
        handler: the visitor's request.
        target: where the app listens.
    """

    def __init__(self, handler: PageHandler, target: Target) -> None:
        self._handler = handler
        self._target = target
        app, context, headers = handler.app, handler.context, handler.request.headers
        self._sent_host = headers["Host"] if "Host" in headers else ""  # noqa: SIM401 - faster
        self._public_host = context.public_host or self._sent_host
        is_https = context.public_https or _is_https(handler.request)
        self._protocol = "https" if is_https else "http"
        is_shared = not app.options.command  # it runs elsewhere: others may be on the same server
        self._paths = _make_paths(app.prefix, app.options.strip_prefix, target.path, is_shared)
        self._cookies = _make_cookie_rules(handler.hub_auth.cookie_name)
        self._uri = "/"

    async def make(self, length: int, *, is_websocket: bool) -> h11.Request:
        """The line and the headers of the request.

        Args:
            length: of the body in bytes; ``UNKNOWN`` for one in chunks.
            is_websocket: whether to ask for a WebSocket.

        Raises:
            HTTPError: 400, the path is not allowed, or there are too many tokens; 503, the hub has
                to say whether a parameter is one of its tokens, and does not respond.
        """
        handler, request = self._handler, self._handler.request
        tokens = find_tokens(request.uri or "")
        if "Referer" in request.headers:
            tokens |= find_tokens(request.headers["Referer"])
        if tokens:
            tokens = await self._hub_tokens(tokens)
        try:
            self._uri = self._paths.to_app(without_tokens(request.uri or "/", tokens))
        except ValueError as error:
            raise HTTPError(400, "The path has a segment . or .., which is not allowed.") from error
        authorizations = len(request.headers.get_list("Authorization"))
        is_hub_token = handler.hub_auth.uses_header_token(handler)
        headers = make_request_headers(
            request.headers,
            self._facts(),
            self._cookies,
            keeps_authorization=authorizations == 1 and not is_hub_token,
            hub_tokens=tokens,
        )
        headers.add("Host", self._host)
        handler.app.change_request_headers(handler, headers)
        _set_framing(headers, "Content-Length" in request.headers, length)
        if is_websocket:
            headers["Upgrade"] = "websocket"
            headers["Connection"] = "Upgrade"
        return h11.Request(
            method=(request.method or "").encode("ascii"),
            target=self._uri.encode("ascii"),
            headers=[
                (name.encode("latin-1"), value.encode("latin-1"))
                for name, value in headers.get_all()
            ],
        )

    async def _hub_tokens(self, found: set[str]) -> set[str]:
        """Those of the found values that are tokens of the hub."""
        if len(found) > MAX_TOKENS:
            raise HTTPError(400, "The URL has more than %d parameters 'token'.", MAX_TOKENS)
        auth = self._handler.hub_auth
        return {
            token for token in found if await auth.user_for_token(token, sync=False) is not None
        }

    @property
    def _host(self) -> str:
        if self._target.tls or not self._sent_host:
            return self._target.authority
        return self._sent_host

    def _facts(self) -> VisitorFacts:
        handler: Any = self._handler
        return VisitorFacts(
            user=handler.current_user,
            address=handler.client_ip,
            host=self._public_host,
            protocol=self._protocol,
            prefix=self._paths.prefix,
            request_id=handler.request_id,
        )

    def response_rules(self) -> ResponseRules:
        """How the headers of the response are changed."""
        host, protocol = self._public_host, self._protocol
        locations = Locations(self._paths, self._target, host, protocol, self._uri)
        policy: str = self._handler.settings["page_headers"]["Content-Security-Policy"]
        return ResponseRules(
            self._paths,
            locations,
            self._cookies,
            frame_ancestors_of(policy),
            self._handler.request.path,
        )


def _is_https(request: HTTPServerRequest) -> bool:
    if get_browser_protocol(request) == "https":
        return True
    if "X-Forwarded-Proto" not in request.headers:
        return False
    # JupyterHub ignores ws and wss, which its proxy and Traefik send with a WebSocket
    return bool(request.headers["X-Forwarded-Proto"].partition(",")[0].strip() == "wss")


@cache
def _make_paths(prefix: str, strips_prefix: bool, base: str, is_shared: bool) -> AppPaths:
    return AppPaths(
        prefix.rstrip("/"),
        strips_prefix=strips_prefix,
        base=base.rstrip("/"),
        is_shared=is_shared,
    )


_make_cookie_rules = cache(CookieRules)


@cache
def frame_ancestors_of(policy: str) -> str:
    """Those of the service, and our own origin: many frameworks put parts of a page in frames.

    Nothing is lost on an origin that is shared with users' servers: their pages can read the app
    without a frame.
    """
    configured = policy.partition("frame-ancestors ")[2].partition(";")[0]
    others = [site for site in configured.split() if site not in ("'none'", "'self'")]
    return " ".join(["'self'", *others])


def _set_framing(headers: RawHeaders, has_length: bool, length: int) -> None:
    """Describe the length of the body as it is sent, whatever a hook has done."""
    headers.change(lambda name, value: None if name in FRAMING else value)
    if length == UNKNOWN:
        headers.add("Transfer-Encoding", "chunked")
    elif has_length:
        headers.add("Content-Length", str(length))
