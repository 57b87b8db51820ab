"""The response that a method declares by a decorator, without loading pydantic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])


class ResponseSpec(NamedTuple):
    """The response of a method that succeeds."""

    model: Any
    statuses: tuple[int, ...]
    media_type: str


def responds_with(
    model: Any, *statuses: int, media_type: str = "application/json"
) -> Callable[[Method], Method]:
    """Say what a method writes by itself, for the API's document.

    Args:
        model: a type that pydantic knows.
        statuses: those with this response; default 200.
        media_type: of the response.
    """

    def mark(method: Method) -> Method:
        method._response_spec = ResponseSpec(model, statuses or (200,), media_type)  # type: ignore[attr-defined]
        return method

    return mark
