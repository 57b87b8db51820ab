"""Operations: the API's methods in OpenAPI's format."""

import itertools
import re
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from http.client import responses
from typing import Any

from pydantic import TypeAdapter
from tornado.web import RequestHandler

from ..apps.typed.signature import Signature
from ..auth.decorators import METHODS, access_of
from ..handlers.base import APIHandler, BaseHandler
from .docstrings import split_docstring

JSON = "application/json"

#: A group without nested groups, identified by name or position.
_GROUP = re.compile(r"\((?:\?P<(\w+)>|(?!\?))(?:\\.|\[(?:\\.|[^]\\])+\]|[^][()\\])*\)")

#: ``{name}`` for groups, and literal characters.
_TEMPLATE = re.compile(r"(?:\{[^\W\d]\w*\}|\\[^\w\s]|[^\\.^$*+?{}()[\]|])*")


@dataclass(eq=False)
class Operation:
    """A method of the API at one path.

    Attributes:
        path: the path below the service's prefix, as a template.
        method: ``GET``.
        tag: the group in the document: the app's name, or ``service``.
        is_app: whether it is an app's; its code may return any status.
    """

    path: str
    method: str
    handler: type[BaseHandler]
    signature: Signature
    tag: str = "service"
    is_app: bool = False

    def unique_id(self, taken: Container[str]) -> str:
        """The name from its handler, or one made of app, class and method.

        If that is taken, for example by the same handler at another path, it gets the app's name as
        a prefix, then a number as a suffix.
        """
        method = self.method.lower()
        given = self.handler.operation_ids.get(method)
        name = given or f"{self.tag}_{self.handler.__name__}_{method}"
        if given in taken:
            name = f"{self.tag}_{given}"
        numbered = (f"{name}_{number}" for number in itertools.count(2))
        return next(free for free in itertools.chain([name], numbered) if free not in taken)

    def models(self) -> dict[str, tuple[Any, Any]]:
        """Its types by reference, and whether they are read or written."""
        body, response = self.signature.body, self.signature.response
        parts = {"body": (body, "validation"), "response": (response, "serialization")}
        return {slot: (part.model, mode) for slot, (part, mode) in parts.items() if part}

    def describe(self, schemas: dict[str, Any], access_scope: str) -> dict[str, Any]:
        """The Operation Object, https://spec.openapis.org/oas/v3.1.1.html#operation-object.

        Args:
            schemas: those of ``models``, by the same names.
            access_scope: the scope that every session needs.
        """
        signature = self.signature
        # mypy confuses the hash of a handler with that of its class
        access = access_of(self.handler, self.method)  # type: ignore[arg-type]
        scopes = sorted(access.scopes) if access else []
        summary, description = split_docstring(signature.function.__doc__ or self.handler.__doc__)
        if scopes:
            description += f"\n\nNeeds the scope {' and '.join(f'`{scope}`' for scope in scopes)}."
        roles = [access_scope, *scopes]
        allows_anonymous = access is not None and access.allows_anonymous
        operation: dict[str, Any] = {
            "tags": [self.tag],
            "summary": summary,
            "description": description.strip(),
            "parameters": [*self._path_parameters(), *self._query_parameters()],
            "responses": {
                **self._responses(schemas.get("response")),
                **self._error_responses(allows_anonymous),
            },
            "security": [] if allows_anonymous else [{"token": roles}, {"session": roles}],
        }
        if signature.body is not None:
            operation["requestBody"] = {
                "required": signature.body.required,
                "content": {JSON: {"schema": schemas["body"]}},
            }
        return operation

    def _path_parameters(self) -> Iterator[dict[str, Any]]:
        for name in re.findall(r"{(.*?)}", self.path):
            schema = TypeAdapter(self.signature.path.get(name, str)).json_schema()
            yield {"name": name, "in": "path", "required": True, "schema": _inlined(schema)}

    def _query_parameters(self) -> Iterator[dict[str, Any]]:
        query = self.signature.query.schema if self.signature.query else {}
        for name, field in query.get("properties", {}).items():
            schema = _without_null(_inlined(field, query.get("$defs", {})))
            yield {
                "name": name,
                "in": "query",
                "required": name in query.get("required", []),
                "description": schema.pop("description", ""),
                "schema": schema,
            }

    def _responses(self, schema: Any) -> dict[str, Any]:
        if getattr(self.handler, "stream_kind", None) == "events":
            stream = {"text/event-stream": {"schema": {"type": "string"}}}
            return {"200": {"description": "Events, while they happen.", "content": stream}}
        declared = self.signature.response
        if declared is None:
            return {"2XX": {"description": "Done."}}
        content = {declared.media_type: {"schema": schema}}
        if self.is_app and self.method != "GET":  # the status that it sets is unknown
            found = {"2XX": {"description": "Done.", "content": content}}
        else:
            found = {
                str(status): {"description": responses.get(status, ""), "content": content}
                for status in ([200] if self.is_app else declared.statuses)
            }
        if self.signature.may_be_empty:
            found["204"] = {"description": "Nothing."}
        return found

    def _error_responses(self, allows_anonymous: bool) -> dict[str, Any]:
        """The error responses, by references to the shared ones."""
        takes = self.signature
        has_parameters = "{" in self.path
        refusals = {
            "400": takes.body or takes.query or has_parameters,
            "401": not allows_anonymous,
            "403": not allows_anonymous,
            "404": has_parameters,
            "415": takes.body,
            "503": self.is_app or not allows_anonymous,
            "default": self.is_app,  # its code may refuse with any status
        }
        success = {str(status) for status in takes.response.statuses} if takes.response else ()
        return {
            status: {"$ref": f"#/components/responses/{status}"}
            for status, is_possible in refusals.items()
            if is_possible and status not in success
        }


def operations(
    prefix: str, routes: Iterable[Any], app: str, report: Callable[[str], None]
) -> Iterator[Operation]:
    """The operations of some routes: an app's, or those of the core below a prefix."""
    for route in routes:
        pattern, handler = route[0], route.handler if app else route[1]
        if not issubclass(handler, APIHandler):
            continue
        for method, signature in signatures_of(handler).items():
            try:
                path = path_template(pattern, signature.path)
            except ValueError as error:
                report(f"{handler.__name__} at {pattern!r}: {error}")
                break
            if app:
                yield Operation(f"/{app}/{path}", method, handler, signature, app, is_app=True)
            elif path.startswith(prefix):
                short_path = path.removeprefix(prefix[:-1])
                yield Operation(short_path, method, handler, signature)


def path_template(pattern: str, names: Iterable[str]) -> str:
    """A route's path with each group as ``{name}``, without an optional slash at its end.

    Args:
        pattern: the regular expression.
        names: the names of unnamed groups, by position.

    Raises:
        ValueError: the pattern has more than text and groups, or nested groups.
    """
    unnamed = iter(() if "(?P<" in pattern else names)
    template = _GROUP.sub(
        lambda group: f"{{{group[1] or next(unnamed, '?')}}}",
        pattern.removesuffix("$").removesuffix("/?"),
    )
    if not _TEMPLATE.fullmatch(template):
        raise ValueError("a path in the document is made of text and groups only: (?P<name>…)")
    return re.sub(r"\\(.)", r"\1", template)


def signatures_of(handler: type[APIHandler]) -> dict[str, Signature]:
    """The signatures of a handler's methods; mounted handlers of apps have them already."""
    signatures: dict[str, Signature] | None = getattr(handler, "signatures", None)
    if signatures is None:
        signatures = {
            method: Signature(method, getattr(handler, method.lower()), is_api=True)
            for method in METHODS
            if getattr(handler, method.lower()) is not RequestHandler._unimplemented_method
        }
    return {name: signatures[name] for name in signatures if name not in ("HEAD", "OPTIONS")}


def _inlined(schema: Any, definitions: dict[str, Any] | None = None) -> Any:
    """A schema without references; types in queries and paths are small and never recursive."""
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    known = definitions or schema.get("$defs", {})
    rest = {key: value for key, value in schema.items() if key not in ("$defs", "$ref", "title")}
    inlined = {key: _inlined(value, known) for key, value in rest.items()}
    if "$ref" in schema:
        return {**_inlined(known[schema["$ref"].rpartition("/")[2]], known), **inlined}
    return inlined


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A field's schema without null, which queries cannot express: the field is omitted instead."""
    if schema.get("default", ...) is None:
        del schema["default"]
    options = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
    if len(options) == 1:
        del schema["anyOf"]
        return {**options[0], **schema}
    return {**schema, "anyOf": options} if options else schema
