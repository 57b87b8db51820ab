"""Texts of the code as Markdown."""

from __future__ import annotations

import re


def markdown(text: str) -> str:
    """A text of the code: what looks like HTML is text, and URLs are links."""
    parts = re.split(r"(``.*?``|`[^`]*`)", text, flags=re.DOTALL)
    return "".join(part if part.startswith("`") else _prose(part) for part in parts)


def _prose(text: str) -> str:
    text = re.sub(r"<(?=[a-zA-Z/])", "&lt;", text)
    return re.sub(r"https?://[^\s)]*[^\s).,:]", r"<\g<0>>", text)


def cell(text: str) -> str:
    """The same in a cell of a table."""
    return " ".join(markdown(text).split()).replace("|", r"\|")


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown; its cells are Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
