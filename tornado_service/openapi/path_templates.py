"""Path templates: the regular expression of a route as OpenAPI writes it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

if sys.version_info >= (3, 11):
    from re import _constants as codes  # type: ignore[attr-defined]
    from re import _parser as parser  # type: ignore[attr-defined]
else:
    import sre_constants as codes
    import sre_parse as parser

#: More ways to write one address are not told.
MAX_TEMPLATES = 8


def expand_pattern(pattern: str, names: Sequence[str]) -> list[str]:
    """How an address may be written, with each group as ``{name}``.

    What may be left out is left out, unless there is a group in it; then there is one template
    without and one with it.

    Args:
        pattern: the regular expression.
        names: what the groups are called that have no name of their own.

    Raises:
        ValueError: parts of it that are no groups match more than one text.
    """
    regex = re.compile(pattern)
    called = {number: f"group{number}" for number in range(1, regex.groups + 1)}
    called.update(enumerate(names, 1))
    called.update({number: name for name, number in regex.groupindex.items()})
    found = _concatenate(parser.parse(pattern), called)
    return list(dict.fromkeys(found))[:MAX_TEMPLATES]


def _concatenate(items: Iterable[tuple[Any, Any]], names: dict[int, str]) -> list[str]:
    """All ways to write what follows one another."""
    ways = [""]
    for code, argument in items:
        parts = _expand_token(code, argument, names)
        ways = [way + part for way in ways for part in parts][: 2 * MAX_TEMPLATES]
    return ways


def _expand_token(code: Any, argument: Any, names: dict[int, str]) -> list[str]:
    if code is codes.LITERAL:
        return [chr(argument)]
    if code is codes.AT:
        return [""]
    if code is codes.SUBPATTERN:
        number, _, _, inside = argument
        return [f"{{{names[number]}}}"] if number in names else _concatenate(inside, names)
    if code is codes.BRANCH:
        return [way for branch in argument[1] for way in _concatenate(branch, names)]
    if code is codes.IN and all(each is codes.LITERAL for each, _ in argument):
        return [chr(character) for _, character in argument]
    if code is codes.MAX_REPEAT and argument[:2] == (0, 1):
        ways = _concatenate(argument[2], names)
        return ["", *(way for way in ways if "{" in way)]
    raise ValueError("what is no group in it matches more than one text")
