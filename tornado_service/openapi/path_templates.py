"""Path templates: the regular expression of a route as OpenAPI writes it."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: A group without groups inside: named, or known by its position.
_GROUP = re.compile(r"\((?:\?P<(\w+)>|(?!\?))(?:\\.|\[(?:\\.|[^]\\])+\]|[^][()\\])*\)")

#: Groups as ``{name}`` and literal characters.
_TEMPLATE = re.compile(r"(?:\{[^\W\d]\w*\}|\\[^\w\s]|[^\\.^$*+?{}()[\]|])*")


def path_template(pattern: str, names: Iterable[str]) -> str:
    """A path with each group as ``{name}``, and without an optional slash at its end.

    Args:
        pattern: the regular expression.
        names: the names of groups that have none in the pattern, by position.

    Raises:
        ValueError: the pattern has more than text and groups, or groups in groups.
    """
    unnamed = iter(() if "(?P<" in pattern else names)
    template = _GROUP.sub(
        lambda group: f"{{{group[1] or next(unnamed, '?')}}}",
        pattern.removesuffix("$").removesuffix("/?"),
    )
    if not _TEMPLATE.fullmatch(template):
        raise ValueError("a path in the document is made of text and groups only: (?P<name>…)")
    return re.sub(r"\\(.)", r"\1", template)
