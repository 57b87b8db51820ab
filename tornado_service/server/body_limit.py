"""Bounds the memory for incoming requests, and keeps them from blocking the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import cast

from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    ParseBodyConfig,
    ParseMultipartConfig,
    RequestStartLine,
    ResponseStartLine,
    set_parse_body_config,
)
from tornado.web import Application

from .connection_reuse import discard_rest, must_close
from .header_limit import HeaderLimiter

#: Bytes of incomplete bodies. Those of unauthenticated clients have to be read, too.
MAX_PENDING_BODY_BYTES = 64 * 1024 * 1024

#: Seconds after which to retry.
RETRY_AFTER = 5

#: Bytes of a form without files, and its fields: Tornado parses it at once.
MAX_FORM_BYTES = 512 * 1024
MAX_FORM_FIELDS = 1000

#: Bytes of the headers of a part of a form with files. There may be 100 parts.
MAX_PART_HEADER_BYTES = 1024

#: Chunks of a body before other tasks run: a client can make them as small as a byte.
CHUNKS_PER_TURN = 500


class BodyLimiter(HTTPServerConnectionDelegate):
    """Passes requests on to the application; responds with 503 if too much data is pending.

    Args:
        application: handles the requests.
        log: receives a line for each dropped request.
        max_body_size: bytes that one body may have; a single one always fits.
    """

    def __init__(self, application: Application, log: logging.Logger, max_body_size: int) -> None:
        self._application = application
        self.log = log
        self.limit = max(MAX_PENDING_BODY_BYTES, max_body_size)
        #: Received bytes of incomplete bodies.
        self.pending_bytes = 0
        self.headers = HeaderLimiter(self.log)
        multipart = ParseMultipartConfig(max_part_header_size=MAX_PART_HEADER_BYTES)
        set_parse_body_config(ParseBodyConfig(multipart=multipart))

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> _Request:
        server_connection = cast("HTTP1ServerConnection", server_conn)
        discard_rest(server_connection.stream)
        self.headers.expect(server_connection)
        return _Request(
            self,
            server_connection,
            request_conn,
            self._application.start_request(server_conn, request_conn),
        )

    def on_close(self, server_conn: object) -> None:
        self.headers.forget(cast("HTTP1ServerConnection", server_conn))


class _Request(HTTPMessageDelegate):
    """One request; its body counts until it is complete or dropped.

    Bodies of handlers with ``tornado.web.stream_request_body`` do not count.
    """

    def __init__(
        self,
        limiter: BodyLimiter,
        server_connection: HTTP1ServerConnection,
        connection: HTTPConnection,
        delegate: HTTPMessageDelegate,
    ) -> None:
        self._limiter = limiter
        self._server_connection = server_connection
        self._connection = connection
        self._delegate = delegate
        self._size = 0
        self._chunks = 0
        self._is_form = False
        self._is_streamed = False
        self._separators = 0

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._limiter.headers.mark_received(self._server_connection)
        if must_close(cast("RequestStartLine", start_line), headers):
            cast("HTTP1Connection", self._connection)._disconnect_on_finish = True
        self._is_form = "Content-Type" in headers and headers["Content-Type"].startswith(
            "application/x-www-form-urlencoded"
        )
        waits = self._delegate.headers_received(start_line, headers)
        # Tornado's own delegates: the router's, which has found that of the handler
        target = getattr(self._delegate, "delegate", None)
        self._is_streamed = getattr(target, "stream_request_body", False)
        return waits

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        if self._is_streamed:  # not collected: its handler takes it piece by piece
            return self._delegate.data_received(chunk)
        self._size += len(chunk)
        self._limiter.pending_bytes += len(chunk)
        if self._limiter.pending_bytes > self._limiter.limit:
            self._limiter.log.warning("Too much is being sent at once: a request was refused")
            self._reject(503, "Service Unavailable", {"Retry-After": str(RETRY_AFTER)})
            return None
        if self._is_form:
            self._separators += chunk.count(b"&")
            if self._size > MAX_FORM_BYTES or self._separators >= MAX_FORM_FIELDS:
                self._reject(413, "Content Too Large", {})
                return None
        self._chunks += 1
        waits = self._delegate.data_received(chunk)
        return asyncio.sleep(0) if waits is None and self._chunks % CHUNKS_PER_TURN == 0 else waits

    def _reject(self, status: int, reason: str, headers: dict[str, str]) -> None:
        """Respond at once; then the connection is closed, and the rest of the body is not read."""
        self.on_connection_close()
        sent = HTTPHeaders({"Content-Length": "0", **headers})
        self._connection.write_headers(ResponseStartLine("HTTP/1.1", status, reason), sent)
        self._connection.finish()

    def finish(self) -> None:
        self._release()
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._release()
        self._delegate.on_connection_close()

    def _release(self) -> None:
        self._limiter.pending_bytes -= self._size
        self._size = 0
