"""JSON Schema, as far as zero-to-jupyterhub's chart uses it: what Helm refuses in values."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..yaml_files.document import KeyPath

Schema = dict[str, Any]


class ViolationKind(Enum):
    """What is wrong with a value."""

    TYPE = "type"
    #: none of the values that are allowed, or a number below the least
    VALUE = "value"
    #: a key that a map must have
    MISSING = "missing"
    #: a key that a map cannot have
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Violation:
    """A value that a schema refuses.

    Attributes:
        path: where it stands.
        kind: what is wrong with it.
        allowed: the types, values or keys that the schema allows there.
    """

    path: KeyPath
    kind: ViolationKind
    allowed: tuple[Any, ...] = ()


def violations(schema: Schema, value: Any, path: KeyPath = ()) -> Iterator[Violation]:
    """The values that a schema refuses."""
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(_is_type(value, each) for each in types):
        yield Violation(path, ViolationKind.TYPE, tuple(types))
        return
    if "enum" in schema and value not in schema["enum"]:
        yield Violation(path, ViolationKind.VALUE, tuple(schema["enum"]))
    if "const" in schema and value != schema["const"]:
        yield Violation(path, ViolationKind.VALUE, (schema["const"],))
    if _is_type(value, "number") and value < schema.get("minimum", value):
        yield Violation(path, ViolationKind.VALUE)
    if isinstance(value, dict):
        yield from _map_violations(schema, value, path)
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from violations(schema.get("items", {}), each, (*path, number))
    if "if" in schema and not any(violations(schema["if"], value)):
        yield from violations(schema.get("then", {}), value, path)


def _map_violations(schema: Schema, values: dict[str, Any], path: KeyPath) -> Iterator[Violation]:
    properties = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for key in schema.get("required", []):
        if key not in values:
            yield Violation((*path, key), ViolationKind.MISSING)
    for key, value in values.items():
        here = (*path, key)
        schemas = [each for pattern, each in patterns.items() if re.search(pattern, key)]
        if key in properties:
            schemas.append(properties[key])
        for each in schemas:
            yield from violations(each, value, here)
        if not schemas and schema.get("additionalProperties") is False:
            yield Violation(here, ViolationKind.UNKNOWN, tuple(properties))


def _is_type(value: Any, name: str) -> bool:
    if name in ("number", "integer"):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and (name == "number" or float(value).is_integer())
    types = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    return isinstance(value, types[name])
