"""Bodies, queries and forms: parsed by pydantic models; errors never repeat input values."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Iterable
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from tornado.httputil import HTTPHeaders
from tornado.web import HTTPError

from ...handlers.errors import InvalidRequest
from ...telemetry.redaction import visitor_text

Model = TypeVar("Model", bound=BaseModel)

#: Maximum number of problems reported for one input.
MAX_ERRORS = 20

#: Maximum length of a repeated field name: the client chooses the keys of mappings.
MAX_FIELD_NAME = 100

#: A larger body is parsed in a thread, as Python's parsing of numbers blocks the loop; in bytes.
LARGE_BODY = 64 * 1024

#: Lists and objects of one body; in a larger one, one for this many bytes. Python's garbage
#: collector visits them repeatedly.
MAX_CONTAINERS = 100_000
BYTES_PER_CONTAINER = 10

#: The largest integer that all JSON parsers represent exactly
#: (https://www.rfc-editor.org/rfc/rfc8259#section-6).
MAX_SAFE_INTEGER = 2**53

#: Formats that pydantic also reads from a number: ``since=0`` would be 1970.
_TIME_FORMATS = {"date", "date-time", "time", "duration"}
_NUMBER = re.compile(r"\s*[-+]?[\d._]+\s*")

_OTHER_CHARSET = re.compile(r"""(?i)\bcharset\s*=(?!\s*"?utf-?8\b)""")


class Body(Generic[Model]):
    """The JSON body of a request, parsed by a model.

    Args:
        model: the type.
        required: whether a body is required.
    """

    def __init__(self, model: type[Model], required: bool = True) -> None:
        self.model = model
        self.required = required

    async def read(self, headers: HTTPHeaders, body: bytes) -> Model | None:
        """Parse the body; a large one in a thread.

        Raises:
            HTTPError: 415, the content type is not JSON.
            InvalidRequest: it is not valid JSON, or does not match the model.
        """
        if not body:
            if self.required:
                raise InvalidRequest(("body", "It is empty, where JSON is expected."))
            return None
        _check_content_type(headers)
        normalized = (
            await asyncio.to_thread(_normalized_json, body)
            if len(body) > LARGE_BODY
            else _normalized_json(body)
        )
        try:
            # strict, else "5", true and 5 are equal, and the API's document is wrong
            return self.model.model_validate_json(normalized, strict=True)
        except ValidationError as error:
            raise _invalid_request(error, "body") from None


class Fields(Generic[Model]):
    """Names with text values, as in a query or a form, parsed by a model.

    Args:
        model: each field is a value or a list of values.

    Raises:
        TypeError: a field has a type that queries and forms cannot represent.
    """

    def __init__(self, model: type[Model]) -> None:
        self.model = model
        self.schema = model.model_json_schema()
        if self.schema.get("type") != "object":
            raise TypeError(f"{model.__name__} has no fields")
        self._list_fields = set()
        self._time_fields = set()
        for name, field in self.schema.get("properties", {}).items():
            kinds = self._types_and_formats(field)
            if "object" in kinds:
                raise TypeError(f"{model.__name__}.{name} is an object, which no query can hold")
            if "array" in kinds:
                self._list_fields.add(name)
            if kinds & _TIME_FORMATS and not kinds & {"integer", "number"}:
                self._time_fields.add(name)

    def _types_and_formats(self, schema: dict[str, Any]) -> set[str]:
        """The JSON types and formats that a field, or its items, may have."""
        if "$ref" in schema:
            schema = self.schema["$defs"][schema["$ref"].rpartition("/")[2]]
        parts = [part for word in ("anyOf", "oneOf", "allOf") for part in schema.get(word, [])]
        parts += [schema["items"]] if "items" in schema else []
        return {schema.get("type", ""), schema.get("format", "")}.union(
            *map(self._types_and_formats, parts)
        )

    def _validate(self, pairs: Iterable[tuple[str, str]], default: str) -> Model:
        values: dict[str, Any] = {}
        for name, value in pairs:
            if name in self._time_fields and _NUMBER.fullmatch(value):
                raise InvalidRequest(
                    (name, "Input is a number, where a date or a time is expected.")
                )
            if name in self._list_fields:
                values.setdefault(name, []).append(value)
            elif name in values:
                raise InvalidRequest((_printable_name(name), "It is there more than once."))
            elif name != "_xsrf":  # part of the sign-in
                values[name] = value
        try:
            return self.model.model_validate(values)
        except ValidationError as error:
            raise _invalid_request(error, default) from None


class Query(Fields[Model]):
    """The query of a URL, parsed by a model."""

    def read(self, query: str) -> Model:
        """Parse the query.

        Raises:
            InvalidRequest: it does not match the model, or repeats a value.
        """
        try:
            pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
        except ValueError:
            raise InvalidRequest(("query", "It is not UTF-8.")) from None
        return self._validate(pairs, "query")


class Form(Fields[Model]):
    """The form that a page has sent, parsed by a model."""

    def read(self, arguments: dict[str, list[bytes]]) -> Model:
        """Parse the form. A browser sends an empty text for each empty input.

        Such an input counts as missing if its field has a default.

        Raises:
            InvalidRequest: it does not match the model, or repeats a value.
        """
        pairs = form_values(arguments)
        required = set(self.schema.get("required", ()))
        return self._validate(
            [(name, value) for name, value in pairs if value or name in required], "form"
        )


def form_values(arguments: dict[str, list[bytes]]) -> list[tuple[str, str]]:
    """The values of a form, by field, as Tornado has parsed them.

    Raises:
        InvalidRequest: it is not UTF-8.
    """
    try:
        return [(name, value.decode()) for name in arguments for value in arguments[name]]
    except UnicodeDecodeError:
        raise InvalidRequest(("form", "It is not UTF-8.")) from None


def _check_content_type(headers: HTTPHeaders) -> None:
    kind, _, options = headers.get("Content-Type", "").partition(";")
    if kind.strip().lower() != "application/json" or _OTHER_CHARSET.search(options):
        raise HTTPError(415, "Send JSON in UTF-8, with the header Content-Type: application/json")
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        raise HTTPError(415, "Send the body as it is, with no Content-Encoding.")


def _normalized_json(body: bytes) -> bytes:
    """A body in standard JSON: pydantic accepts ``NaN`` and infinite numbers.

    In JSON, ``5.0`` is an integer, which pydantic refuses; it becomes ``5``.

    Raises:
        InvalidRequest: it is not valid JSON.
    """
    integers = []
    containers = body.count(b"[") + body.count(b"{")
    if containers > max(MAX_CONTAINERS, len(body) // BYTES_PER_CONTAINER):
        raise InvalidRequest(("body", "It has too many lists and objects."))

    def number(text: str) -> float:
        value = float(text)
        if abs(value) <= MAX_SAFE_INTEGER and value.is_integer():
            integers.append(text)
            return int(value)
        return _finite(value)

    try:
        read = json.loads(body.decode(), parse_constant=_finite, parse_float=number)
        return json.dumps(read).encode() if integers else body
    except UnicodeDecodeError:
        raise InvalidRequest(("body", "It is not UTF-8.")) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidRequest(("body", f"It is no JSON: {error.msg} ({where}).")) from None
    except RecursionError:
        raise InvalidRequest(("body", "It is nested too deeply.")) from None
    except ValueError:
        raise InvalidRequest(("body", "A number in it is too large, or none.")) from None


def _finite(number: float | str) -> float:
    if not math.isfinite(float(number)):
        raise ValueError("JSON has no such number")
    return float(number)


def _invalid_request(error: ValidationError, default: str) -> InvalidRequest:
    """The error response for pydantic's validation errors.

    Args:
        error: pydantic's error.
        default: the name for errors without a field name.
    """
    details = error.errors(include_url=False)[:MAX_ERRORS]
    return InvalidRequest(
        *(
            (
                _printable_name(".".join(map(str, detail["loc"]))) or default,
                _error_message(detail),
            )
            for detail in details
        )
    )


def _error_message(detail: ErrorDetails) -> str:
    """Pydantic's message for a field, unless it repeats the value."""
    text = {
        "union_tag_invalid": "Input should be one of the known kinds",
        "uuid_parsing": "Input should be a valid UUID",
    }.get(detail["type"], detail["msg"])
    value = detail["input"]
    if not isinstance(value, str):  # pydantic repeats no other types, and these may have any size
        return text
    return "Input is not valid" if len(value) > 3 and value in text else text


def _printable_name(name: str) -> str:
    return visitor_text(name[:MAX_FIELD_NAME])
