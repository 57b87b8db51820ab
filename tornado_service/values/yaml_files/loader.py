"""Loads values files as Helm does: documents, tabs, tags, keys, merges and duplicates included.

Helm splits a file at the lines that begin with ``---`` and reads each part with go-yaml, which
ignores unknown tags and converts every key to text.
"""

import io
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.resolver import BaseResolver

from ..paths import KeyPath
from . import scalars
from .scanner import HelmScanner

T = TypeVar("T")


class LoadedValues(dict[str, Any]):
    """The values of a document."""

    def __init__(self) -> None:
        super().__init__()
        #: the source text of each number, boolean and null
        self.texts: dict[KeyPath, str] = {}
        #: duplicate keys of a map, and the line of the second, which Helm silently uses
        self.duplicates: dict[KeyPath, int] = {}


def load(text: str) -> list[LoadedValues]:
    """The documents of a file. YAMLError: Helm cannot read it, or a document is not a map."""
    return [_Loader(part).document() for part in _split(text)]


def _split(text: str) -> Iterator[str]:
    """The documents; empty lines before each preserve line numbers."""
    part = ""
    for number, line in enumerate(io.StringIO(text, newline="\n")):
        line = line if part.strip("\n") else line.removeprefix("\ufeff")
        if line.startswith("---"):
            rest = line[3:].strip()
            if rest and not rest.startswith("#"):
                raise yaml.YAMLError(f"line {number + 1}: Helm takes nothing after --- on its line")
            yield part
            part = "\n" * (number + 1)
        else:
            part += line
    yield part.removesuffix("\n") + "\n"


class _Loader(HelmScanner, Parser, Composer, BaseResolver):
    """Reads one document."""

    def __init__(self, text: str) -> None:
        HelmScanner.__init__(self, text)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self._loaded = LoadedValues()
        self._ancestors: list[yaml.Node] = []
        self._aliases: set[tuple[int, int]] = set()

    def document(self) -> LoadedValues:
        if self.check_node() and (node := self.get_node()):
            value = self._construct(node, ())
            if isinstance(value, dict):
                self._loaded.update(value)
            elif value is not None:
                raise _error("a values file holds a map", node)
        return self._loaded

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose the node; anchors may be redefined, and aliases are recorded."""
        if self.check_event(yaml.AliasEvent):
            self._aliases.add((id(parent), id(index)))
        else:
            self.anchors.pop(self.peek_event().anchor, None)
        return super().compose_node(parent, index)

    def compose_scalar_node(self, anchor: dict[Any, yaml.Node]) -> yaml.ScalarNode:
        event = self.peek_event()
        if event.tag == "!":
            event.implicit = (False, True)
        return super().compose_scalar_node(anchor)

    def resolve(self, kind: type[yaml.Node], value: str, implicit: Any) -> str:
        """No tag if a scalar is to be interpreted by its text."""
        if kind is yaml.ScalarNode and implicit[0]:
            return ""
        return str(super().resolve(kind, value, implicit))

    def _construct(self, node: yaml.Node, path: KeyPath) -> Any:
        if node in self._ancestors:
            raise _error("an anchor holds itself", node)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self._ancestors.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._map(node, path)
            return [self._construct(item, (*path, index)) for index, item in enumerate(node.value)]
        finally:
            self._ancestors.pop()

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> scalars.Scalar:
        try:
            node.value.encode()  # two escapes that each encode half a character
        except UnicodeEncodeError:
            raise _error("an escape makes half a character", node) from None
        value = _parsed(node, scalars.as_json)
        # a merge or a duplicate key may have set it before
        self._loaded.texts.pop(path, None)
        if not isinstance(value, str):
            self._loaded.texts[path] = node.value
        return value

    def _map(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        """A map; entries after a merge key, and the merged map after an entry, replace others."""
        built: dict[str, Any] = {}
        keys: set[str] = set()
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _error("a key is text, not a list or a map", key_node)
            if key_node.value == "<<" and key_node.tag in ("", "tag:yaml.org,2002:merge"):
                is_alias = (id(node), id(key_node)) in self._aliases
                is_list = isinstance(value_node, yaml.SequenceNode) and not is_alias
                for merged in reversed(value_node.value) if is_list else [value_node]:
                    if not isinstance(merged, yaml.MappingNode):
                        raise _error("<< takes a map or a list of maps", value_node)
                    built.update(self._construct(merged, path))
                continue
            key = _parsed(key_node, scalars.as_key)
            if key in keys:
                self._loaded.duplicates[(*path, key)] = key_node.start_mark.line + 1
            keys.add(key)
            built[key] = self._construct(value_node, (*path, key))
        return built


def _parsed(node: yaml.ScalarNode, convert: Callable[[scalars.Scalar], T]) -> T:
    try:
        return convert(scalars.parse_scalar(node.value, node.tag))
    except ValueError as error:
        raise _error(str(error), node) from None


def _error(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
