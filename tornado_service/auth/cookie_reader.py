"""Reads the cookies of a request: ours, even if others have set cookies of the same name."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from jupyterhub.services.auth import HubOAuthenticated
from tornado.web import RequestHandler

from .cookies import cookie_values, without_cookies


class CookieReader(HubOAuthenticated, RequestHandler):
    """Of several cookies with one name, selects the valid one with the longest path."""

    #: Whether the request has several session cookies signed by us.
    has_other_sessions = False

    def cookie_values(self, name: str) -> Iterator[str]:
        return cookie_values(self.request.headers.get("Cookie", ""), name)

    def get_cookie(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        return next(self.cookie_values(name), default)

    def signed_cookies(
        self, name: str, max_age_days: float = 31, min_version: int | None = None
    ) -> Iterator[bytes]:
        """The contents of all cookies of a name that we have signed, the longest path first."""
        for value in self.cookie_values(name):
            content = super().get_signed_cookie(name, value, max_age_days, min_version)
            if content is not None:
                yield content

    def get_signed_cookie(
        self,
        name: str,
        value: str | None = None,
        max_age_days: float = 31,
        min_version: int | None = None,
    ) -> bytes | None:
        if value is not None:
            return super().get_signed_cookie(name, value, max_age_days, min_version)
        return next(self.signed_cookies(name, max_age_days, min_version), None)

    get_secure_cookie = get_signed_cookie

    @property
    def xsrf_token(self) -> bytes:
        """The XSRF token in pages of this session.

        The library takes the first cookie that we have signed, for any session, and Python decodes
        each in time quadratic in its length
        (https://github.com/python/cpython/issues/123067): it gets our cookie only, or none.
        """
        if not hasattr(self, "_xsrf_token"):
            ours = self.hub_auth.own_xsrf_token(self)
            headers = self.request.headers
            if ours is not None:
                self._xsrf_token = ours
            elif "Cookie" in headers:
                headers["Cookie"] = without_cookies(headers["Cookie"], "_xsrf")
        token: bytes = super().xsrf_token
        return token


def has_xsrf_token(handler: HubOAuthenticated) -> bool:
    """Whether a reading request carries the XSRF token of our pages, in its query or a header.

    Raises:
        HTTPError: 400, the query is not UTF-8.
    """
    get = handler.request.headers.get
    token = handler.get_query_argument("_xsrf", "") or get("X-Xsrftoken") or get("X-Csrftoken", "")
    # checked first: the library would create the right one, and set a cookie
    return bool(token) and hmac.compare_digest(token.encode(), handler.xsrf_token)
