"""Cookies of an app: it neither gets nor sets ours, and its own apply to its own paths only."""

from __future__ import annotations

from ..paths import AppPaths

#: Beginnings of the names of the hub's and of services' cookies; the last two are those of sign-ins
#: by OAuthenticator and LTIAuthenticator, which apply to all paths.
RESERVED_PREFIXES = ("jupyterhub-", "service-", "oauthenticator-", "lti13authenticator-")

#: https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html#section-4.1.3
_COOKIE_PREFIXES = ("__host-", "__secure-", "__http-", "__host-http-")


class CookieRules:
    """Which cookies pass.

    Args:
        session_cookie: the name of the service's session cookie; those whose names begin with it
            belong to the sign-in.
    """

    def __init__(self, session_cookie: str) -> None:
        self._reserved = (session_cookie.lower(), *RESERVED_PREFIXES)

    def is_reserved(self, name: str) -> bool:
        """Whether a name is one of our or the hub's cookies, in any case and with any prefix."""
        name = name.strip().lower()
        for prefix in sorted(_COOKIE_PREFIXES, key=len, reverse=True):
            name = name.removeprefix(prefix)
        return name == "_xsrf" or name.startswith(self._reserved)

    def for_app(self, header: str) -> str:
        """A header ``Cookie`` without our cookies; the others as they are, byte for byte."""
        cookies = header.split(";")
        kept = [cookie for cookie in cookies if not self.is_reserved(cookie.partition("=")[0])]
        return header if len(kept) == len(cookies) else ";".join(kept).strip()

    def for_visitor(self, header: str, paths: AppPaths, request_path: str) -> str | None:
        """A header ``Set-Cookie``, limited to the app's paths; None if it must not be set.

        Without a ``Path``, a cookie applies to the folder of the request
        (https://www.rfc-editor.org/rfc/rfc6265#section-5.1.4), which is the one that the app means:
        such a cookie stays as it is, unless the request is for the prefix without its slash, whose
        folder is above the app. ``Domain`` would send the cookie to other hosts, and let it come
        from there; it is removed.

        Args:
            header: the value.
            paths: those of the app.
            request_path: of the visitor's request.
        """
        pair, *attributes = header.split(";")
        name, equals, _ = pair.partition("=")
        # browsers send a cookie without a name as its value alone, which may look like ours
        if not equals or not name.strip() or self.is_reserved(name):
            return None
        path = None
        kept = [pair]
        for attribute in attributes:
            key, _, value = attribute.partition("=")
            key = key.strip().lower()
            if key == "path":
                path = value.strip()  # the last one applies
            elif key != "domain":
                kept.append(attribute)
        if path is not None and path.startswith("/"):
            kept.append(f" Path={self._path_below(path, paths)}")
        elif not paths.contains(request_path.rpartition("/")[0]):
            kept.append(f" Path={paths.prefix}/")
        return ";".join(kept)

    def _path_below(self, path: str, paths: AppPaths) -> str:
        path = paths.to_visitor(path)
        return path if paths.contains(path) else f"{paths.prefix}/"
