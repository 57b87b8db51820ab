"""Generate tornado_service/values/chart/chart.json from zero-to-jupyterhub's chart.

Needs helm on the PATH, and some minutes, mostly for rules outside of the schema: Helm renders the
chart once for each key that could be null.

    python -m tests.packaging.chart.generate PATH-OF-THE-CHART
"""

import json
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.packaging.chart.charts import Chart, HelmError, prepare
from tests.packaging.chart.fetch import RELEASE

TARGET = Path(__file__).parents[3] / "tornado_service" / "values" / "chart" / "chart.json"

#: Keys of a schema that are no rules. A choice of required keys is left out because
#: ``--set-file`` may bring them.
LEFT_OUT = {"$schema", "description", "title", "oneOf"}

Values = dict[str, Any]

#: Parts that the chart disables by default: their switches, and values with which they work.
OFF: list[tuple[Values, Values]] = [
    (
        {"httpRoute.enabled": True},
        {"httpRoute": {"enabled": True, "gateway": {"name": "g"}}},
    ),
    ({"ingress.enabled": True}, {"ingress": {"enabled": True}}),
    (
        {"proxy.https.enabled": True, "proxy.https.type": "letsencrypt"},
        {
            "proxy": {
                "https": {
                    "enabled": True,
                    "hosts": ["lab.example.org"],
                    "letsencrypt": {"contactEmail": "a@example.org"},
                }
            }
        },
    ),
]


def file_of(chart: Chart, name: str) -> str:
    """A file of a chart, which may be an archive."""
    if chart.path.is_dir():
        return (chart.path / name).read_text()
    with tarfile.open(chart.path) as tar:
        content = tar.extractfile(f"jupyterhub/{name}")
        assert content is not None, name
        return content.read().decode()


def schema_of(chart: Chart) -> Values:
    """The chart's schema, without its sentences."""
    return _pruned(json.loads(file_of(chart, "values.schema.json")))


def _pruned(schema: Values) -> Values:
    pruned: Values = {}
    for key, value in schema.items():
        if key in ("properties", "patternProperties"):
            pruned[key] = {name: _pruned(inner) for name, inner in value.items()}
        elif key not in LEFT_OUT:
            pruned[key] = _pruned(value) if isinstance(value, dict) else value
    return {key: value for key, value in pruned.items() if (key, value) != ("then", {})}


def defaults_of(chart: Chart) -> Values:
    """The chart's defaults, with text only where the schema lists the choices."""
    return _shape(yaml.safe_load(file_of(chart, "values.yaml")), schema_of(chart))


def _shape(value: Any, schema: Values) -> Any:
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        return {key: _shape(inner, properties.get(key, {})) for key, inner in value.items()}
    if isinstance(value, list):
        return []
    return "" if isinstance(value, str) and "enum" not in schema else value


def keys_of(chart: Chart) -> list[tuple[str, ...]]:
    """Every key of the defaults and the schema, at all depths."""
    keys = {*_default_keys(defaults_of(chart)), *_schema_keys(schema_of(chart))}
    # names of services, by mistake of the schema's
    return sorted(key for key in keys if key[:2] != ("hub", "services") or len(key) == 2)


def _default_keys(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(values, dict):
        for key, value in values.items():
            yield (*path, key)
            yield from _default_keys(value, (*path, key))


def _schema_keys(schema: Values, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in schema.get("properties", {}).items():
        yield (*path, key)
        yield from _schema_keys(value, (*path, key))


def nested(path: tuple[str, ...], value: Any) -> Values:
    """Values with one key."""
    for key in reversed(path):
        value = {key: value}
    return value


def refusal(chart: Chart, workdir: Path, *values: Values) -> str:
    """Why Helm fails with these values; empty if it does not."""
    try:
        chart.template(*values, workdir=workdir)
    except HelmError as error:
        return "schema" if "values don't meet" in str(error) else "template"
    return ""


def needed_by(chart: Chart, workdir: Path) -> dict[str, Values]:
    """The keys that templates require, and the values that this depends on."""
    defaults = defaults_of(chart)
    needed: dict[str, Values] = {}
    for path in keys_of(chart):
        null = nested(path, None)
        key = ".".join(path)
        found = refusal(chart, workdir, null)
        if found == "template":
            needed[key] = {}
            for switch in _switches_above(path, defaults):
                if not refusal(chart, workdir, nested(switch, False), null):
                    needed[key] = {".".join(switch): True}
        elif not found:
            for conditions, on in OFF:
                # a part needs keys of its own section only
                if path[0] in on and refusal(chart, workdir, on, null) == "template":
                    needed[key] = conditions
    return needed


def _switches_above(path: tuple[str, ...], defaults: Values) -> Iterator[tuple[str, ...]]:
    for length in range(1, len(path)):
        section: Any = defaults
        for key in path[:length]:
            section = section.get(key) if isinstance(section, dict) else None
        if isinstance(section, dict) and section.get("enabled") is True:
            yield (*path[:length], "enabled")


def text(data: Values) -> str:
    """The file: one line for each key at the top, sorted."""
    return json.dumps(data, indent=0, separators=(",", ":"), sort_keys=True) + "\n"


def main() -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory() as directory:
        workdir = Path(directory)
        chart = prepare(Path(sys.argv[1]), workdir)
        data = {
            "version": RELEASE,
            "schema": schema_of(chart),
            "defaults": defaults_of(chart),
            "needed": needed_by(chart, workdir),
        }
    TARGET.write_text(text(data))


if __name__ == "__main__":
    main()
