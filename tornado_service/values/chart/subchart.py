"""Finds the chart's values: at the top, or under the keys of charts that depend on it."""

from collections.abc import Iterator
from typing import Any

from ..paths import KeyPath
from .chart_data import SCHEMA

PROPERTIES: dict[str, Any] = SCHEMA["properties"]

#: Keys that distinguish the chart's values from another chart's.
CHART_KEYS: dict[str, set[str]] = {
    "hub": {*PROPERTIES["hub"]["properties"]},
    "singleuser": {*PROPERTIES["singleuser"]["properties"]},
    "proxy": {"secretToken", "chp", "traefik", "https"},
    "cull": {"adminUsers", "every", "maxAge", "removeNamedServers"},
    "prePuller": {"hook", "continuous"},
    "scheduling": {"userScheduler", "podPriority", "userPlaceholder", "corePods", "userPods"},
}

#: Output of ``tornado-service values``. A file with only this need not contain a chart's values.
GENERATED_PATHS: set[KeyPath] = {
    *(("hub", key) for key in ("labels", "services", "service", "extraPodSpec", "networkPolicy")),
    *(("hub", key) for key in ("extraConfig", "loadRoles", "image", "extraFiles")),
    ("hub", "config", "JupyterHub", "custom_scopes"),
    ("hub", "config", "JupyterHub", "extra_user_scopes"),
    ("proxy", "chp"),
}


def sections(values: Any) -> list[str]:
    """The sections that identify values as the chart's."""
    if not isinstance(values, dict):
        return []
    return [
        section
        for section, keys in CHART_KEYS.items()
        if isinstance(values.get(section), dict) and not keys.isdisjoint(values[section])
    ]


def find_charts(
    values: dict[str, Any], path: KeyPath = ()
) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """Possible values of the chart, with their paths, from the top."""
    found = sections(values)
    if found:
        yield path, values
    for key, value in values.items():
        if isinstance(value, dict) and not (found and key in PROPERTIES):
            yield from find_charts(value, (*path, key))


def has_site_values(values: dict[str, Any]) -> bool:
    """Whether the chart's sections hold more than the output of ``tornado-service values``."""
    return any(_has_other_keys(values[section], (section,)) for section in sections(values))


def _has_other_keys(value: Any, path: KeyPath) -> bool:
    if path in GENERATED_PATHS:
        return False
    if not isinstance(value, dict) or not value:
        return True
    return any(_has_other_keys(inner, (*path, key)) for key, inner in value.items())
