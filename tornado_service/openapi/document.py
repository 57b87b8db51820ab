"""The OpenAPI document: what the core and all apps answer, by what their handlers declare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic_core import to_json

from .._version import __version__
from ..handlers.errors import NOT_FOUND, Error
from .docstrings import to_markdown, without_sections
from .operations import JSON, Operation, operations

if TYPE_CHECKING:
    from ..apps.mounted import MountedApp
    from ..handlers.context import ServiceContext

SCHEMA_REF = "#/components/schemas/"

#: What the errors mean, https://spec.openapis.org/oas/v3.1.1.html#responses-object.
ERROR_DESCRIPTIONS = {
    "400": "What was sent is not what is asked for; `errors` says what is wrong with which field.",
    "401": "Not signed in, or the session has expired.",
    "403": "Signed in, but a scope is missing, or a browser's XSRF token.",
    "404": NOT_FOUND,
    "415": "The body is not sent as JSON.",
    "503": "Not at the moment: JupyterHub does not answer, or the app is busy or does not run.",
    "default": "Refused, or failed.",
}


class Document:
    """Makes the document of a service.

    Args:
        context: of the service.
        routes: the core's.
        report: called with what cannot be in it, and why.
    """

    def __init__(
        self, context: ServiceContext, routes: list[Any], report: Callable[[str], None]
    ) -> None:
        self._context = context
        self._routes = routes
        self._report = report

    def json(self, apps: Iterable[MountedApp]) -> bytes:
        """Make it, as JSON; what cannot be in it is left out.

        Args:
            apps: the apps that are in it.
        """
        context = self._context
        paths: dict[str, Any] = {}
        names: set[str] = set()
        schemas: dict[str, Any] = {}
        tags = [{"name": "service", "description": "The service itself."}]
        for mounted in (None, *apps):
            for operation, described in self._operations_of(mounted, schemas):
                methods = paths.setdefault(operation.path, {})
                if operation.method.lower() not in methods:
                    name = operation.unique_id(names)
                    names.add(name)
                    methods[operation.method.lower()] = {"operationId": name, **described}
            if mounted is not None and mounted.app is not None:
                about = without_sections(type(mounted.app).__doc__) or mounted.title
                tags.append({"name": mounted.name, "description": about})
        document = {
            "openapi": "3.1.1",
            "info": {
                "title": context.name,
                "version": __version__,
                "description": "A service of a JupyterHub. Sign in with a token of the hub, or in"
                " the browser's session.",
            },
            "servers": [{"url": context.prefix.rstrip("/")}],
            "tags": tags,
            "paths": dict(sorted(paths.items())),
            "components": {
                "schemas": {**_error_schemas(), **schemas},
                "responses": {status: _error_response(status) for status in ERROR_DESCRIPTIONS},
                "securitySchemes": self._security_schemes(),
            },
        }
        return to_json({key: to_markdown(part) for key, part in document.items()})

    def _operations_of(
        self, mounted: MountedApp | None, schemas: dict[str, Any]
    ) -> Iterator[tuple[Operation, dict[str, Any]]]:
        """The operations of the core or of an app; their models go to the schemas."""
        app = mounted.name if mounted else ""
        routes = mounted.routes if mounted else self._routes
        described = list(
            self._describable(operations(self._context.prefix, routes, app, self._report))
        )
        # models of two apps may have one name
        references, definitions = _schemas(described, f"{app}." if app else "")
        schemas.update(definitions)
        for number, operation in enumerate(described):
            own = {slot: references[number, slot] for slot in operation.models()}
            yield operation, operation.describe(own, self._context.auth.access_scope)

    def _describable(self, candidates: Iterable[Operation]) -> Iterator[Operation]:
        """Those whose models have schemas that can be written down."""
        for operation in candidates:
            try:
                for model, mode in operation.models().values():
                    to_json(to_markdown(TypeAdapter(model).json_schema(mode=mode)))
                to_json(operation.describe(dict.fromkeys(operation.models()), ""))
            except Exception as error:  # an author's types do what they like
                reason = str(error).partition("\n")[0]
                self._report(f"{operation.unique_id(())}: {reason}")
            else:
                yield operation

    def _security_schemes(self) -> dict[str, Any]:
        return {
            "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "A token of the hub: of a user, a service or an OAuth sign-in.",
            },
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": self._context.auth.cookie_name,
                "description": "The browser's session, with the page's XSRF token in the header"
                " `X-XSRFToken`. It is there when you are signed in; nothing is to be entered.",
            },
        }


def _schemas(
    found: list[Operation], prefix: str
) -> tuple[dict[tuple[int, str], Any], dict[str, Any]]:
    """References for what the operations take and give, and what they lead to."""
    inputs = [
        ((number, slot), mode, TypeAdapter(model))
        for number, operation in enumerate(found)
        for slot, (model, mode) in operation.models().items()
    ]
    if not inputs:
        return {}, {}
    keyed, whole = TypeAdapter.json_schemas(inputs, ref_template=f"{SCHEMA_REF}{prefix}{{model}}")
    references = {key: schema for (key, _), schema in keyed.items()}
    return references, {prefix + name: schema for name, schema in whole.get("$defs", {}).items()}


def _error_schemas() -> dict[str, Any]:
    whole = TypeAdapter(Error).json_schema(ref_template=f"{SCHEMA_REF}{{model}}")
    return {**whole.pop("$defs"), "Error": whole}


def _error_response(status: str) -> dict[str, Any]:
    refusal: dict[str, Any] = {
        "description": ERROR_DESCRIPTIONS[status],
        "content": {JSON: {"schema": {"$ref": f"{SCHEMA_REF}Error"}}},
    }
    if status == "503":
        refusal["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds, if known."}
        }
    return refusal
