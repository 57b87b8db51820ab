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

#: How much the kernel may hold for a reader who does not read, in bytes. Its own choice may be
#: some megabytes, for each connection.
SEND_BUFFER_SIZE = 64 * 1024


class StreamingHandler(APIHandler):
    """A response that stays open, and is ended when its user may not see it any more."""

    stream_kind: ClassVar[str]

    _iostream: IOStream

    def is_navigation(self) -> bool:
        """Never: nobody is sent to a sign-in page from here."""
        return False

    @property
    def scopes(self) -> frozenset[str]:
        return scopes_needed(self.get)

    def is_still_allowed(self, user: Identity) -> bool:
        """Whether the caller, of whom the hub has just told, may go on listening."""
        try:
            self.check_hub_user(user)
        except UserNotAllowed:
            return False
        return not self.hub_auth.missing_scopes(self.scopes, user)

    def attach(self) -> bool:
        """Take hold of the connection, if there still is one, and of how much waits in it."""
        # Tornado's types do not say that it is there
        self._iostream = self.request.connection.stream  # type: ignore[union-attr]
        if self._iostream.closed():
            return False
        self._iostream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_SIZE)
        return True

    def drop_slow_reader(self) -> None:
        self.context.metrics.streams_dropped.labels(self.stream_kind).inc()
        self.abort()

    def close_with_reason(self, reason: CloseReason) -> None:
        """End it at once, and say why if the reader takes it."""
        raise NotImplementedError  # event streams and web sockets say why in words of their own

    def abort(self) -> None:
        self._iostream.close()
