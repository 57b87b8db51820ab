"""Links of a page that lead out of its app, as the app does not know its prefix."""

from __future__ import annotations

import re

_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)

#: Elements without which a page does not work; its other links may lead anywhere.
_ELEMENT = re.compile(rb"<(?:base|form|iframe|img|link|script)\s[^<>]{1,2000}>", re.IGNORECASE)

_STYLE_OR_SCRIPT = re.compile(rb"\brel\s*=\s*[\"']?(?:stylesheet|modulepreload)\b", re.IGNORECASE)

#: A path from the root of the site; ``//`` begins another host.
_PATH = re.compile(
    rb"\s(?:action|href|src)\s*=\s*(?:\"\s*(/(?!/)[^\"]*)|'\s*(/(?!/)[^']*)|(/(?!/)[^\s\"'>]*))",
    re.IGNORECASE,
)

#: Characters of a link in a message.
MAX_LINK = 100


def outside_link(page: bytes, prefix: str) -> str:
    """The first link to a style, script, image, form or frame that is not below the prefix.

    Args:
        page: the beginning of an HTML page.
        prefix: the app's path without a slash at the end.

    Returns:
        Its path without query; empty if there is none. Paths of the hub and of its other services
        are none, as apps may link to them on purpose.
    """
    site = prefix.rpartition("/services/")[0]
    inside = tuple(f"{site}/{name}/" for name in ("hub", "services", "user"))
    for element in _ELEMENT.findall(_COMMENT.sub(b"", page)):
        if element[:5].lower() == b"<link" and not _STYLE_OR_SCRIPT.search(element):
            continue
        if found := _PATH.search(element):
            link = next(filter(None, found.groups())).decode("utf-8", "replace").strip()
            path = re.split("[?#]", link)[0]
            if path != prefix and not path.startswith((f"{prefix}/", *inside)):
                return path[:MAX_LINK] if path.isprintable() else "/"
    return ""
