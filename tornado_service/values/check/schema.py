"""Values that Helm refuses by the chart's schema, and empty keys that its templates need."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from ..chart import files
from ..chart.schema import Violation, ViolationKind, violations
from ..site import Site, ValuesFinding
from ..yaml_files.document import KeyPath, quoted

TYPE_NAMES = {
    "object": "a map",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
JSON_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}


def check(site: Site, reported_keys: Iterable[str] = ()) -> Iterator[ValuesFinding]:
    """All of them.

    Args:
        site: the site.
        reported_keys: the keys of findings that say more of a key that the chart does not have.
    """
    whole = files.with_defaults(site.values.map())
    for violation in violations(files.SCHEMA, whole):
        for finding in _refused(site, violation):
            is_reported = any(f"{key}.".startswith(f"{finding.key}.") for key in reported_keys)
            if violation.kind is not ViolationKind.UNKNOWN or not is_reported:
                yield finding
    for key, conditions in files.REQUIRED_KEYS.items():
        path = tuple(key.split("."))
        if _is_null(site, path) and all(
            _at(whole, name.split(".")) == value for name, value in conditions.items()
        ):
            yield _empty(site, path)


def _refused(site: Site, violation: Violation) -> Iterator[ValuesFinding]:
    path, allowed = violation.path, violation.allowed
    if _at(site.values.map(), path) is None and not _is_null(site, path):
        return  # --set may bring what no file has
    if violation.kind is ViolationKind.MISSING:
        yield _empty(site, path)
    elif violation.kind is ViolationKind.UNKNOWN:
        # a chart with JupyterHub 6 is newer than the schema
        if site.version < (6,):
            meant = difflib.get_close_matches(str(path[-1]), allowed, n=1)
            yield site.finding(
                path,
                f"Helm refuses it: chart {files.VERSION} has no such key.",
                f"{meant[0]}?" if meant else "nothing: take the key out.",
            )
    elif violation.kind is ViolationKind.TYPE:
        yield _wrong_type(site, path, allowed)
    else:
        values = ", ".join("null" if value is None else str(value) or '""' for value in allowed)
        yield site.finding(
            path,
            f"Helm refuses {site.values.source_text(path)}.",
            f"one of {values}." if values else "a number that is not negative.",
        )


def _wrong_type(site: Site, path: KeyPath, allowed: tuple[str, ...]) -> ValuesFinding:
    value = _at(site.values.map(), path)
    got = TYPE_NAMES[JSON_TYPES.get(type(value), "number")]
    expected = " or ".join(TYPE_NAMES[each] for each in allowed if each != "null")
    write = f"{expected}."
    if value is None:
        write = f"{expected}, or take the key out."
    elif "string" in allowed and not isinstance(value, dict | list):
        write = f"it in quotes: {quoted(site.values.source_text(path))}"
    return site.finding(path, f"Helm refuses {got}: this is {expected}.", write)


def _empty(site: Site, path: KeyPath) -> ValuesFinding:
    section = _at(files.DEFAULTS, path[:-1])
    if not isinstance(section, dict) or path[-1] not in section:
        what = "Helm fails: the chart refuses this key, even without a value."
        return site.finding(path, what, "nothing: take the key out.")
    default = section[path[-1]]
    write = "{}" if isinstance(default, dict) else "[]" if isinstance(default, list) else "a value"
    return site.finding(
        path,
        "Helm fails: an empty key deletes the chart's own value, which the chart needs.",
        f"{write}, or take the key out.",
    )


def _is_null(site: Site, path: KeyPath) -> bool:
    return site.values.raw(*map(str, path), default="") is None


def _at(values: Any, path: KeyPath | list[str]) -> Any:
    for key in path:
        if isinstance(values, dict):
            values = values.get(key)
        elif isinstance(values, list) and isinstance(key, int):
            values = values[key]
        else:
            return None
    return values
