"""Docstrings for OpenAPI: summaries in plain text, descriptions in CommonMark."""

import inspect
import re
from typing import Any

_SECTION = re.compile(r"^(Args|Attributes|Examples?|Notes?|Raises|Returns|Yields):$", re.MULTILINE)

#: A line of a section, and its continuation lines.
_ENTRY = re.compile(r"^ {4}(\w+): (.)(.*(?:\n {8}.+)*)", re.MULTILINE)

#: Code in reStructuredText.
_CODE = re.compile(r"(?<!`)``([^`]+)``(?!`)")


def without_sections(text: str | None) -> str:
    """A docstring without its sections."""
    clean = inspect.cleandoc(text or "")
    section = _SECTION.search(clean)
    return clean[: section.start() if section else None].rstrip()


def split_docstring(text: str | None) -> tuple[str, str]:
    """The summary and the description in a docstring."""
    summary, _, more = without_sections(text).partition("\n\n")
    return " ".join(summary.replace("`", "").split()).removesuffix("."), more.strip()


def to_markdown(part: Any) -> Any:
    """A part of a document, with all its descriptions in CommonMark.

    The docstring's descriptions of attributes become those of the schema's properties.
    """
    if isinstance(part, list):
        return [to_markdown(item) for item in part]
    if not isinstance(part, dict):
        return part
    text = part.get("description")
    if not isinstance(text, str):
        return {key: to_markdown(value) for key, value in part.items()}
    if "properties" in part:
        part = {**part, "properties": _with_descriptions(part["properties"], text)}
        text = without_sections(text)
    converted = {key: to_markdown(value) for key, value in part.items()}
    return {**converted, "description": _CODE.sub(r"`\1`", text)}


def _with_descriptions(properties: dict[str, Any], text: str) -> dict[str, Any]:
    """Properties with descriptions from a docstring, unless they have their own."""
    _, _, section = text.partition("\nAttributes:\n")
    descriptions = {
        name: " ".join(f"{first.upper()}{rest}".split())
        for name, first, rest in _ENTRY.findall(section)
    }
    return {
        name: {"description": descriptions[name], **schema} if name in descriptions else schema
        for name, schema in properties.items()
    }
