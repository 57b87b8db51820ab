"""Shared by event streams and WebSockets: responses that last as long as a session."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, ClassVar

from jupyterhub.services.auth import UserNotAllowed
from tornado.iostream import IOStream

from ..auth.decorators import scopes_needed
from .base import APIHandler

if TYPE_CHECKING:
    from ..auth.identity_cache import Identity
    from ..streaming.registry import CloseReason

#: The kernel's send buffer for a slow client, in bytes. The default may be some megabytes for
#: each connection.
SEND_BUFFER_SIZE = 64 * 1024


class StreamingHandler(APIHandler):
    """A response that stays open, and ends when its user loses access."""

    stream_kind: ClassVar[str]

    _iostream: IOStream

    def is_navigation(self) -> bool:
        """False: streams never redirect to the sign-in page."""
        return False

    @property
    def scopes(self) -> frozenset[str]:
        return scopes_needed(self.get)

    def is_still_allowed(self, user: Identity) -> bool:
        """Whether the user, whom the hub has just confirmed, may keep the stream."""
        try:
            self.check_hub_user(user)
        except UserNotAllowed:
            return False
        if self.app is not None and not self.app.allows(user):
            return False
        return not self.hub_auth.missing_scopes(self.scopes, user)

    def attach(self) -> bool:
        """Get the connection, if it is still open, and bound its send buffer."""
        # Tornado's types do not declare it
        self._iostream = self.request.connection.stream  # type: ignore[union-attr]
        if self._iostream.closed():
            return False
        self._iostream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_SIZE)
        return True

    def drop_slow_reader(self) -> None:
        self.context.metrics.streams_dropped.labels(self.stream_kind).inc()
        self.abort()

    def close_with_reason(self, reason: CloseReason) -> None:
        """End it at once, and send the reason if the client reads."""
        raise NotImplementedError  # event streams and WebSockets send the reason in different ways

    def abort(self) -> None:
        self._iostream.close()
