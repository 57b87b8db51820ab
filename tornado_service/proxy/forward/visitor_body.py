"""The length of a request body, as the visitor declares it."""

from __future__ import annotations

import re

from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

#: The length of a body in chunks.
UNKNOWN = -1


def declared_length(request: HTTPServerRequest) -> int:
    """The bytes of the body of a request; ``UNKNOWN`` for one in chunks, 0 for none.

    Tornado checks this too, but only after the app has been called.

    Raises:
        HTTPError: 400, servers might see different lengths (RFC 9112, section 6.3).
    """
    codings = request.headers.get_list("Transfer-Encoding")
    lengths = {
        length.strip()
        for value in request.headers.get_list("Content-Length")
        for length in value.split(",")
    }
    if codings:
        is_chunked = [coding.lower() for coding in codings] == ["chunked"]
        if lengths or not is_chunked or request.version == "HTTP/1.0":
            raise HTTPError(400, "The length of the request's body is not clear.")
        return UNKNOWN
    if not lengths:
        return 0
    length = lengths.pop()
    if lengths or not re.fullmatch("[0-9]{1,18}", length):
        raise HTTPError(400, "The length of the request's body is not clear.")
    return int(length)
