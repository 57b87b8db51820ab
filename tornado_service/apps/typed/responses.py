"""The decorator that declares the response of a method, without loading pydantic."""

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
    """Declare the response that a method writes itself, for the OpenAPI document.

    Args:
        model: a type that pydantic supports.
        statuses: those with this response; default 200.
        media_type: of the response.
    """

    def mark(method: Method) -> Method:
        method._response_spec = ResponseSpec(model, statuses or (200,), media_type)  # type: ignore[attr-defined]
        return method

    return mark
