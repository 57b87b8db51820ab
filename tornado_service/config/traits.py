"""Types of settings that traitlets does not have."""

import re
from typing import Any

from traitlets import Bytes, TraitError

#: A source of frame-ancestors: a scheme, or a host with optional wildcard, scheme, port and path.
#: https://www.w3.org/TR/CSP3/#framework-directive-source-list
_ANCESTOR = re.compile(
    r"'self'|[a-z][a-z0-9+.-]*:|(?:[a-z][a-z0-9+.-]*://)?"
    r"(?:\*|(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::(?:[0-9]+|\*))?(?:/[^\s;,?#]*)?",
    re.IGNORECASE | re.ASCII,
)


class TextOrBytes(Bytes):
    """Bytes, or text that is encoded as UTF-8, as on the command line."""

    info_text = "text or bytes"

    def validate(self, obj: Any, value: Any) -> bytes | None:
        """Return the bytes."""
        return super().validate(obj, value.encode() if isinstance(value, str) else value)


def normalize_ancestors(text: str) -> str:
    """The sources of ``TornadoService.frame_ancestors``, with single spaces between.

    Raises:
        TraitError: one is not a site.
    """
    sources = text.split(" ") if text.isprintable() else [text]
    sources = [source for source in sources if source]
    if [source.lower() for source in sources] == ["'none'"]:
        return "'none'"
    for source in sources or [text]:
        if source.lower().strip("'") in ("none", "self") and source.lower() != "'self'":
            hint = "'none' stands alone, and both 'none' and 'self' in single quotes"
        elif not _ANCESTOR.fullmatch(source):
            hint = "write sites as https://lms.example.org, with spaces between"
        else:
            continue
        raise TraitError(f"TornadoService.frame_ancestors: {source!r} is not a site: {hint}.")
    return " ".join(sources)
