"""Log lines in the hub's format, without secrets."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
import warnings
from typing import Any

from tornado.log import LogFormatter

from .redaction import REDACTED, RedactedText, redact_text, single_line

#: The line format of JupyterHub itself (``JupyterHub.log_format``).
LOG_FORMAT = (
    "%(color)s[%(levelname)1.1s %(asctime)s.%(msecs).03d %(name)s"
    " %(module)s:%(lineno)d]%(end_color)s %(message)s"
)


class ServiceLogFormatter(LogFormatter):
    """The hub's line format; secrets are redacted in every line.

    A message is one line; neither it nor a traceback contains control characters. Access lines are
    ``RedactedText`` already.
    """

    #: Values to redact wherever they occur, such as in the text of an exception.
    secrets: tuple[str, ...] = ()

    _second = (-1, "")  # of the last record, and as text

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """The time of a record; it is made once for all records of a second."""
        second = int(record.created)
        if second != self._second[0]:
            self._second = (second, super().formatTime(record, datefmt))
        return self._second[1]

    def _without_secrets(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, REDACTED)
        return text

    def _redacted(self, text: str) -> str:
        return redact_text(self._without_secrets(text))

    def format(self, record: logging.LogRecord) -> str:
        """Return the formatted line, and the traceback below it."""
        try:
            text = record.getMessage().strip("\n")
        except Exception as error:  # logging itself would print the arguments
            text = f"{record.msg} (not formatted: {type(error).__name__})"
        is_redacted = isinstance(record.msg, RedactedText)
        text = self._without_secrets(text) if is_redacted else self._redacted(text)
        record.message = single_line(text)
        record.asctime = self.formatTime(record, self.datefmt)
        color = self._colors.get(record.levelno, "")
        record.color, record.end_color = color, color and self._normal
        line = (self._fmt or "") % vars(record)
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        elif record.exc_text:
            line += "\n" + "\n".join(map(single_line, self._redacted(record.exc_text).split("\n")))
        return line.replace("\n", "\n    ")

    def formatException(self, exc_info: Any) -> str:
        """The traceback: Python's lines are kept, the texts of the errors are redacted."""
        entries = traceback.format_exception(*exc_info)
        return self._redacted("".join(map(_single_line_entry, entries)).rstrip("\n"))


def _single_line_entry(entry: str) -> str:
    """An entry of a traceback; only that of a frame has several lines."""
    body = entry.strip("\n")
    is_frame = body.lstrip(" |").startswith('File "')
    lines = body.split("\n") if is_frame else [body]
    return entry.replace(body, "\n".join(map(single_line, lines))) if body else entry


class XsrfLogFilter(logging.Filter):
    """Drops repeated lines of the library, one or more for every request.

    ``jupyterhub._xsrf_utils`` logs the session id and a hash of the token each time it makes an
    XSRF cookie, and a warning for each request of a browser that sends no ``Sec-Fetch-Mode``
    (every browser on plain http).
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return record.module != "_xsrf_utils" or record.levelno > logging.WARNING


def redact(log: logging.Logger, *secrets: str) -> None:
    """Redact values in all lines of a log, whatever surrounds them."""
    for handler in log.handlers:
        if isinstance(handler.formatter, ServiceLogFormatter):
            handler.formatter.secrets = secrets


def capture_tornado_logs(log: logging.Logger) -> None:
    """Send the log records of Tornado, the hub library and our own modules to our log."""
    for name in ("tornado", "tornado_service"):
        logging.getLogger(name).parent = log
        logging.getLogger(name).propagate = True
    application = logging.getLogger("tornado.application")
    if not any(isinstance(log_filter, XsrfLogFilter) for log_filter in application.filters):
        application.addFilter(XsrfLogFilter())


class _ForwardingHandler(logging.Handler):
    """Passes the records of loggers without a handler to ours."""

    def __init__(self, log: logging.Logger) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.handle(record)


def capture_process_output(log: logging.Logger) -> None:
    """Send everything that Python would write to stderr itself to our log.

    This includes asyncio and other libraries, warnings, and uncaught errors.
    """

    def uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            log.critical("Uncaught exception", exc_info=(kind, error, trace))

    def uncaught_in_thread(details: threading.ExceptHookArgs) -> None:
        if details.exc_value and not issubclass(details.exc_type, SystemExit):
            log.error("Uncaught exception in a thread", exc_info=details.exc_value)

    def unraisable(details: sys.UnraisableHookArgs) -> None:
        log.error(details.err_msg or "Exception ignored", exc_info=details.exc_value)

    logging.lastResort = _ForwardingHandler(log)
    sys.excepthook = uncaught
    threading.excepthook = uncaught_in_thread
    sys.unraisablehook = unraisable
    # without the line of code, which in a config file may hold a secret
    warnings.formatwarning = lambda message, category, filename, lineno, line=None: (
        f"{filename}:{lineno}: {category.__name__}: {message}"
    )
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").parent = log
