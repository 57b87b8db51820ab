"""503: a dependency of a request is temporarily unavailable."""

from __future__ import annotations

import logging
from typing import ClassVar

from tornado.web import HTTPError


class ServiceUnavailable(HTTPError):
    """A dependency of a request is temporarily unavailable: 503, try again later.

    Attributes:
        detail: for the log and for administrators; others see the message only.
        retry_after: seconds after which to retry; ``None`` if that does not help.
        is_logged: whether the log has the reason already: an outage is logged once, instead of by
            each request.
    """

    _status: ClassVar[int] = 503
    _message: ClassVar[str]
    _logged_as: ClassVar[str]

    def __init__(
        self, detail: str, retry_after: int | None = 5, *, is_logged: bool = False
    ) -> None:
        super().__init__(self._status, self._message)
        self.detail = detail
        self.retry_after = retry_after
        self.is_logged = is_logged

    def log_reason(self, log: logging.Logger, where: str) -> None:
        """Log the reason; at debug level if the log has it already."""
        level = logging.DEBUG if self.is_logged else logging.WARNING
        log.log(level, "%s, %s: %s", self._logged_as, where, self.detail)
