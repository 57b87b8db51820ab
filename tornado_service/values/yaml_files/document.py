"""A YAML document that says why each of its keys is there."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import yaml

from .scalars import parse_plain

KeyPath = tuple[str | int, ...]

WIDTH = 100


class Document:
    """Values, and the comments that go above their keys."""

    def __init__(self, title: str = "") -> None:
        self.title = title
        self.values: dict[str, Any] = {}
        self._comments: dict[KeyPath, str] = {}

    def put(self, path: tuple[str, ...], value: Any, comment: str = "") -> None:
        """Set a value.

        Args:
            path: where it goes; maps on the way are made.
            value: what goes there.
            comment: why it is there.
        """
        parent = self.values
        for key in path[:-1]:
            parent = parent.setdefault(key, {})
        parent[path[-1]] = value
        if comment:
            self._comments[path] = comment

    def set_comment(self, path: KeyPath, comment: str) -> None:
        """Say why something within a value is there; a number in the path counts list entries."""
        self._comments[path] = comment

    def add(self, other: Document) -> None:
        """Take over the values and notes of another document; its lists replace ours."""
        _update(self.values, other.values)
        self._comments.update(other._comments)

    def nested_under(self, parents: KeyPath) -> Document:
        moved = Document(self.title)
        moved.values = self.values
        for key in reversed(parents):
            moved.values = {str(key): moved.values}
        moved._comments = {(*parents, *path): comment for path, comment in self._comments.items()}
        return moved

    def text(self) -> str:
        lines = [*_comment(self.title, 0), *self._map(self.values, (), 0)]
        return "\n".join(lines) + "\n"

    def _map(self, values: dict[str, Any], path: KeyPath, indent: int) -> Iterator[str]:
        for key, value in values.items():
            here = (*path, key)
            yield from _comment(self._comments.get(here, ""), indent)
            yield from self._entry(" " * indent + scalar(key) + ":", value, here, indent + 2)

    def _entry(self, start: str, value: Any, path: KeyPath, indent: int) -> Iterator[str]:
        if isinstance(value, dict) and value:
            yield start
            yield from self._map(value, path, indent)
        elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
            yield start
            yield from self._list(value, path, indent)
        elif isinstance(value, str) and "\n" in value:
            yield f"{start} |"
            yield from (" " * indent + line if line else "" for line in value.splitlines())
        else:
            yield f"{start} {scalar(value)}"

    def _list(self, values: list[Any], path: KeyPath, indent: int) -> Iterator[str]:
        for number, value in enumerate(values):
            here = (*path, number)
            yield from _comment(self._comments.get(here, ""), indent)
            if isinstance(value, dict) and value:
                first, *rest = self._map(value, here, indent + 2)
                yield " " * indent + "- " + first.lstrip()
                yield from rest
            else:
                yield f"{' ' * indent}- {scalar(value)}"


def _update(target: dict[str, Any], source: dict[str, Any]) -> None:
    for key, value in source.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _update(target[key], value)
        else:
            target[key] = deepcopy(value)


def _comment(text: str, indent: int) -> list[str]:
    prefix = " " * indent + "# "
    return [
        line.rstrip()
        for paragraph in text.splitlines()
        for line in textwrap.wrap(
            paragraph,
            WIDTH,
            initial_indent=prefix,
            subsequent_indent=prefix,
            break_long_words=False,
            break_on_hyphens=False,
        )
        or [prefix]
    ]


class _Dumper(yaml.SafeDumper):
    """Writes text so that both YAML 1.1 and Helm read text."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # PyYAML itself quotes what YAML 1.1 reads otherwise
    style = None if isinstance(parse_plain(text), str) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _represent_text)


def scalar(value: Any) -> str:
    """A scalar, list or map as YAML on one line."""
    text = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, width=10**6, allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("\n...")


def quoted(text: str) -> str:
    """A text as YAML, in quotes in any case."""
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'
