"""Access log: a line for each request, with its user, without secrets."""

from __future__ import annotations

import logging
import re
from contextlib import suppress

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from .redaction import RedactedText, redact_location, redact_uri, visitor_text

#: An IP address, which may have a port; any other text in the header is not logged.
_IP_ADDRESS = re.compile(
    r"\[?(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|(?:[0-9a-f]{0,4}:){2,7}[0-9a-f.]{0,15})\]?(?::[0-9]{1,5})?",
    re.IGNORECASE,
)


def log_request(handler: RequestHandler) -> None:
    """Tornado's ``log_function``: one line for each request, with its user, and its metrics.

    Successful probes, calls of the hub and static files are logged at debug level.
    """
    status = handler.get_status()
    request = handler.request
    seconds = request.request_time()
    context = handler.settings["context"]
    context.metrics.observe(handler, status, seconds)

    level = _level(handler, status)
    log: logging.Logger = context.log
    if not log.isEnabledFor(level):
        return
    user = handler.current_user
    client = f"{visitor_text(user['name']) if user else ''}@{client_address(request)}"
    message = (
        f"{status} {request.method} {redact_uri(request.uri or '')}{_location(handler, status)}"
        f" ({client}) {seconds * 1000:.2f}ms"
    )
    if status >= 500:
        message += f" request_id={handler.request_id}"  # type: ignore[attr-defined]
    with suppress(Exception):  # logging raises if stderr is closed; the request must be finished
        log.log(level, RedactedText(message))


def client_address(request: HTTPServerRequest) -> str:
    """The client's address according to the nearest proxy: accurate enough for the log."""
    if "X-Forwarded-For" in request.headers:
        forwarded = request.headers["X-Forwarded-For"].rpartition(",")[2].strip()
        if _IP_ADDRESS.fullmatch(forwarded):
            return forwarded
    return str(request.remote_ip)


def _level(handler: RequestHandler, status: int) -> int:
    if status < 400:
        return logging.DEBUG if getattr(handler, "quiet", False) else logging.INFO
    if getattr(handler, "quiet", False) and status == 503:
        return logging.DEBUG
    return logging.WARNING if status < 500 else logging.ERROR


def _location(handler: RequestHandler, status: int) -> str:
    if status in (301, 302, 303, 307, 308):
        return f" -> {redact_location(handler._headers.get('Location', ''))}"
    return ""
