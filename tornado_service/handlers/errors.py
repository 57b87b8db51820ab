"""Error responses: JSON in the hub's format, without internal details."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from http.client import responses
from typing import TYPE_CHECKING, Any

from tornado.escape import json_encode
from tornado.web import HTTPError, RequestHandler

from ..service_unavailable import ServiceUnavailable

if TYPE_CHECKING:
    from .context import ServiceContext


NOT_FOUND = "There is nothing at this URL."


@dataclass(frozen=True)
class FieldError:
    """A problem of a field of the request."""

    field: str
    problem: str


@dataclass(frozen=True)
class Error:
    """Why a request failed; ``request_id`` is also in the log."""

    status: int
    message: str
    request_id: str = ""
    errors: list[FieldError] = field(default_factory=list)


class InvalidRequest(HTTPError):
    """400: invalid input; the response lists the errors, field by field.

    Args:
        problems: messages by the field's name. They must not contain the input value, which may
            be a secret.
    """

    def __init__(self, *problems: tuple[str, str]) -> None:
        text = "; ".join(f"{field}: {problem}" for field, problem in problems)
        super().__init__(400, "%s", text)
        self.errors = [{"field": field, "problem": problem} for field, problem in problems]


class JSONErrorMixin(RequestHandler):
    """Responds in JSON, also for errors."""

    context: ServiceContext
    _request_id: str | None = None

    @property
    def request_id(self) -> str:
        """The ID that links an error response to its lines in the log."""
        if self._request_id is None:
            # not a secret, so that each request to a web app does not read the system's randomness
            self._request_id = f"{random.getrandbits(64):016x}"
        return self._request_id

    def public_error(self, status_code: int, **kwargs: Any) -> dict[str, Any]:
        """The public text of an error: our own words, never an exception's.

        The format is that of the hub's API.
        """
        error = kwargs.get("exc_info", (None, None, None))[1]
        message = responses.get(status_code, "Unknown error")
        if isinstance(error, HTTPError) and (status_code < 500 or hasattr(error, "retry_after")):
            message = error.get_message() or message
        response: dict[str, Any] = {"status": status_code, "message": message}
        if isinstance(error, InvalidRequest):
            response["errors"] = error.errors
        if status_code >= 500:
            response["request_id"] = self.request_id
        return response

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Send an error as JSON, with the headers that its status requires."""
        self.set_error_headers(status_code, **kwargs)
        self.write_json(self.public_error(status_code, **kwargs))
        self.finish()

    def set_error_headers(self, status_code: int, **kwargs: Any) -> None:
        raise NotImplementedError  # `BaseHandler` has them, as only it knows what is allowed

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log the cause of an error, which responses must not contain."""
        if isinstance(value, ServiceUnavailable):
            value.log_reason(self.context.log, f"request_id={self.request_id}")
            return
        if isinstance(value, HTTPError):
            return
        self.context.log.error(
            "Uncaught exception, request_id=%s", self.request_id, exc_info=(typ, value, tb)
        )

    def write_json(self, value: Any) -> None:
        """Respond with JSON."""
        self.write_json_bytes(json_encode(value).encode())

    def write_json_bytes(self, body: bytes) -> None:
        """Respond with a body that is already JSON."""
        self._headers["Content-Type"] = "application/json; charset=utf-8"
        self.write(body)
