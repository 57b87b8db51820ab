"""The OpenAPI document: the endpoints of the core and all apps, as their handlers declare them."""

from collections.abc import Callable, Iterable
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_json

from .._version import __version__
from ..apps.mounted import MountedApp
from ..handlers.context import ServiceContext
from ..handlers.errors import NOT_FOUND, Error
from .docstrings import to_markdown, without_sections
from .operations import JSON, Operation, operations

SCHEMA_REF = "#/components/schemas/"

#: Error responses, https://spec.openapis.org/oas/v3.1.1.html#responses-object.
ERROR_DESCRIPTIONS = {
    "400": "The input is not valid; `errors` lists the problems by field.",
    "401": "Not signed in, or the session has expired.",
    "403": "Signed in, but a scope is missing, or a browser's XSRF token.",
    "404": NOT_FOUND,
    "415": "The body is not sent as JSON.",
    "503": "Unavailable: JupyterHub does not respond, or the app is busy or not running.",
    "default": "Any other error.",
}


#: How to sign in; the name of the session cookie depends on the service.
SECURITY_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of the hub: of a user, a service or an OAuth session.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "description": "The browser's session, with the page's XSRF token in the header"
        " `X-XSRFToken`. It is there when you are signed in; nothing is to be entered.",
    },
}


def make_document(
    context: ServiceContext,
    routes: list[Any],
    apps: Iterable[MountedApp],
    report: Callable[[str], None],
) -> bytes:
    """The document of a service, as JSON.

    Args:
        context: of the service.
        routes: the core's.
        apps: the included apps.
        report: called with each omitted endpoint and the reason.
    """
    paths: dict[str, Any] = {}
    names: set[str] = set()
    schemas: dict[str, Any] = {}
    tags = [{"name": "service", "description": "Endpoints of the service itself."}]
    for mounted in (None, *apps):
        app = mounted.name if mounted else ""
        found = operations(context.prefix, mounted.routes if mounted else routes, app, report)
        described = [operation for operation in found if _is_describable(operation, report)]
        # models of two apps may have the same name
        references, definitions = _schemas(described, f"{app}." if app else "")
        schemas.update(definitions)
        for operation in described:
            methods, method = paths.setdefault(operation.path, {}), operation.method.lower()
            if method not in methods:
                name = operation.unique_id(names)
                names.add(name)
                own = {slot: references[operation, slot] for slot in operation.models()}
                content = operation.describe(own, context.auth.access_scope)
                methods[method] = {"operationId": name, **content}
        if mounted is not None and mounted.app is not None:
            about = without_sections(type(mounted.app).__doc__) or mounted.title
            tags.append({"name": mounted.name, "description": about})
    session = {**SECURITY_SCHEMES["session"], "name": context.auth.cookie_name}
    document = {
        "openapi": "3.1.1",
        "info": {
            "title": context.name,
            "version": __version__,
            "description": "A service of a JupyterHub. Sign in with a token of the hub, or in the"
            " browser's session.",
        },
        "servers": [{"url": context.prefix.rstrip("/")}],
        "tags": tags,
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {**_error_schemas(), **schemas},
            "responses": {status: _error_response(status) for status in ERROR_DESCRIPTIONS},
            "securitySchemes": {**SECURITY_SCHEMES, "session": session},
        },
    }
    return to_json({key: to_markdown(part) for key, part in document.items()})


def _is_describable(operation: Operation, report: Callable[[str], None]) -> bool:
    """Whether schemas can be generated for its models."""
    try:
        for model, mode in operation.models().values():
            to_json(to_markdown(TypeAdapter(model).json_schema(mode=mode)))
        to_json(operation.describe(dict.fromkeys(operation.models()), ""))
    except Exception as error:  # an app's types may raise any error
        reason = str(error).partition("\n")[0]
        report(f"{operation.unique_id(())}: {reason}")
        return False
    return True


def _schemas(
    found: list[Operation], prefix: str
) -> tuple[dict[tuple[Operation, str], Any], dict[str, Any]]:
    """References for the types of the operations, and the definitions that these need."""
    inputs = [
        ((operation, slot), mode, TypeAdapter(model))
        for operation in found
        for slot, (model, mode) in operation.models().items()
    ]
    if not inputs:
        return {}, {}
    keyed, schemas = TypeAdapter.json_schemas(inputs, ref_template=f"{SCHEMA_REF}{prefix}{{model}}")
    references = {key: schema for (key, _), schema in keyed.items()}
    return references, {prefix + name: schema for name, schema in schemas.get("$defs", {}).items()}


def _error_schemas() -> dict[str, Any]:
    schemas = TypeAdapter(Error).json_schema(ref_template=f"{SCHEMA_REF}{{model}}")
    return {**schemas.pop("$defs"), "Error": schemas}


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
