"""Compression of answers, as far as it holds up nobody."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders
from tornado.web import GZipContentEncoding

#: A longer answer is sent as it is, in bytes: compressing it would take some 30 ms a MiB, and all
#: others would wait for that.
LONGEST = 1024 * 1024


class Compression(GZipContentEncoding):
    """Tornado's, for answers up to ``LONGEST``."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Compress the beginning of an answer, unless it is too long."""
        self._gzipping = self._gzipping and len(chunk) <= LONGEST
        return super().transform_first_chunk(status_code, headers, chunk, finishing)
