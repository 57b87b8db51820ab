"""Tokens of the hub in a query, which apps must not get."""

from __future__ import annotations

import re
from collections.abc import Set
from urllib.parse import unquote_plus

#: The parameter in which JupyterHub's own servers accept a token.
PARAMETER = "token"

#: What may be a token of the hub. Others cannot be sent to it in a header.
_TOKEN = re.compile(r"[\x21-\x7e]{1,512}")


def find_tokens(url: str) -> set[str]:
    """The values in the query of a URL that may be tokens of the hub."""
    if "?" not in url:
        return set()
    _, query, _ = split_query(url)
    return {value for value in map(_token_in, query.split("&")) if _TOKEN.fullmatch(value)}


def without_tokens(url: str, tokens: Set[str]) -> str:
    """The URL without parameters that have one of these tokens, else byte for byte."""
    if not tokens:
        return url
    path, query, fragment = split_query(url)
    parts = query.split("&")
    kept = [part for part in parts if _token_in(part) not in tokens]
    if len(kept) == len(parts):
        return url
    return path + ("?" if kept else "") + "&".join(kept) + fragment


def split_query(url: str) -> tuple[str, str, str]:
    """A URL as what is before its query, the query, and the fragment with its mark."""
    url, mark, fragment = url.partition("#")
    path, _, query = url.partition("?")
    return path, query, mark + fragment


def _token_in(part: str) -> str:
    name, _, value = part.partition("=")
    return unquote_plus(value) if unquote_plus(name) == PARAMETER else ""
