"""Signature: the parameters and the response of a handler's method, from its annotations."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import partial
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    NoReturn,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import to_json
from tornado.web import HTTPError

from ...handlers.errors import NOT_FOUND
from .requests import Body, Fields, Form, Query
from .responses import ResponseSpec

if TYPE_CHECKING:
    from ...handlers.base import BaseHandler

FieldsOf = TypeVar("FieldsOf", bound=Fields[Any])

#: Methods whose request body has no meaning,
#: https://www.rfc-editor.org/rfc/rfc9110#section-9.3
METHODS_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})


class DeclarationError(TypeError):
    """The annotations of a method are invalid."""


class Signature:
    """The parameters and the response of a method.

    ``body``, ``query`` and ``form`` are parsed by the models in their annotations; all other
    parameters are groups of the path. The return annotation is the response.

    Attributes:
        function: the method.
        name: its module, class and name, for messages.
        path: the parameters that are groups of the path, with their annotations.
        response: the type of the response; without one, the response is unknown.
        may_be_empty: whether it may return ``None``, with the status 204.

    Raises:
        DeclarationError: the annotations are invalid.
    """

    def __init__(self, method: str, function: Callable[..., Any], *, is_api: bool) -> None:
        self.function = function
        self.name = f"{function.__module__}.{function.__qualname__}()"
        self.query: Query[Any] | None = None
        self.body: Body[Any] | None = None
        self.form: Form[Any] | None = None
        self.path: dict[str, Any] = {}
        self._optional: set[str] = set()
        self._path_adapters: dict[str, TypeAdapter[Any]] = {}
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise DeclarationError("yields, but must return its response")
        parameters = list(inspect.signature(function).parameters.values())[1:]
        self._accepts_positional = any(
            parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters
        )
        self._accepts_keywords = any(
            parameter.kind is parameter.VAR_KEYWORD for parameter in parameters
        )
        hints = _type_hints(function)
        for parameter in parameters:
            self._add_parameter(method, parameter, hints.get(parameter.name))
        if self.body is not None and not is_api:
            raise DeclarationError("has a body: the parameter of a page's form is named form")
        if self.form is not None and is_api:
            raise DeclarationError("has a form, which only pages have: the body of an API is JSON")
        returned = hints.get("return", Any) if is_api else Any
        self.response: ResponseSpec | None = getattr(function, "_response_spec", None)
        self.may_be_empty = False
        self._response_adapter: TypeAdapter[Any] | None = None
        if self.response is None and returned not in (Any, NoneType, NoReturn):
            self._response_adapter = _adapter(returned, "what it returns")
            model = _without_none(returned)
            self.may_be_empty = model is not returned
            self.response = ResponseSpec(model, (200,), "application/json")

    def _add_parameter(self, method: str, parameter: inspect.Parameter, annotation: Any) -> None:
        name = parameter.name
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            return
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise DeclarationError(f"takes {name} by position only: write it without the /")
        required = parameter.default is parameter.empty
        if name not in ("body", "query", "form"):
            self.path[name] = str if annotation is None else annotation
            if not required:
                self._optional.add(name)
            if annotation not in (None, str):
                self._path_adapters[name] = _adapter(annotation, name)
        elif name == "query":
            self.query = _make_fields(Query, name, annotation)
        elif method in METHODS_WITHOUT_BODY:
            raise DeclarationError(f"has a {name}, which {method} requests do not have")
        elif name == "form":
            self.form = _make_fields(Form, name, annotation)
        else:
            self.body = Body(_require_model(name, annotation), required)

    def check_path(self, pattern: str) -> None:
        """Check that the groups of a path and the parameters correspond.

        Raises:
            DeclarationError: they do not.
        """
        regex = re.compile(pattern)
        takes = ", ".join(self.path) or "none"
        needed = self.path.keys() - self._optional
        if regex.groupindex:
            unknown = regex.groupindex.keys() - self.path.keys()
            missing = needed - regex.groupindex.keys()
            if missing or (unknown and not self._accepts_keywords):
                names = ", ".join(regex.groupindex)
                raise DeclarationError(f"takes {takes}, where {pattern!r} has the groups {names}")
        elif len(needed) > regex.groups or (
            regex.groups > len(self.path) and not self._accepts_positional
        ):
            raise DeclarationError(
                f"takes {takes} of the path, where {pattern!r} has {regex.groups} groups"
            )

    def bind(
        self, handler: BaseHandler, groups: tuple[Any, ...], named: dict[str, Any]
    ) -> Callable[[], Any]:
        """Bind the groups of the path and the query to the method's parameters, without the body.

        Raises:
            HTTPError: 404, a group of the path is invalid.
            InvalidRequest: the query is invalid.
        """
        if groups and not self._accepts_positional:
            named, groups = {**dict(zip(self.path, groups, strict=False)), **named}, ()
        values = {
            name: self._read_path_parameter(name, text)
            for name, text in named.items()
            if text is not None or name not in self._optional
        }
        if self.query is not None:
            values["query"] = self.query.read(handler.request.query)
        return partial(self.function, handler, *groups, **values)

    def _read_path_parameter(self, name: str, text: str | None) -> Any:
        adapter = self._path_adapters.get(name)
        if adapter is None:
            return text
        try:
            return adapter.validate_python(text)
        except ValidationError:
            raise HTTPError(404, NOT_FOUND) from None

    def dump(self, value: Any) -> bytes:
        """The result of the method as JSON.

        Raises:
            TypeError: it does not match the return annotation.
        """
        if self._response_adapter is None:
            return to_json(value, inf_nan_mode="null")
        try:
            valid = self._response_adapter.validate_python(value, from_attributes=True)
        except ValidationError as error:
            fields = [".".join(map(str, detail["loc"])) for detail in error.errors()]
            # pydantic's own messages contain the values
            raise TypeError(
                f"{self.name} returned what is not {self.response and self.response.model}:"
                f" {', '.join(fields)}"
            ) from None
        return self._response_adapter.dump_json(valid, by_alias=True)


def _type_hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except Exception as error:
        raise DeclarationError(
            f"has an annotation that cannot be resolved ({error}): what it names must be imported"
            " in its module, and not below TYPE_CHECKING only"
        ) from error


def _require_model(name: str, annotation: Any) -> type[BaseModel]:
    model = _without_none(annotation)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        shown = "no annotation" if annotation is None else f"the annotation {annotation!r}"
        raise DeclarationError(f"has {shown} of {name}, where a pydantic model is needed")
    _adapter(model, name)
    return model


def _make_fields(kind: type[FieldsOf], name: str, annotation: Any) -> FieldsOf:
    model = _require_model(name, annotation)
    try:
        return kind(model)
    except (TypeError, PydanticUserError) as error:
        raise DeclarationError(f"has a {name} that cannot be read: {error}") from error


def _without_none(annotation: Any) -> Any:
    """``Model`` of ``Model | None``; any other annotation unchanged."""
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    if NoneType not in members:
        return annotation
    return Union[tuple(member for member in members if member is not NoneType)]  # noqa: UP007 - of any number


def _adapter(annotation: Any, what: str) -> TypeAdapter[Any]:
    try:
        adapter = TypeAdapter(annotation)
        adapter.rebuild(raise_errors=True)
        return adapter
    except (PydanticUserError, NameError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise DeclarationError(f"has an annotation of {what} that cannot be: {reason}") from error
