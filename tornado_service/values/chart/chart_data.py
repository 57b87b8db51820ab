"""What zero-to-jupyterhub's chart takes: its schema, its defaults, and the sections it needs.

``chart.json`` is made of the chart by tests/packaging/chart/generate.py.
"""

import json
from importlib.resources import files
from typing import Any

from .json_schema import Schema

_DATA: dict[str, Any] = json.loads((files(__package__) / "chart.json").read_text(encoding="utf-8"))

#: The version that the data are of.
VERSION: str = _DATA["version"]

SCHEMA: Schema = _DATA["schema"]

#: The default values; text of which nothing depends is left out.
DEFAULTS: dict[str, Any] = _DATA["defaults"]

#: Keys that the templates read: with a null there, Helm fails. Each with the values that other keys
#: must have for that.
REQUIRED_KEYS: dict[str, dict[str, Any]] = _DATA["needed"]


def with_defaults(values: dict[str, Any], defaults: dict[str, Any] = DEFAULTS) -> dict[str, Any]:
    """Values as Helm hands them to the chart: a null deletes a default."""
    together = {**defaults, **values}
    for key in defaults.keys() & values.keys():
        default, value = defaults[key], values[key]
        if value is None:
            del together[key]
        elif isinstance(default, dict) and isinstance(value, dict):
            together[key] = with_defaults(value, default)
    return together
