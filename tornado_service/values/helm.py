"""How Helm merges values files, and the names that the chart makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import yaml

from .document import Path

#: The chart's name, which is also the key of its values in a chart that depends on it.
CHART = "jupyterhub"

#: Lists that a service needs, or that decide who may use it. Helm never joins two lists.
LISTS: tuple[tuple[str, ...], ...] = (
    ("hub", "service", "extraPorts"),
    ("hub", "extraPodSpec", "hostAliases"),
    ("hub", "networkPolicy", "allowedIngressPorts"),
    ("hub", "networkPolicy", "ingress"),
    ("hub", "networkPolicy", "egress"),
    ("proxy", "chp", "networkPolicy", "egress"),
    ("hub", "config", "JupyterHub", "extra_user_scopes"),
)


class ValuesError(Exception):
    """A values file that cannot be used; the message says which and why."""


class _Loader(yaml.SafeLoader):
    """Reads YAML and refuses what Helm reads in another way than it looks."""


def _unique_keys(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise ValuesError(
                f"line {key_node.start_mark.line + 1}: {key} stands twice in one map; Helm drops"
                " the first without a word. Join the two."
            )
        seen.add(key)
    loader.flatten_mapping(node)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_keys)


def read(file: str) -> dict[str, Any]:
    """Read a values file.

    Raises:
        ValuesError: it is missing, no YAML, no map, or Helm would drop a part of it.
    """
    try:
        # a safe loader that minds more
        values = yaml.load(FilePath(file).read_text(encoding="utf-8"), _Loader)  # noqa: S506
    except OSError as error:
        raise ValuesError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValuesError(f"{file}: this is no text") from error
    except yaml.YAMLError as error:
        raise ValuesError(f"{file}: {_in_one_line(error)}") from error
    except ValuesError as error:
        raise ValuesError(f"{file}: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ValuesError(f"{file}: this is no map of values")
    return values


def _in_one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}: {problem}" if mark else problem


def as_list(value: Any) -> list[Any]:
    """A value that should be a list, or an empty one."""
    return value if isinstance(value, list) else []


def as_map(value: Any) -> dict[str, Any]:
    """A value that should be a map, or an empty one."""
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class Replaced:
    """A list or scalar of one file that a later file replaces.

    Attributes:
        path: where it stands, below the key of a parent chart if there is one.
        earlier: the file whose value is lost.
        later: the file whose value counts.
        lost: what is lost: the entries of the list that are not in the new one, or the scalar.
        kept: the entries that are in both lists.
    """

    path: Path
    earlier: str
    later: str
    lost: tuple[Any, ...]
    kept: tuple[Any, ...] = ()


class Values:
    """Values files, merged as Helm does: maps join, lists replace, null deletes."""

    def __init__(self, files: Iterable[tuple[str, dict[str, Any]]]) -> None:
        self.tree: dict[str, Any] = {}
        self.replaced: list[Replaced] = []
        self.files: list[str] = []
        self._origins: dict[Path, str] = {}
        for file, values in files:
            self.files.append(file)
            self._merge(self.tree, values, (), file)
        self.root: Path = (CHART,) if self._is_nested() else ()

    def _is_nested(self) -> bool:
        inner = self.tree.get(CHART)
        return isinstance(inner, dict) and not inner.keys().isdisjoint({"hub", "proxy"})

    def _merge(self, target: dict[str, Any], source: dict[str, Any], path: Path, file: str) -> None:
        for key, value in source.items():
            here = (*path, key)
            old = target.get(key)
            if isinstance(value, dict) and isinstance(old, dict):
                self._merge(old, value, here, file)
                continue
            if old is not None and old != value:
                kept = value if isinstance(value, list) else []
                had = old if isinstance(old, list) else [old]
                lost = tuple(item for item in had if item not in kept)
                if lost:
                    both = tuple(item for item in had if item in kept)
                    self.replaced.append(Replaced(here, self._origins[here], file, lost, both))
            target[key] = deepcopy(value)
            self._remember(value, here, file)

    def _remember(self, value: Any, path: Path, file: str) -> None:
        self._origins[path] = file
        if isinstance(value, dict):
            for key, inner in value.items():
                self._remember(inner, (*path, key), file)

    def raw(self, *path: str, default: Any = None) -> Any:
        """The value at a path of the chart's values, which may be null."""
        value: Any = self.tree
        for key in (*self.root, *path):
            if not isinstance(value, dict) or key not in value:
                return default
            value = value[key]
        return value

    def get(self, *path: str, default: Any = None) -> Any:
        """The value at a path of the chart's values; null counts as not set."""
        value = self.raw(*path)
        return default if value is None else value

    def map(self, *path: str) -> dict[str, Any]:
        """The map at a path, empty where there is none."""
        return as_map(self.get(*path))

    def list(self, *path: str) -> list[Any]:
        """The list at a path, empty where there is none."""
        return as_list(self.get(*path))

    def is_on(self, *path: str) -> bool:
        """Whether a switch that the chart has on by default was left on."""
        return self.get(*path) is not False

    def maps_in(self, *path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The maps within a map, with their keys."""
        for key, value in self.map(*path).items():
            if isinstance(value, dict):
                yield str(key), value

    def file_of(self, path: Path) -> str:
        """The file that sets a key, or else the nearest map above it."""
        return self.file_at((*self.root, *path))

    def file_at(self, path: Path) -> str:
        """The same, for a path from the top."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._origins:
                return self._origins[path[:length]]
        return self.files[-1] if self.files else "-"


def hub_service(full_name: str | None, chart_name: str | None, release: str) -> str:
    """The name of the hub's Kubernetes Service, as the chart makes it.

    Args:
        full_name: ``fullnameOverride``; the chart's own is empty.
        chart_name: ``nameOverride``.
        release: name of the Helm release; empty if not known.

    Returns:
        the name, or empty where it depends on a release that is not known.
    """
    if full_name is None:
        name = chart_name or CHART
        if not release:
            return ""
        full_name = release if name in release else f"{release}-{name}"
    return f"{full_name}-hub" if full_name else "hub"
