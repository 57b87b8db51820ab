"""How Helm merges values files, and the names that the chart derives from them."""

import re
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ..config.secret_settings import is_secret_name
from ..telemetry.redaction import REDACTED
from .chart import subchart
from .paths import KeyPath
from .yaml_files.loader import LoadedValues, load
from .yaml_files.writer import scalar

#: The chart's name, which is also the key of its values in a chart that depends on it.
CHART = "jupyterhub"


class ValuesError(Exception):
    """A values file that cannot be used; the message says which and why."""


def read_files(files: Iterable[str]) -> list[tuple[str, LoadedValues]]:
    """The documents of values files, each with its file's name, as Helm reads them.

    ValuesError: a file is missing, or Helm cannot read it.
    """
    return [(file, document) for file in files for document in _read(file)]


def _read(file: str) -> list[LoadedValues]:
    try:
        return load(Path(file).read_bytes().decode())
    except OSError as error:
        raise ValuesError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValuesError(f"{file}: not a text file in UTF-8") from error
    except RecursionError as error:
        raise ValuesError(f"{file}: nested too deeply") from error
    except yaml.YAMLError as error:
        raise ValuesError(f"{file}: {_in_one_line(error)}") from error


def _in_one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    # an alias: an unquoted password that begins with *
    problem = re.sub(r"(undefined alias) .*", rf"\1 {REDACTED}", problem)
    return f"line {mark.line + 1}: {problem}" if mark else problem


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def as_map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_maps(value: Any) -> list[dict[str, Any]]:
    """The entries of a list that are maps."""
    return [entry for entry in as_list(value) if isinstance(entry, dict)]


def value_at(values: Any, path: Iterable[str | int], default: Any = None) -> Any:
    """The value at a path of keys, and numbers of list entries."""
    for key in path:
        if key not in as_map(values) and not (isinstance(values, list) and isinstance(key, int)):
            return default
        values = values[key]
    return values


@dataclass(frozen=True)
class ReplacedValue:
    """A list or scalar of one file that a later file replaces."""

    path: KeyPath
    earlier_file: str
    later_file: str
    #: the entries of the list that are missing in the new one, or the scalar
    lost: tuple[Any, ...]
    #: the entries that are in both lists
    kept: tuple[Any, ...]


class Values:
    """Values files, merged as Helm does: maps join, lists replace, null deletes.

    The chart's values are below the keys of its parent charts: these are detected by content,
    unless given. ValuesError: there are several.
    """

    def __init__(
        self, files: Iterable[tuple[str, dict[str, Any]]], parent: KeyPath | None = None
    ) -> None:
        self.tree: dict[str, Any] = {}
        self.files: list[str] = []
        #: duplicate keys in one map of a file: file, path and line of the second
        self.duplicates: list[tuple[str, KeyPath, int]] = []
        self._source_texts: list[dict[KeyPath, str]] = []
        self._replaced: list[ReplacedValue] = []
        #: the number of the document that sets a key
        self._origins: dict[KeyPath, int] = {}
        for number, (file, values) in enumerate(files):
            self.files.append(file)
            loaded = values if isinstance(values, LoadedValues) else LoadedValues()
            self._source_texts.append(loaded.texts)
            self.duplicates += [(file, path, line) for path, line in loaded.duplicates.items()]
            self._merge(self.tree, values, (), number)
        #: possible values of the chart, by path
        self.charts = dict(subchart.find_charts(self.tree))
        self.root: KeyPath = self._find_root() if parent is None else parent
        depth = len(self.root)
        #: by paths of the chart's values
        self.replaced = [
            replace(value, path=value.path[depth:])
            for value in self._replaced
            if value.path[:depth] == self.root
        ]

    def _find_root(self) -> KeyPath:
        sites = [path for path, chart in self.charts.items() if subchart.has_site_values(chart)]
        paths = sites or list(self.charts)
        # a chart that depends on this one may have any keys at its top; this one's are fixed
        paths = [path for path in paths if path] or paths
        if len(paths) > 1 and sites:
            services = ("hub", "services")
            paths = [path for path in paths if value_at(self.charts[path], services)] or paths
        if len(paths) > 1:
            keys = [".".join(map(str, path)) for path in paths]
            raise ValuesError(
                f"{' and '.join(keys)} hold values of the chart; select one: --parent={keys[0]}"
            )
        return paths[0] if paths else ()

    @property
    def chart(self) -> str:
        """The chart's name in Helm: its alias in the parent chart, or its own."""
        return str(self.root[-1]) if self.root else CHART

    def _merge(
        self, target: dict[str, Any], source: dict[str, Any], path: KeyPath, file: int
    ) -> None:
        for key, value in source.items():
            here = (*path, key)
            old = target.get(key)
            if isinstance(value, dict) and isinstance(old, dict):
                self._merge(old, value, here, file)
                continue
            if old is not None and old != value:
                new = as_list(value)
                had = old if isinstance(old, list) else [old]
                lost = tuple(item for item in had if item not in new)
                if lost:
                    kept = tuple(item for item in had if item in new)
                    earlier = self.files[self._origins[here]]
                    replaced = ReplacedValue(here, earlier, self.files[file], lost, kept)
                    self._replaced.append(replaced)
            target[key] = deepcopy(value)
            self._record_origin(value, here, file)

    def _record_origin(self, value: Any, path: KeyPath, file: int) -> None:
        self._origins[path] = file
        for key, inner in as_map(value).items():
            self._record_origin(inner, (*path, key), file)

    def raw(self, *path: str | int, default: Any = None) -> Any:
        """The value at a path of the chart's values, which may be null."""
        return value_at(self.tree, (*self.root, *path), default)

    def get(self, *path: str | int, default: Any = None) -> Any:
        """The value at a path of the chart's values; null counts as not set."""
        value = self.raw(*path)
        return default if value is None else value

    def map(self, *path: str | int) -> dict[str, Any]:
        return as_map(self.get(*path))

    def list(self, *path: str | int) -> list[Any]:
        return as_list(self.get(*path))

    def is_enabled(self, *path: str | int) -> bool:
        """Whether a setting that is on by default is still on."""
        return self.get(*path) is not False

    def submaps(self, *path: str | int) -> dict[str, dict[str, Any]]:
        entries = self.map(*path).items()
        return {str(key): value for key, value in entries if isinstance(value, dict)}

    def find(self, pattern: str) -> Iterable[tuple[KeyPath, Any]]:
        """Paths and values that match a pattern, such as ``hub.labels.*``.

        ``*`` is any key of a map, any entry of a list.
        """
        found: list[tuple[KeyPath, Any]] = [((), self.map())]
        for part in pattern.split("."):
            found = [
                ((*path, key), inner)
                for path, value in found
                for key, inner in as_map(value).items() or enumerate(as_list(value))
                if part in ("*", key)
            ]
        return found

    def file_of(self, path: KeyPath) -> str:
        """The file that sets a key of the chart's values, or else the nearest map above it."""
        return self.file_of_tree_path((*self.root, *path))

    def file_of_tree_path(self, path: KeyPath) -> str:
        """As ``file_of``, for a path from the top."""
        return (self.files or ["-"])[self._origin(path)]

    def _origin(self, path: KeyPath) -> int:
        lengths = range(len(path), 0, -1)
        return next((self._origins[path[:n]] for n in lengths if path[:n] in self._origins), -1)

    def source_text(self, path: KeyPath) -> str:
        """The value at a path of the chart's values as written in its file, except for secrets."""
        if any(is_secret_name(str(key)) for key in path):
            return REDACTED
        full_path = (*self.root, *path)
        text = self._source_texts[self._origin(full_path)].get(full_path)
        return scalar(self.raw(*path)) if text is None else text or "null"


def hub_service(full_name: str | None, chart_name: str | None, release: str) -> str:
    """The name of the hub's Kubernetes Service, which the chart derives from its two overrides.

    Empty if it depends on an unknown release.
    """
    if full_name is None:
        name = chart_name or CHART
        if not release:
            return ""
        full_name = release if name in release else f"{release}-{name}"
    return f"{full_name}-hub" if full_name else "hub"
