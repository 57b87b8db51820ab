"""The OpenAPI document: what the core and all apps answer, by what their handlers declare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic_core import to_json

from .._version import __version__
from ..handlers.errors import Error
from .docstrings import in_markdown, prose
from .operations import JSON, Operation, operations

if TYPE_CHECKING:
    from ..apps.mounted import Mount
    from ..handlers.context import ServiceContext

REFERENCE = "#/components/schemas/"

#: What the errors mean, https://spec.openapis.org/oas/v3.1.1.html#responses-object.
ERRORS = {
    "400": "What was sent is not what is asked for; `errors` says what is wrong with which field.",
    "401": "Not signed in, or the session has expired.",
    "403": "Signed in, but a scope is missing, or a browser's XSRF token.",
    "404": "There is nothing at this address.",
    "415": "The body is not sent as JSON.",
    "503": "Not at the moment: JupyterHub does not answer, or the app is busy or does not run.",
    "default": "Refused, or failed.",
}


class Document:
    """Makes the document of a service.

    Args:
        context: of the service.
        routes: the core's.
        tell: called with what cannot be in it, and why.
    """

    def __init__(
        self, context: ServiceContext, routes: list[Any], tell: Callable[[str], None]
    ) -> None:
        self._context = context
        self._routes = routes
        self._tell = tell

    def json(self, mounts: Iterable[Mount]) -> bytes:
        """Make it, as JSON; what cannot be in it is left out.

        Args:
            mounts: the apps that are in it.
        """
        context = self._context
        paths: dict[str, Any] = {}
        schemas: dict[str, Any] = {}
        tags = [{"name": "service", "description": "The service itself."}]
        for mount in (None, *mounts):
            for path, method, described in self._part(mount, schemas):
                paths.setdefault(path, {}).setdefault(method, described)
            if mount is not None and mount.app is not None:
                about = prose(type(mount.app).__doc__) or mount.title
                tags.append({"name": mount.name, "description": about})
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
                "responses": {status: _refusal(status) for status in ERRORS},
                "securitySchemes": self._security(),
            },
        }
        return to_json({key: in_markdown(part) for key, part in document.items()})

    def _part(
        self, mount: Mount | None, schemas: dict[str, Any]
    ) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """What the core or an app answers; its models go to the schemas."""
        app = mount.name if mount else ""
        routes = mount.routes if mount else self._routes
        well = list(self._sound(operations(self._context.prefix, routes, app, self._tell)))
        # models of two apps may have one name
        references, definitions = _schemas(well, f"{mount.name}." if mount else "")
        schemas.update(definitions)
        ids: dict[str, int] = {}
        for number, operation in enumerate(well):
            own = {slot: references[number, slot] for slot in operation.models()}
            described = operation.describe(own, self._context.auth.access_scope)
            count = ids[operation.id] = ids.get(operation.id, 0) + 1
            if count > 1:
                described["operationId"] += f"_{count}"
            yield operation.path, operation.method.lower(), described

    def _sound(self, found: Iterable[Operation]) -> Iterator[Operation]:
        """Those whose models have schemas that can be written down."""
        for operation in found:
            try:
                for model, mode in operation.models().values():
                    to_json(in_markdown(TypeAdapter(model).json_schema(mode=mode)))
                to_json(operation.describe(dict.fromkeys(operation.models()), ""))
            except Exception as error:  # an author's types do what they like
                reason = str(error).partition("\n")[0]
                self._tell(f"{operation.id}: {reason}")
            else:
                yield operation

    def _security(self) -> dict[str, Any]:
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
    keyed, whole = TypeAdapter.json_schemas(inputs, ref_template=f"{REFERENCE}{prefix}{{model}}")
    references = {key: schema for (key, _), schema in keyed.items()}
    return references, {prefix + name: schema for name, schema in whole.get("$defs", {}).items()}


def _error_schemas() -> dict[str, Any]:
    whole = TypeAdapter(Error).json_schema(ref_template=f"{REFERENCE}{{model}}")
    return {**whole.pop("$defs"), "Error": whole}


def _refusal(status: str) -> dict[str, Any]:
    refusal: dict[str, Any] = {
        "description": ERRORS[status],
        "content": {JSON: {"schema": {"$ref": f"{REFERENCE}Error"}}},
    }
    if status == "503":
        refusal["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds, if known."}
        }
    return refusal
