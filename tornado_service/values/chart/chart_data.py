"""Data of zero-to-jupyterhub's chart: schema, defaults and required sections.

tests/packaging/chart/generate.py generates ``chart.json`` from the chart.
"""

import json
from importlib.resources import files
from typing import Any

from .json_schema import Schema

_DATA: dict[str, Any] = json.loads((files(__package__) / "chart.json").read_text(encoding="utf-8"))

#: The version of the chart.
VERSION: str = _DATA["version"]

SCHEMA: Schema = _DATA["schema"]

#: The default values; text without effect is omitted.
DEFAULTS: dict[str, Any] = _DATA["defaults"]

#: Keys that the templates read: with null there, Helm fails. Each with the values that other keys
#: must have for that.
REQUIRED_KEYS: dict[str, dict[str, Any]] = _DATA["needed"]


def with_defaults(values: dict[str, Any], defaults: dict[str, Any] = DEFAULTS) -> dict[str, Any]:
    """Values as Helm passes them to the chart: a null deletes a default."""
    merged = {**defaults, **values}
    for key in defaults.keys() & values.keys():
        default, value = defaults[key], values[key]
        if value is None:
            del merged[key]
        elif isinstance(default, dict) and isinstance(value, dict):
            merged[key] = with_defaults(value, default)
    return merged
