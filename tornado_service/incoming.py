"""Requests on their way in: all their bodies together take bounded memory."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

if TYPE_CHECKING:
    from tornado.web import Application

#: Bytes of bodies that are not there in full yet. A stranger's body has to be read, too.
MAX_UNFINISHED = 64 * 1024 * 1024

#: Seconds after which to try again.
RETRY_AFTER = 5


class Incoming(HTTPServerConnectionDelegate):
    """Hands requests on to the application; when too much is being sent, 503.

    Args:
        application: answers the requests.
        max_body_size: bytes that one body may have; a single one always fits.
    """

    def __init__(self, application: Application, max_body_size: int) -> None:
        self._application = application
        self.log = application.settings["service"].log
        self.limit = max(MAX_UNFINISHED, max_body_size)
        #: Bytes that have arrived of bodies which are not there in full.
        self.unfinished = 0

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> _Request:
        """Begin to read a request."""
        return _Request(
            self, request_conn, self._application.start_request(server_conn, request_conn)
        )


class _Request(HTTPMessageDelegate):
    """One request; its body counts until it is there, or has been given up."""

    def __init__(
        self, incoming: Incoming, connection: HTTPConnection, delegate: HTTPMessageDelegate
    ) -> None:
        self._incoming = incoming
        self._connection = connection
        self._delegate = delegate
        self._size = 0

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._size += len(chunk)
        self._incoming.unfinished += len(chunk)
        if self._incoming.unfinished > self._incoming.limit:
            self.on_connection_close()
            self._refuse()
            return None
        return self._delegate.data_received(chunk)

    def _refuse(self) -> None:
        """Answer at once; the connection is closed then, and the rest of the body not read."""
        self._incoming.log.warning("Too much is being sent at once: a request was refused")
        headers = HTTPHeaders({"Content-Length": "0", "Retry-After": str(RETRY_AFTER)})
        start_line = ResponseStartLine("HTTP/1.1", 503, "Service Unavailable")
        self._connection.write_headers(start_line, headers)
        self._connection.finish()

    def finish(self) -> None:
        self._forget()
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._forget()
        self._delegate.on_connection_close()

    def _forget(self) -> None:
        self._incoming.unfinished -= self._size
        self._size = 0
