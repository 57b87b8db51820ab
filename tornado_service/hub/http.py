"""An HTTP client that distinguishes too large responses from broken connections."""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from typing import Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders
from tornado.simple_httpclient import SimpleAsyncHTTPClient, _HTTPConnection

from .errors import HubResponseTooLarge, HubUnavailable

#: Bytes of a response; a hub's largest page of users has ~2 MiB.
MAX_RESPONSE = 8 * 1024 * 1024


class _Connection(_HTTPConnection):
    """Closes itself as soon as a response is too large.

    Tornado's own ``max_body_size`` does so, too, but raises the same error as if the hub closes
    the connection.
    """

    _received = 0

    async def headers_received(self, first_line: Any, headers: HTTPHeaders) -> None:
        await super().headers_received(first_line, headers)
        length = headers.get("Content-Length", "")
        if length.isascii() and length.isdigit() and int(length) > MAX_RESPONSE:
            self._reject(int(length))

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Count the bytes, as the length may be unknown before."""
        self._received += len(chunk)
        if self._received > MAX_RESPONSE:
            self._reject(None)
            return None
        return super().data_received(chunk)

    def _reject(self, size: int | None) -> None:
        error: HubUnavailable
        if self.code is not None and 200 <= self.code < 300:
            url = urlsplit(self.request.url)
            path = f"{url.path}?{url.query}" if url.query else url.path
            error = HubResponseTooLarge(f"{self.request.method} {path}", MAX_RESPONSE, size)
        else:
            error = HubUnavailable(f"it returned {self.code}, with a body that is too large")
        self._handle_exception(type(error), error, None)


class BoundedHTTPClient(SimpleAsyncHTTPClient):
    """Tornado's client; ``fetch`` raises ``HubResponseTooLarge`` and reads no further."""

    def initialize(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Leave the limit to the connection.

        Before Tornado 6.6 a response without a length is read into the buffer before it is counted.
        """
        super().initialize(max_body_size=sys.maxsize, max_buffer_size=2 * MAX_RESPONSE, **kwargs)

    def _connection_class(self) -> type:
        return _Connection
