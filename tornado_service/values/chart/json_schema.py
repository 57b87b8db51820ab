"""The part of JSON Schema that zero-to-jupyterhub's chart uses: what Helm refuses in values."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..paths import KeyPath

Schema = dict[str, Any]


class Violation(NamedTuple):
    """A value that a schema refuses, or a missing one, with its path."""

    path: KeyPath
    keyword: str
    #: the allowed types, values or keys
    allowed: tuple[Any, ...] = ()


def violations(schema: Schema, value: Any, path: KeyPath = ()) -> Iterator[Violation]:
    """The values that a schema refuses."""
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(_is_type(value, name) for name in types):
        yield Violation(path, "type", tuple(types))
        return
    if "enum" in schema and value not in schema["enum"]:
        yield Violation(path, "enum", tuple(schema["enum"]))
    if "const" in schema and value != schema["const"]:
        yield Violation(path, "const", (schema["const"],))
    if _is_type(value, "number") and value < schema.get("minimum", value):
        yield Violation(path, "minimum")
    if isinstance(value, dict):
        yield from _map_violations(schema, value, path)
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from violations(schema.get("items", {}), item, (*path, index))
    if "if" in schema and not any(violations(schema["if"], value)):
        yield from violations(schema.get("then", {}), value, path)


def _map_violations(schema: Schema, values: dict[str, Any], path: KeyPath) -> Iterator[Violation]:
    properties = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for key in schema.get("required", []):
        if key not in values:
            yield Violation((*path, key), "required")
    for key, value in values.items():
        schemas = [inner for pattern, inner in patterns.items() if re.search(pattern, key)]
        schemas += [properties[key]] if key in properties else []
        for inner in schemas:
            yield from violations(inner, value, (*path, key))
        if not schemas and schema.get("additionalProperties") is False:
            yield Violation((*path, key), "additionalProperties", tuple(properties))


def _is_type(value: Any, name: str) -> bool:
    if name in ("number", "integer"):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and (name == "number" or float(value).is_integer())
    types = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    return isinstance(value, types[name])
