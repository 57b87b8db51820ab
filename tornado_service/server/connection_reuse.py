"""Requests after which a connection has no other one, as proxies share connections between users.

If the length of a body that comes is not the one that is declared, the rest of one user's request
is read as a request, or the next user's as the rest, and responses go to the wrong users
(https://www.rfc-editor.org/rfc/rfc9112#section-11.2).
"""

from __future__ import annotations

from tornado.httputil import HTTPHeaders, RequestStartLine
from tornado.iostream import IOStream

#: Methods for which servers and proxies differ in whether a body is read.
WITHOUT_BODY = frozenset({"DELETE", "OPTIONS"})


def must_close(start_line: RequestStartLine, headers: HTTPHeaders) -> bool:
    """Whether the connection has to be closed after the response to a request.

    Args:
        start_line: that of the request.
        headers: those of the request.
    """
    is_upgrade = "Upgrade" in headers  # nobody reads its body as one
    if not is_upgrade and start_line.method not in WITHOUT_BODY:
        return False
    has_body = "Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0"
    return has_body if is_upgrade else not has_body


def discard_rest(stream: IOStream) -> None:
    """Drop what has come on a connection that is closed: Tornado would read it as requests."""
    if stream.closed():
        stream._read_buffer.clear()
        stream._read_buffer_size = 0
