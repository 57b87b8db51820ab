"""Paths of an app: as visitors see them, and as the app sees them."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin

from .target import Target

#: Bytes that a request line must not have (RFC 9112, section 3.2): those outside of ASCII.
_NOT_ASCII = re.compile(r"[^\x21-\x7e]")

_ABSOLUTE_URL = re.compile(r"(?:([a-z][a-z0-9+.-]*):)?//([^/?#\\]*)(.*)", re.IGNORECASE | re.DOTALL)

#: Seconds and URL of a header ``Refresh``,
#: https://html.spec.whatwg.org/multipage/semantics.html#shared-declarative-refresh-steps
_REFRESH = re.compile(
    r"""(\s*[\d.]+\s*[;,]?\s*(?:url\s*=\s*)?["']?)([^"']*)(.*)""", re.IGNORECASE | re.DOTALL
)

#: A longer ``Refresh`` is passed as it is: the time to match it grows faster than its length.
MAX_REFRESH = 2048

_ANY_HOST = "http://app"

#: How often a path is decoded to find dot segments; apps decode once, some by mistake twice.
MAX_DECODINGS = 3


class AppPaths:
    """Translates paths between visitors and the app.

    Args:
        prefix: the path of the app for visitors, without a slash at its end.
        strips_prefix: whether the app gets paths without it.
        base: the path of the app's URL, without a slash at its end.
        is_shared: whether the app is one part of a server that may have others, at other paths.
    """

    def __init__(
        self, prefix: str, *, strips_prefix: bool = False, base: str = "", is_shared: bool = False
    ) -> None:
        self.prefix = prefix
        self._strips_prefix = strips_prefix
        self._base = base
        self._is_limited = bool(base) or (is_shared and not strips_prefix)
        #: Whether the app sees other paths than visitors.
        self.translates = strips_prefix or bool(base)

    def to_app(self, uri: str) -> str:
        """The request target for the app: each byte as the visitor has sent it.

        Bytes that HTTP does not allow there are percent-encoded.

        Args:
            uri: path and query, decoded as latin-1.

        Raises:
            ValueError: the path has dot segments, by which it would leave the part of the app.
        """
        if self._strips_prefix:
            uri = uri.removeprefix(self.prefix)
            uri = uri if uri.startswith("/") else f"/{uri}"
        if self._is_limited and has_dot_segments(uri.partition("?")[0]):
            raise ValueError("dot segments")
        uri = self._base + uri
        return _NOT_ASCII.sub(lambda match: f"%{ord(match[0]):02X}", uri)

    def to_visitor(self, path: str) -> str:
        """A path of the app, with or without a query, as visitors reach it."""
        if not self.translates:
            return path
        if self._base and _is_below(path, self._base):
            path = path.removeprefix(self._base)
        if _is_below(path, self.prefix):
            return path  # the app knows X-Forwarded-Prefix
        return self.prefix + (path if path.startswith("/") else f"/{path}")

    def contains(self, path: str) -> bool:
        """Whether a path of visitors is one of the app."""
        return _is_below(path, self.prefix)


def _is_below(path: str, base: str) -> bool:
    return path.startswith(base) and path[len(base) : len(base) + 1] in ("", "/", "?", "#")


def has_dot_segments(path: str) -> bool:
    r"""Whether a path has ``.`` or ``..`` segments, for any server that may decode it.

    Some servers decode ``%2F`` before they split, take ``\\`` for ``/``, or drop what follows
    ``;`` in a segment. Browsers drop tabs and line breaks.
    """
    for _ in range(MAX_DECODINGS):
        for segment in re.split(r"[/\\]", re.sub(r"[\t\r\n]", "", path)):
            if segment.partition(";")[0] in (".", ".."):
                return True
        decoded = unquote(path, "latin-1")
        if decoded == path:
            return False
        path = decoded
    return True  # encoded again and again: no browser does that


class Locations:
    """Puts URLs in responses of an app under its prefix.

    Args:
        paths: those of the app.
        target: where the app listens.
        host: host and port in the visitor's URL.
        protocol: ``http`` or ``https``, of the visitor.
        request_target: the target of the request as the app got it.
    """

    def __init__(
        self, paths: AppPaths, target: Target, host: str, protocol: str, request_target: str
    ) -> None:
        self._paths = paths
        self._target = target
        self._host = host
        self._protocol = protocol
        self._request_target = request_target

    def translate(self, url: str) -> str:
        """A URL, absolute or relative, as the visitor reaches it; unchanged if it is foreign."""
        absolute = _ABSOLUTE_URL.fullmatch(url)
        if absolute:
            return self._translate_absolute(url, *absolute.groups())
        if not self._paths.translates:
            return url
        if url.startswith("/"):
            return self._paths.to_visitor(url)
        path = re.split(r"[?#]", url)[0]
        if ":" in path.partition("/")[0] or ".." not in path.split("/"):
            return url  # relative to the request, so it stays below the prefix
        # with a host, else a path that begins with // would be taken for one
        absolute_url = urljoin(_ANY_HOST + self._request_target, url)
        return self._paths.to_visitor(absolute_url.removeprefix(_ANY_HOST))

    def _translate_absolute(self, url: str, scheme: str | None, authority: str, rest: str) -> str:
        scheme = (scheme or self._protocol).lower()
        is_own = self._target.is_own_authority(authority)
        is_ours = authority.lower() == self._host.lower()
        if scheme not in ("http", "https") or not (is_own or is_ours) or rest.startswith("\\"):
            return url
        given = rest if rest.startswith("/") else f"/{rest}"
        path = self._paths.to_visitor(given)
        if is_ours and path == given and scheme == self._protocol:
            return url
        if path[1:2] in ("/", "\\"):  # browsers would take it for another host
            return f"{self._protocol}://{self._host}{path}"
        return path

    def translate_refresh(self, value: str) -> str:
        """The value of ``Refresh``, with its URL translated."""
        match = _REFRESH.fullmatch(value) if len(value) <= MAX_REFRESH else None
        if match is None or not match[2]:
            return value
        return match[1] + self.translate(match[2]) + match[3]
