"""Values that violate the chart's schema, and empty keys that its templates need."""

from collections.abc import Iterable, Iterator

from ..chart import chart_data
from ..chart.json_schema import Violation, violations
from ..merge import value_at
from ..names import did_you_mean
from ..paths import KeyPath
from ..site import Site, ValuesFinding
from ..yaml_files.writer import quoted

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

#: Distinguishes a missing key from one with null.
ABSENT = object()


def check(site: Site, reported_keys: Iterable[str]) -> Iterator[ValuesFinding]:
    """Violations of the schema, except unknown keys that other findings explain better."""
    values = chart_data.with_defaults(site.values.map())
    for violation in violations(chart_data.SCHEMA, values):
        # --set may add what no file has
        if site.values.raw(*violation.path, default=ABSENT) is ABSENT:
            continue
        if violation.keyword != "additionalProperties":
            yield _refused(site, violation)
        elif site.version < (6,):  # a chart with JupyterHub 6 is newer than the schema
            finding = site.finding(
                violation.path,
                f"Helm refuses it: chart {chart_data.VERSION} has no such key.",
                did_you_mean(violation.path[-1], violation.allowed, "nothing: take the key out."),
            )
            if not any(f"{key}.".startswith(f"{finding.key}.") for key in reported_keys):
                yield finding
    for key, conditions in chart_data.REQUIRED_KEYS.items():
        path = tuple(key.split("."))
        if site.values.raw(*path, default=ABSENT) is None and all(
            value_at(values, name.split(".")) == value for name, value in conditions.items()
        ):
            yield _empty(site, path)


def _refused(site: Site, violation: Violation) -> ValuesFinding:
    path, allowed = violation.path, violation.allowed
    if violation.keyword == "required":
        return _empty(site, path)
    if violation.keyword == "type":
        return _wrong_type(site, path, allowed)
    values = ", ".join("null" if value is None else str(value) or '""' for value in allowed)
    return site.finding(
        path,
        f"Helm refuses {site.values.source_text(path)}.",
        f"one of {values}." if values else "a number that is not negative.",
    )


def _wrong_type(site: Site, path: KeyPath, allowed: tuple[str, ...]) -> ValuesFinding:
    value = site.values.raw(*path)
    got = TYPE_NAMES[JSON_TYPES.get(type(value), "number")]
    expected = " or ".join(TYPE_NAMES[name] for name in allowed if name != "null")
    write = f"{expected}."
    if value is None:
        write = f"{expected}, or take the key out."
    elif "string" in allowed and not isinstance(value, dict | list):
        write = f"it in quotes: {quoted(site.values.source_text(path))}"
    return site.finding(path, f"Helm refuses {got}: this is {expected}.", write)


def _empty(site: Site, path: KeyPath) -> ValuesFinding:
    section = value_at(chart_data.DEFAULTS, path[:-1])
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
