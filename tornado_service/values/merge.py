"""How Helm merges values files, and the names that the chart makes of them."""

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..config.secret_settings import is_secret_name
from ..telemetry.redaction import REDACTED
from .chart import subchart
from .yaml_files.document import KeyPath, scalar
from .yaml_files.loader import LoadedValues, load

#: The chart's name, which is also the key of its values in a chart that depends on it.
CHART = "jupyterhub"

#: Lists that a service needs, or that decide who may use it. Helm never joins two lists.
SERVICE_LISTS: tuple[tuple[str, ...], ...] = (
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


def read_files(files: Iterable[str]) -> list[tuple[str, LoadedValues]]:
    """The documents of values files, each with its file's name, as Helm reads them.

    Raises:
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
    # an alias, which is a password that begins with * and stands in no quotes
    problem = re.sub(r"(undefined alias) .*", rf"\1 {REDACTED}", problem)
    return f"line {mark.line + 1}: {problem}" if mark else problem


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def as_map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class ReplacedValue:
    """A list or scalar of one file that a later file replaces.

    Attributes:
        path: where it stands, below the key of a parent chart if there is one.
        earlier_file: the file whose value is lost.
        later_file: the file whose value counts.
        lost: what is lost: the entries of the list that are not in the new one, or the scalar.
        kept: the entries that are in both lists.
    """

    path: KeyPath
    earlier_file: str
    later_file: str
    lost: tuple[Any, ...]
    kept: tuple[Any, ...] = ()


class Values:
    """Values files, merged as Helm does: maps join, lists replace, null deletes."""

    def __init__(
        self, files: Iterable[tuple[str, dict[str, Any]]], parent: KeyPath | None = None
    ) -> None:
        """Merge the files.

        Args:
            files: names and values.
            parent: the keys under which the chart's values stand; found in the values by default.

        Raises:
            ValuesError: they stand in several places.
        """
        self.tree: dict[str, Any] = {}
        self.replaced: list[ReplacedValue] = []
        self.files: list[str] = []
        self.duplicates: list[tuple[str, KeyPath, int]] = []
        self._source_texts: list[dict[KeyPath, str]] = []
        self._origins: dict[KeyPath, int] = {}
        for number, (file, values) in enumerate(files):
            self.files.append(file)
            loaded = values if isinstance(values, LoadedValues) else LoadedValues()
            self._source_texts.append(loaded.texts)
            self.duplicates += [(file, *each) for each in loaded.duplicates.items()]
            self._merge(self.tree, values, (), number)
        self.chart_paths = list(subchart.find_chart_paths(self.tree))
        self.root: KeyPath = self._find_root() if parent is None else parent
        depth = len(self.root)
        self.replaced = [each for each in self.replaced if each.path[:depth] == self.root]

    def _find_root(self) -> KeyPath:
        sites = [path for path in self.chart_paths if subchart.has_site_values(self._at(path))]
        found = sites or self.chart_paths
        # a chart that depends on this one may have anything at its top; this one's is fixed
        found = [path for path in found if path] or found
        if len(found) > 1 and sites:
            found = [path for path in found if self._at((*path, "hub", "services"))] or found
        if len(found) > 1:
            keys = [".".join(map(str, path)) for path in found]
            raise ValuesError(
                f"{' and '.join(keys)} hold values of the chart; select one: --parent={keys[0]}"
            )
        return found[0] if found else ()

    @property
    def chart(self) -> str:
        """What Helm calls the chart: its alias in the chart above, or its name."""
        return str(self.root[-1]) if self.root else CHART

    def _at(self, path: KeyPath) -> Any:
        value: Any = self.tree
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def sections(self, path: KeyPath) -> list[str]:
        return subchart.sections(self._at(path))

    def has_site_values(self, path: KeyPath) -> bool:
        return subchart.has_site_values(self._at(path))

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
                kept = value if isinstance(value, list) else []
                had = old if isinstance(old, list) else [old]
                lost = tuple(item for item in had if item not in kept)
                if lost:
                    both = tuple(item for item in had if item in kept)
                    earlier = self.files[self._origins[here]]
                    self.replaced.append(ReplacedValue(here, earlier, self.files[file], lost, both))
            target[key] = deepcopy(value)
            self._record_origin(value, here, file)

    def _record_origin(self, value: Any, path: KeyPath, file: int) -> None:
        self._origins[path] = file
        if isinstance(value, dict):
            for key, inner in value.items():
                self._record_origin(inner, (*path, key), file)

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
        return as_map(self.get(*path))

    def list(self, *path: str) -> list[Any]:
        return as_list(self.get(*path))

    def is_enabled(self, *path: str) -> bool:
        """Whether a switch that the chart has on by default was left on."""
        return self.get(*path) is not False

    def submaps(self, *path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for key, value in self.map(*path).items():
            if isinstance(value, dict):
                yield str(key), value

    def file_of(self, path: KeyPath) -> str:
        """The file that sets a key, or else the nearest map above it."""
        return self.file_of_tree_path((*self.root, *path))

    def file_of_tree_path(self, path: KeyPath) -> str:
        """As ``file_of``, for a path from the top."""
        origin = self._origin(path)
        if origin is not None:
            return self.files[origin]
        return self.files[-1] if self.files else "-"

    def _origin(self, path: KeyPath) -> int | None:
        """The document that sets a key, or else the nearest key above it, by its number."""
        lengths = range(len(path), 0, -1)
        return next((self._origins[path[:n]] for n in lengths if path[:n] in self._origins), None)

    def source_text(self, path: KeyPath) -> str:
        """The value at a path of the chart's values, as its file has it, but for secrets; a number
        selects from a list.
        """
        if any(is_secret_name(str(key)) for key in path):
            return REDACTED
        path = (*self.root, *path)
        origin = self._origin(path)
        text = None if origin is None else self._source_texts[origin].get(path)
        if text is not None:
            return text or "null"
        value: Any = self.tree
        for key in path:
            value = value[key]
        return scalar(value)


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
