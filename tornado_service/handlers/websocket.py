"""WebSocketHandler: WebSockets of signed-in users, opened by our pages."""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING, Any, ClassVar

from tornado import websocket
from tornado.escape import json_encode, utf8
from tornado.web import HTTPError

from ..auth.decorators import scopes_needed
from ..auth.origin import is_own_url
from .streaming import StreamingHandler

if TYPE_CHECKING:
    from ..streaming.registry import CloseReason

#: The largest message in either direction, and the limit of buffered data, in bytes.
MAX_MESSAGE = 256 * 1024


class WebSocketHandler(StreamingHandler, websocket.WebSocketHandler):
    """Tornado's WebSocket handler, for users with access to this service.

    ``open``, ``on_message``, ``on_close``, ``write_message`` and ``close`` are Tornado's,
    https://www.tornadoweb.org/en/stable/websocket.html . ``needs_scopes`` on ``open``
    requires more than access.

    In pages, ``serviceSocket`` opens it. The service closes it with the code

    - 1001 when the service is stopped,
    - 1008 when the user has signed out or lost access,
    - 1013 when the hub has not responded for too long.
    """

    stream_kind: ClassVar[str] = "sockets"

    max_message_size = MAX_MESSAGE

    _buffered = 0  # bytes that the client has not received

    @property
    def scopes(self) -> frozenset[str]:
        return super().scopes | scopes_needed(self.open)

    @property
    def ping_interval(self) -> float:
        """Seconds between pings; a client without a response before the next is disconnected."""
        return self.context.streams.heartbeat

    async def prepare(self) -> None:
        """Authenticate the request, check the user's access, and that one of our pages made it.

        Raises:
            HTTPError: 400, 401 or 403, as JSON; there is no redirect.
        """
        await super().prepare()
        if self.request.method == "OPTIONS":
            return
        headers = self.request.headers
        if self.request.method != "GET" or headers.get("Upgrade", "").lower() != "websocket":
            raise HTTPError(400, "This URL is for WebSockets only.")
        origin = headers.get("Origin")
        if origin is not None and not self.check_origin(origin):
            self.hub_auth.refused_origins.log(headers)
            raise HTTPError(403, "This page is not one of this service.")
        self._check_query_xsrf()
        if self.current_user and not self.is_still_allowed(self.current_user):
            raise HTTPError(
                403, "A scope is missing: %s. An admin can grant it.", ", ".join(self.scopes)
            )

    def check_origin(self, origin: str) -> bool:
        """Whether it is our own origin, by the host in the browser's URL."""
        return is_own_url(origin, self.request.headers, self.context.public_host)

    def _check_query_xsrf(self) -> None:
        """Check that a request with a cookie came from one of our pages.

        Other users' servers may share our host: only our pages have the XSRF token. A browser
        cannot send it in a header here.
        """
        if self.checks_origin or self.hub_auth.uses_header_token(self):
            return
        sent = self.get_query_argument("_xsrf", "")
        if not hmac.compare_digest(sent.encode(), self.xsrf_token):
            raise HTTPError(403, "The XSRF token is missing or wrong: open it by serviceSocket().")

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Open it, and serve it until it is closed.

        Raises:
            HTTPError: 401, 429 or 503: see ``Streams.register``.
        """
        with self.context.streams.register(self):
            if self.attach():
                await super().get(*args, **kwargs)

    def write_message(
        self, message: bytes | str | dict[str, Any], binary: bool = False
    ) -> asyncio.Future[None]:
        """Send a message.

        Raises:
            ValueError: it is too large.
            WebSocketClosedError: the socket is closed, possibly just now because its client is
                too slow.
        """
        content = utf8(json_encode(message) if isinstance(message, dict) else message)
        if len(content) > MAX_MESSAGE:
            raise ValueError(
                f"The message has {len(content)} bytes, more than the limit of"
                f" {MAX_MESSAGE}: split it."
            )
        if self._buffered + len(content) > MAX_MESSAGE:
            self.drop_slow_reader()
            raise websocket.WebSocketClosedError
        written = super().write_message(content, binary)
        self._buffered += len(content)
        written.add_done_callback(lambda future: self._on_written(len(content), future))
        return written

    def _on_written(self, size: int, future: asyncio.Future[None]) -> None:
        self._buffered -= size
        if not future.cancelled():
            future.exception()  # retrieved, else asyncio logs it

    def close_with_reason(self, reason: CloseReason) -> None:
        """Close it at once with a reason; messages that arrive before it is closed are dropped."""
        self.on_message = _discard_message  # type: ignore[method-assign]
        self.close(reason.code, reason.label)


def _discard_message(message: str | bytes) -> None:
    """Ignore a message: its sender has lost access."""
