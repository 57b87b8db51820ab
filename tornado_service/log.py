"""Log lines: the hub's format, and nothing secret in them."""

from __future__ import annotations

import copy
import logging
import re
import time
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from tornado.log import LogFormatter

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest
    from tornado.web import RequestHandler

#: The line format of JupyterHub itself (``JupyterHub.log_format``).
LOG_FORMAT = (
    "%(color)s[%(levelname)1.1s %(asctime)s.%(msecs).03d %(name)s"
    " %(module)s:%(lineno)d]%(end_color)s %(message)s"
)

#: How much of one text that a visitor chose may stand in a line. In characters, as all here.
MAX_TEXT = 500

#: How much of one message, and of one traceback.
MAX_MESSAGE = 10_000

_KEYWORD = r"(?:token|auth|key|code|state|_xsrf|secret|cookie|session|passw)"
_SENSITIVE = re.compile(_KEYWORD, re.IGNORECASE)
# in an address that is part of another it is encoded, perhaps more than once
_EQUALS = re.compile(r"=|%(?:25)*3d", re.IGNORECASE)
# key=value in a form, "key": "value" in JSON or a header dump, Authorization: token x
# Each name is looked at from its beginning only, and a quote that nothing closes goes to the end:
# else a long text would take time by the square of its length, and half a value would be shown.
_SECRET_PAIR = re.compile(
    rf"""(?ix) ((?<![\w.-]) (?=[\w.-]*?{_KEYWORD}) [\w.-]+ ["']? \s*[=:]\s*
               | \bstate\ argument\s+)
         (?: ["']? (?:token|bearer|basic)\s+ )?
         (?: "[^"]*(?:"|\Z) | '[^']*(?:'|\Z) | [^\s&;,"'}})]+ )"""
)


def _cut(text: str, size: int) -> str:
    """The beginning of a text. Names come before their values, so half a value is still known."""
    return text if len(text) <= size else text[:size] + "…"


def plain(text: str) -> str:
    """A text that a visitor chose, made fit for one log line: short, no control characters."""
    text = _cut(text, MAX_TEXT)
    return text if text.isprintable() else repr(text)[1:-1]


def scrub_uri(uri: str) -> str:
    """A request's path and query without the values that could sign somebody in."""
    path, mark, query = _cut(uri, MAX_TEXT).partition("?")
    return plain(path + mark + re.sub("[^&;]+", _scrub_parameter, query))


def _scrub_parameter(parameter: re.Match[str]) -> str:
    """A part of a query; without its value, if that is secret or an address with secrets in it."""
    name, _, value = parameter[0].partition("=")
    found = _SENSITIVE.search(value)
    is_secret = _SENSITIVE.search(unquote(name)) or (found and _EQUALS.search(value, found.end()))
    return f"{name}=[secret]" if value and is_secret else parameter[0]


def scrub(text: str) -> str:
    """A text without the values of things named token, code, state, cookie and the like.

    Of a very long one, only the beginning.
    """
    return _SECRET_PAIR.sub(r"\1[secret]", _cut(text, MAX_MESSAGE))


def forwarded_location(uri: str) -> str:
    """A redirect's target without its query, which for a sign-in holds the OAuth state."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # an app may redirect to anything
        return plain(uri.partition("?")[0])
    host = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return plain(host + parts.path)


#: The fields of a line format that ``ServiceLogFormatter.line`` knows.
_LINE_FIELDS = frozenset(
    {"color", "end_color", "levelname", "asctime", "msecs", "name", "module", "lineno", "message"}
)


class ServiceLogFormatter(LogFormatter):
    """The hub's line format; secrets are struck out of every line but the access lines.

    Access lines are made by ``log_request``, which has scrubbed them already.
    """

    #: Values that are struck out wherever they stand, such as in the text of an exception.
    secrets: tuple[str, ...] = ()

    _second = (0, "")

    def _scrubbed(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "[secret]")
        return scrub(text)

    def format(self, record: logging.LogRecord) -> str:
        """Return the finished line."""
        if not getattr(record, "scrubbed", False):
            record = copy.copy(record)
            record.msg, record.args = self._scrubbed(record.getMessage()), None
        return super().format(record)

    @property
    def is_plain(self) -> bool:
        """Whether ``line`` knows everything that the format asks for."""
        return set(re.findall(r"%\((\w+)\)", str(self._fmt))) <= _LINE_FIELDS

    def line(self, level: int, name: str, message: str) -> str:
        """Return an access line of this moment, in the same format."""
        now = time.time()
        second = int(now)
        if second != self._second[0]:
            self._second = (second, time.strftime(self.datefmt or "", time.localtime(second)))
        color = self._colors.get(level, "")
        return (
            str(self._fmt)
            % {
                "color": color,
                "end_color": self._normal if color else "",
                "levelname": logging.getLevelName(level),
                "asctime": self._second[1],
                "msecs": int((now - second) * 1000),
                "name": name,
                "module": "log",
                "lineno": log_request.__code__.co_firstlineno,
                "message": message,
            }
            + "\n"
        )

    def formatException(self, exc_info: Any) -> str:
        """Return the traceback."""
        return self._scrubbed(super().formatException(exc_info))


class LibraryNoise(logging.Filter):
    """Keeps out what the sign-in library says again for every request.

    ``jupyterhub._xsrf_utils`` logs the session id and a hash of the token each time it makes an
    XSRF cookie, and a warning for each request of a browser that sends no ``Sec-Fetch-Mode``
    (every browser on plain http).
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record may pass."""
        return record.module != "_xsrf_utils" or record.levelno > logging.WARNING


def keep_out(log: logging.Logger, *secrets: str) -> None:
    """Strike some values out of all lines of a log, whatever is said around them."""
    for handler in log.handlers:
        if isinstance(handler.formatter, ServiceLogFormatter):
            handler.formatter.secrets = secrets


def adopt_tornado(log: logging.Logger) -> None:
    """Send Tornado's and the hub library's lines where ours go.

    Args:
        log: the application's logger.
    """
    tornado = logging.getLogger("tornado")
    tornado.parent = log
    tornado.propagate = True
    application = logging.getLogger("tornado.application")
    if not any(isinstance(known, LibraryNoise) for known in application.filters):
        application.addFilter(LibraryNoise())


def log_request(handler: RequestHandler) -> None:
    """Tornado's ``log_function``: one line a request, with who asked, and its metrics.

    The hub's own checks, probes and static files that went well are at debug level.
    """
    status = handler.get_status()
    request = handler.request
    seconds = request.request_time()
    service = handler.settings["service"]
    service.metrics.observe(handler, status, seconds)

    level = _level(handler, status)
    log: logging.Logger = service.access_log
    if not log.isEnabledFor(level):
        return
    user = handler.current_user
    who = f"{plain(user['name']) if user else ''}@{visitor_address(request)}"
    message = (
        f"{status} {request.method} {scrub_uri(request.uri or '')}{_location(handler, status)}"
        f" ({who}) {seconds * 1000:.2f}ms"
    )
    if status >= 500:
        message += f" request_id={handler.request_id}"  # type: ignore[attr-defined]
    write_line(log, level, message)


def write_line(log: logging.Logger, level: int, message: str) -> None:
    """Log a line that is scrubbed already. One that cannot be written is lost.

    Where the log is as we set it up, the line is written as it is: making a record of it and
    handing that on costs a twentieth of a request.
    """
    handler: Any
    for handler in log.handlers:
        if not _is_ours(handler):
            record = logging.LogRecord(log.name, level, __file__, 0, message, None, None)
            record.__dict__["scrubbed"] = True
            handler.handle(record)
        elif level >= handler.level:
            # a full disk, a pipe that nobody empties, a closed stream: there is no other place to
            # say it, and the request has been answered already
            with suppress(OSError, ValueError):
                handler.stream.write(handler.formatter.line(level, log.name, message))
                handler.stream.flush()


@cache
def _is_ours(handler: Any) -> bool:
    formatter = handler.formatter
    ours = type(handler) is logging.StreamHandler and type(formatter) is ServiceLogFormatter
    return ours and formatter.is_plain


def visitor_address(request: HTTPServerRequest) -> str:
    """Where a request comes from, by the word of the nearest proxy: good enough for the log."""
    forwarded = request.headers.get("X-Forwarded-For")
    return plain(forwarded.rpartition(",")[2].strip()) if forwarded else str(request.remote_ip)


def _level(handler: RequestHandler, status: int) -> int:
    if status < 400:
        return logging.DEBUG if getattr(handler, "quiet", False) else logging.INFO
    if getattr(handler, "quiet", False) and status == 503:
        return logging.DEBUG
    return logging.WARNING if status < 500 else logging.ERROR


def _location(handler: RequestHandler, status: int) -> str:
    if status in (301, 302, 303, 307, 308):
        return f" -> {forwarded_location(handler._headers.get('Location', ''))}"
    return ""
