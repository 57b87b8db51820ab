"""Reads the rest of a request's body after the response, so that the visitor sees that."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import Any

from tornado.web import HTTPError

from .. import PageHandler
from .forward.visitor_body import declared_length

#: Bytes and seconds that are still read of a body after the response, so that the visitor gets to
#: read the response (https://www.rfc-editor.org/rfc/rfc9112#section-9.6).
LINGER_BYTES = 1024 * 1024
LINGER_SECONDS = 2.0


class LingeringHandler(PageHandler):
    """A handler with `tornado.web.stream_request_body` that may respond before the body has ended.

    To close the connection at once would reset it, as unread bytes have come, and the visitor
    would not see the response.
    """

    _linger_task: asyncio.Task[None] | None = None
    _discarded = 0

    @property
    def _connection(self) -> Any:
        return self.request.connection  # an HTTP1Connection, more than Tornado's types declare

    @property
    def is_lingering(self) -> bool:
        """Whether the response is sent, and the rest of the body is being read."""
        return self._linger_task is not None

    def discard(self, chunk: bytes) -> None:
        """Count a piece of the body that nobody needs; after some of them, end the connection."""
        self._discarded += len(chunk)
        if self._discarded > LINGER_BYTES and self._linger_task is not None:
            self._linger_task.cancel()

    def finish(self, chunk: Any = None) -> Any:
        """End the response; read on for a while if the body of the request has not ended."""
        if chunk is not None:
            self.write(chunk)
        if self._linger_task is None and not self._must_linger():
            return super().finish()
        if self._linger_task is None:
            if not self._headers_written:
                self._transforms = []
                self.set_header("Content-Length", sum(map(len, self._write_buffer)))
                self.flush()
            self._connection.set_body_timeout(None)
            self._connection.set_max_body_size(sys.maxsize)
            self._linger_task = asyncio.get_running_loop().create_task(self._linger())
        return asyncio.shield(self._linger_task)

    def _must_linger(self) -> bool:
        headers = self.request.headers
        if self.request._body_future.done():
            return False
        is_prepared = self._prepared_future is None or self._prepared_future.done()
        if "Expect" in headers and not is_prepared:
            return False  # who asks by Expect has not got a 100, so has not sent the body
        try:
            has_body = declared_length(self.request) != 0
        except HTTPError:  # nobody knows where it ends
            return False
        return has_body and not self._connection.stream.closed()

    async def _linger(self) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.wait({self.request._body_future}, timeout=LINGER_SECONDS)
        super().finish()
